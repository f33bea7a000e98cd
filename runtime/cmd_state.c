/* knarr state: the state of one container as JSON. */
#include "libcontainer/state/end_reason.h"
#include "libcontainer/wait.h"
#include "runtime/command.h"
#include "runtime/container_json.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	enum container_status status;
	const char *reason = NULL;
	struct json_out j;
	struct state *s;
	int r = container_state(&cli->env, operands->items[0], cli->err, &s, &status);

	(void)options;
	if (r < 0)
		return r;
	if (status == STATUS_STOPPED)
		reason = end_reason_of_state(s, container_wait_known(s), cli->arena);
	json_out_init(&j, cli->arena, /* pretty= */ true);
	container_json_write(&j, s, status, container_owner_name(cli->arena, s->owner), reason);
	return cmd_print(cli, arena_printf(cli->arena, "%s\n", j.text));
}

const struct command command_state = {
	.name = "state",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "print the state of a container as JSON",
	.text = "Prints the state document of the OCI runtime specification, with the directory\n"
		"of the root file system, the time of creation and the owner. The status is\n"
		"creating, created, running, paused or stopped; the pid is 0 if there is no\n"
		"process. A stopped container has the member exitReason if the kernel killed it:\n"
		"out of memory, PID limit, or seccomp violation.\n",
	.run = run,
};
