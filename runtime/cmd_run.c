/* knarr run: create and start in one command. */
#include "runtime/create_options.h"

static const struct option_row rows[] = {
	CREATE_ROWS,
	{ "detach", 'd', OPTION_FLAG, NULL, CREATE_VALUE(detach),
	  "run in the background: return once the program has started" },
	{ "keep", 0, OPTION_FLAG, NULL, CREATE_VALUE(keep), "keep the container after its program has exited" },
	{ 0 },
};

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	struct container_create_options o;
	struct spec_report report = { 0 };
	struct rootfs_layers layers;
	int status = 0, r = create_options_fill(cli, options, operands->items[0], &report, &layers, &o);

	if (r < 0)
		return r;
	r = create_options_report(cli, &o, container_run(&cli->env, &o, cli->err, &status));
	return r ? r : status;
}

const struct command command_run = {
	.name = "run",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "create a container, run its program and delete it",
	.text = "Creates the container ID from a bundle and runs its program. In the foreground\n"
		"knarr forwards the terminal and signals, and its exit status is that of the\n"
		"program, or 128+N if signal N killed it.\n",
	.options = rows,
	.options_size = sizeof(struct create_values),
	.run = run,
};
