/* knarr wait: the exit status of containers that run in the background. */
#include <stdint.h>

#include "base/log.h"
#include "libcontainer/state/end_reason.h"
#include "libcontainer/wait.h"
#include "runtime/command.h"

/* All are opened before the first is waited for; one that cannot be opened is logged. */
static size_t
begin_all(const struct cli *cli, const struct option_list *ids, struct container_wait *waits, int *ret_result)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++) {
		char text[ERR_MSG_MAX + 256];
		int r = container_wait_begin(&cli->env, ids->items[i], cli->err, &waits[n]);

		if (r < 0 && ids->n == 1) {
			*ret_result = r;
		} else if (r < 0) {
			log_error("%s", err_format(cli->err, text, sizeof(text)));
			*ret_result = 1;
		} else {
			n++;
		}
	}
	return n;
}

static int
finish_one(const struct cli *cli, struct container_wait *wait, bool named)
{
	int status, r = container_wait_finish(&cli->env, wait, cli->err, &status);

	if (wait->reason)
		log_warning("%s", end_reason_sentence(wait->state->id, r < 0 ? END_CODE_UNKNOWN : status, wait->reason,
						      cli->arena));
	if (r < 0)
		return r;
	return cmd_print(cli, named ? arena_printf(cli->arena, "%s %d\n", wait->state->id, status)
				    : arena_printf(cli->arena, "%d\n", status));
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	struct container_wait *waits = arena_array(cli->arena, operands->n, sizeof(*waits));
	int result = 0;
	size_t n = begin_all(cli, operands, waits, &result);
	int restrained = n > 0 ? container_wait_restrain(cli->err) : 0;

	(void)options;
	if (restrained < 0)
		return restrained;
	for (size_t i = 0; i < n; i++) {
		char text[ERR_MSG_MAX + 256];
		int r = finish_one(cli, &waits[i], operands->n > 1);

		if (r < 0 && operands->n == 1)
			return r;
		if (r < 0) {
			log_error("%s", err_format(cli->err, text, sizeof(text)));
			result = 1;
		}
	}
	return result;
}

const struct command command_wait = {
	.name = "wait",
	.operands = "ID...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "wait for containers to exit and print their exit status",
	.text = "Prints the exit status of the container's program, or 128+N if signal N killed\n"
		"it; for several containers one line \"ID STATUS\" each, in the order given. knarr\n"
		"wait itself exits with 0 unless something failed. If the kernel killed the\n"
		"container (out of memory, PID limit, seccomp violation), a warning says so.\n"
		"\n"
		"The status is known if this command runs while the container exits (Linux 6.15),\n"
		"if the container's process has not been reaped yet, after run --keep, and if an\n"
		"earlier wait has learned it. Otherwise it is lost, which is an error.\n",
	.run = run,
};
