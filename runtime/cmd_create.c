/* knarr create: creates a container, all but its program. */
#include "runtime/create_options.h"

static const struct option_row rows[] = { CREATE_ROWS, { 0 } };

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	struct container_create_options o;
	struct spec_report report = { 0 };
	struct rootfs_layers layers;
	int r = create_options_fill(cli, options, operands->items[0], &report, &layers, &o);

	if (r < 0)
		return r;
	return create_options_report(cli, &o, container_create(&cli->env, &o, cli->err));
}

const struct command command_create = {
	.name = "create",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "create a container, to be started later",
	.text = "Creates the container ID from a bundle, up to the point where its program would\n"
		"run: knarr start runs it. Later changes to the bundle's config have no effect.\n",
	.options = rows,
	.options_size = sizeof(struct create_values),
	.run = run,
};
