/* knarr pause: stops all processes of a container for a while. */
#include "runtime/command.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	(void)options;
	return container_pause(&c->env, operands->items[0], c->err);
}

const struct command command_pause = {
	.name = "pause",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "stop all processes of a container for a while",
	.text = "Freezes the cgroup of a created or running container: none of its processes\n"
		"gets the processor until knarr resume. It needs a cgroup of its own.\n",
	.run = run,
};
