/* knarr start: runs the program of a created container. */
#include "runtime/command.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	(void)options;
	return container_start(&cli->env, operands->items[0], cli->err);
}

const struct command command_start = {
	.name = "start",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "run the program of a created container",
	.text = "Returns once the program has started, or with the error that prevented it.\n",
	.run = run,
};
