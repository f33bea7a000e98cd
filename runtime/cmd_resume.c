/* knarr resume: lets a paused container go on. */
#include "runtime/command.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	(void)options;
	return container_resume(&c->env, operands->items[0], c->err);
}

const struct command command_resume = {
	.name = "resume",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "let a paused container go on",
	.text = "Thaws the cgroup of a container that knarr pause has frozen.\n",
	.run = run,
};
