/* knarr plan: shows what would be done, and does nothing. */
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
	  "config to use instead of config.json in the bundle" },
	{ "for", 0, OPTION_CHOICE, "root|user", VALUE(host),
	  "plan for a host with Linux 6.18 and every feature, run by root or by uid 1000, instead of for this one" },
	{ "id", 0, OPTION_TEXT, "ID", VALUE(id), "the container's id (default: plan)" },
	LAYER_ROWS(struct create_values),
	{ 0 },
};
_Static_assert(offsetof(struct values, create) == 0, "LAYER_ROWS has offsets into struct create_values");

static int
print_plan(const struct cli *c, const struct plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return err_set(c->err, errno, "print the plan");
	plan_print(plan, out);
	if (fclose(out) != 0)
		r = err_set(c->err, errno, "print the plan");
	else
		r = cli_print(c, text);
	free(text);
	return r;
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
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
	r = create_options_fill(c, &create, v->id ? v->id : "plan", &report, &layers, &o);
	if (r < 0)
		return r;
	if (v->host)
		host_reference(!strcmp(v->host, "root"), &host);
	r = container_plan(&c->env, &o, v->host ? &host : NULL, c->err, &plan);
	if (r < 0)
		return create_options_report(c, &o, r);
	r = print_plan(c, plan);
	plan_free(plan);
	return r;
}

const struct command command_plan = {
	.name = "plan",
	.operands = "[BUNDLE]",
	.max_operands = 1,
	.summary = "print the steps that would make a container",
	.text = "Compiles the bundle in the folder BUNDLE (default: the current one) and prints\n"
		"the steps that the container's first process would take, one per line, in their\n"
		"order, below the namespaces that it is given and the limits of its cgroup.\n"
		"Nothing is made or run, and no privilege is needed.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
