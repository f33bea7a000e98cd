/* knarr state: the state of one container as JSON. */
#include "libcontainer/end_reason.h"
#include "libcontainer/wait.h"
#include "runtime/command.h"
#include "runtime/container_json.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	enum container_status status;
	const char *reason = NULL;
	struct json_out j;
	struct state *s;
	int r = container_state(&c->env, operands->items[0], c->err, &s, &status);

	(void)options;
	if (r < 0)
		return r;
	if (status == STATUS_STOPPED)
		reason = end_reason_of_state(s, container_wait_known(s), c->arena);
	json_out_init(&j, c->arena, /* pretty= */ true);
	container_json_write(&j, c->arena, s, status, reason);
	return cli_print(c, arena_printf(c->arena, "%s\n", j.text));
}

const struct command command_state = {
	.name = "state",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "print the state of a container as JSON",
	.text = "Prints the state document of the OCI runtime specification, with the folder of\n"
		"the root file system, the time of creation and the owner. The status is one of\n"
		"creating, created, running, paused and stopped; the pid is 0 when there is no\n"
		"process. A container that has stopped has the member exitReason when the\n"
		"counters of its cgroup tell why: out of memory, or no more tasks.\n",
	.run = run,
};
