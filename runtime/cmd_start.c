/* knarr start: lets a created container run its program. */
#include "runtime/command.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	(void)options;
	return container_start(&c->env, operands->items[0], c->err);
}

const struct command command_start = {
	.name = "start",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "run the program of a created container",
	.text = "Returns when the program runs, or with the error that kept it from running.\n",
	.run = run,
};
