/* knarr delete: removes a container and all that it left. */
#include "runtime/command.h"

struct values {
	bool force;
};

static const struct option_row rows[] = {
	{ "force", 'f', OPTION_FLAG, NULL, offsetof(struct values, force),
	  "kill a running container first; no error when there is no such container" },
	{ 0 },
};

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;

	return container_delete(&c->env, operands->items[0], v->force, c->err);
}

const struct command command_delete = {
	.name = "delete",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "remove a stopped or created container",
	.text = "Kills what is left of the container's processes, removes its cgroup, runs its\n"
		"poststop hooks and removes its state.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
