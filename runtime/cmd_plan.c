/* knarr plan: prints what would be done, and does nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/create_options.h"

struct values {
	struct create_values create;
	const char *host, *id;
};

#define VALUE(member) offsetof(struct values, member)

static const struct option_row rows[] = {
	{ "config", 'f', OPTION_TEXT, "FILE", VALUE(create.config),
	  "config file to use instead of config.json in the bundle" },
	{ "for", 0, OPTION_CHOICE, "root|user", VALUE(host),
	  "plan for a host with Linux 6.18 and every feature, as root or as uid 1000, instead of for this host and "
	  "user" },
	{ "id", 0, OPTION_TEXT, "ID", VALUE(id), "the container's id (default: plan)" },
	LAYER_ROWS(struct create_values),
	{ 0 },
};
_Static_assert(offsetof(struct values, create) == 0, "LAYER_ROWS has offsets into struct create_values");

static int
print_plan(const struct cli *cli, const struct plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return err_set(cli->err, errno, "print the plan");
	plan_print(plan, out);
	if (fclose(out) != 0)
		r = err_set(cli->err, errno, "print the plan");
	else
		r = cmd_print(cli, text);
	free(text);
	return r;
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct create_values create = v->create;
	struct container_create_options o;
	struct spec_report report = { 0 };
	struct rootfs_layers layers;
	struct host host;
	struct plan *plan;
	int r;

	if (operands->n > 0)
		create.bundle = operands->items[0];
	r = create_options_fill(cli, &create, v->id ? v->id : "plan", &report, &layers, &o);
	if (r < 0)
		return r;
	if (v->host)
		host_reference(!strcmp(v->host, "root"), &host);
	r = container_plan(&cli->env, &o, v->host ? &host : NULL, cli->err, &plan);
	if (r < 0)
		return create_options_report(cli, &o, r);
	r = print_plan(cli, plan);
	plan_free(plan);
	return r;
}

const struct command command_plan = {
	.name = "plan",
	.operands = "[BUNDLE]",
	.max_operands = 1,
	.summary = "print the steps that would create a container",
	.text = "Compiles the bundle in the directory BUNDLE (default: the current directory) and\n"
		"prints its namespaces, the limits of its cgroup, and the steps that the\n"
		"container's first process would take, in order and one per line. Nothing is\n"
		"created or run, and no privileges are needed.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
