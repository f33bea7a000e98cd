/* knarr delete: deletes containers and everything that they left. */
#include <stdint.h>

#include "runtime/command.h"
#include "runtime/id_operands.h"

struct values {
	bool force, regex;
};

static const struct option_row rows[] = {
	{ "force", 'f', OPTION_FLAG, NULL, offsetof(struct values, force),
	  "kill a running container first; not an error if there is no such container" },
	{ "regex", 'r', OPTION_FLAG, NULL, offsetof(struct values, regex),
	  "treat each ID as an extended regular expression and delete all containers whose id matches" },
	{ 0 },
};

static int
delete_one(const struct cli *cli, const char *id, const void *data)
{
	const struct values *v = data;

	return container_delete(&cli->env, id, v->force, cli->err);
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;

	return id_operands_each(cli, operands, v->regex, delete_one, v);
}

const struct command command_delete = {
	.name = "delete",
	.operands = "ID...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "delete stopped or created containers",
	.text = "Kills the remaining processes of a container, removes its cgroup, runs its\n"
		"poststop hooks and removes its state. Containers are deleted one by one; a\n"
		"failure does not stop the others.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
