/* knarr delete: removes containers and all that they left. */
#include <stdint.h>

#include "runtime/command.h"
#include "runtime/id_operands.h"

struct values {
	bool force, regex;
};

static const struct option_row rows[] = {
	{ "force", 'f', OPTION_FLAG, NULL, offsetof(struct values, force),
	  "kill a running container first; no error when there is no such container" },
	{ "regex", 'r', OPTION_FLAG, NULL, offsetof(struct values, regex),
	  "each ID is an extended regular expression: delete all containers whose id it matches" },
	{ 0 },
};

static int
delete_one(const struct cli *c, const char *id, const void *data)
{
	const struct values *v = data;

	return container_delete(&c->env, id, v->force, c->err);
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;

	return id_operands_each(c, operands, v->regex, delete_one, v);
}

const struct command command_delete = {
	.name = "delete",
	.operands = "ID...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "remove stopped or created containers",
	.text = "Kills what is left of a container's processes, removes its cgroup, runs its\n"
		"poststop hooks and removes its state. Of several containers each gets its turn,\n"
		"also when another fails.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
