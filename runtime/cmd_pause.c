/* knarr pause: suspends all processes of a container. */
#include "runtime/command.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	(void)options;
	return container_pause(&cli->env, operands->items[0], cli->err);
}

const struct command command_pause = {
	.name = "pause",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "suspend all processes of a container",
	.text = "Freezes the cgroup of a created or running container: none of its processes runs\n"
		"until knarr resume. The container must have its own cgroup.\n",
	.run = run,
};
