/* knarr wait: the exit status of containers that run in the background. */
#include <stdint.h>

#include "base/log.h"
#include "libcontainer/end_reason.h"
#include "libcontainer/wait.h"
#include "runtime/command.h"

/* All are got hold of before the first is waited for; what cannot be is logged. */
static size_t
begin_all(const struct cli *c, const struct option_list *ids, struct container_wait *waits, int *ret_result)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++) {
		char text[ERR_MSG_MAX + 256];
		int r = container_wait_begin(&c->env, ids->items[i], c->err, &waits[n]);

		if (r < 0 && ids->n == 1) {
			*ret_result = r;
		} else if (r < 0) {
			log_error("%s", err_format(c->err, text, sizeof(text)));
			*ret_result = 1;
		} else {
			n++;
		}
	}
	return n;
}

static int
finish_one(const struct cli *c, struct container_wait *w, bool named)
{
	int status, r = container_wait_finish(&c->env, w, c->err, &status);

	if (w->reason)
		log_warning("%s",
			    end_reason_sentence(w->state->id, r < 0 ? END_CODE_UNKNOWN : status, w->reason, c->arena));
	if (r < 0)
		return r;
	return cli_print(c, named ? arena_printf(c->arena, "%s %d\n", w->state->id, status)
				  : arena_printf(c->arena, "%d\n", status));
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	struct container_wait *waits = arena_array(c->arena, operands->n, sizeof(*waits));
	int result = 0;
	size_t n = begin_all(c, operands, waits, &result);

	(void)options;
	for (size_t i = 0; i < n; i++) {
		char text[ERR_MSG_MAX + 256];
		int r = finish_one(c, &waits[i], operands->n > 1);

		if (r < 0 && operands->n == 1)
			return r;
		if (r < 0) {
			log_error("%s", err_format(c->err, text, sizeof(text)));
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
	.summary = "wait for containers to end and print their exit status",
	.text = "Prints the exit status of the container's program, or 128+N when signal N ended\n"
		"it; of several containers one line \"ID STATUS\" each, in the order given. Its own\n"
		"exit status is 0 unless something failed. A container that the kernel ended for\n"
		"want of memory, tasks or a permitted system call gets a warning that says so.\n"
		"\n"
		"A status is known when this command runs while the container ends (Linux 6.15),\n"
		"when the container's process is not reaped yet, after `run --keep`, and when an\n"
		"earlier wait was told it. Otherwise it is lost, which is an error.\n",
	.run = run,
};
