/* knarr resume: resumes a paused container. */
#include "runtime/command.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	(void)options;
	return container_resume(&cli->env, operands->items[0], cli->err);
}

const struct command command_resume = {
	.name = "resume",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "resume a paused container",
	.text = "Thaws the cgroup of a container that knarr pause has frozen.\n",
	.run = run,
};
