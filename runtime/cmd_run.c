/* knarr run: create and start in one. */
#include "runtime/create_options.h"

static const struct option_row rows[] = {
	CREATE_ROWS,
	{ "detach", 'd', OPTION_FLAG, NULL, CREATE_VALUE(detach),
	  "do not wait: return when the program runs and leave the container behind" },
	{ "keep", 0, OPTION_FLAG, NULL, CREATE_VALUE(keep), "do not delete the container when its program has ended" },
	{ 0 },
};

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	struct container_create_options o;
	struct spec_report report = { 0 };
	struct rootfs_layers layers;
	int status = 0, r = create_options_fill(c, options, operands->items[0], &report, &layers, &o);

	if (r < 0)
		return r;
	r = create_options_report(c, &o, container_run(&c->env, &o, c->err, &status));
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
	.text = "Runs the program of a bundle in the new container ID. In the foreground knarr\n"
		"passes terminal and signals on, and its exit status is that of the program, or\n"
		"128+N when signal N ended it.\n",
	.options = rows,
	.options_size = sizeof(struct create_values),
	.run = run,
};
