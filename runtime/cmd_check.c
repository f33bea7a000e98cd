/* knarr check: validates a config.json. What it finds is its output, so it goes
 * to stdout, in the form of compilers: FILE:LINE:COLUMN: error: PATH: TEXT. */
#include "base/printable.h"
#include "runtime/command.h"
#include "runtime/config_report.h"

struct values {
	const char *config;
};

static const struct option_row rows[] = {
	{ "config", 'f', OPTION_TEXT, "FILE", offsetof(struct values, config),
	  "check FILE instead of config.json in the bundle" },
	{ 0 },
};

static char *
summary(struct arena *a, const char *file, const struct spec_report *report)
{
	return arena_printf(a, "%s: %zu error%s, %zu warning%s", printable_text(a, file), report->n_errors,
			    report->n_errors == 1 ? "" : "s", report->n_warnings, report->n_warnings == 1 ? "" : "s");
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const char *bundle = operands->n > 0 ? operands->items[0] : ".";
	const char *file = v->config ? v->config : arena_printf(cli->arena, "%s/config.json", bundle);
	struct spec_report report = { 0 };
	const char *issues;
	struct container_create_options o = { .id = "check", .bundle = bundle, .config = v->config, .report = &report };
	int r = container_check(&cli->env, &o, cli->err);

	if (r < 0 && report.n_errors == 0)
		return config_report_missing(cli->arena, bundle, v->config, r, cli->err); /* not readable */
	issues = config_report_text(cli->arena, file, &report, SPEC_NOTE);
	r = cmd_print(cli, arena_printf(cli->arena, "%s%s%s\n", issues, *issues ? "\n" : "",
					summary(cli->arena, file, &report)));
	return r < 0 ? r : report.n_errors > 0;
}

const struct command command_check = {
	.name = "check",
	.operands = "[BUNDLE]",
	.max_operands = 1,
	.summary = "check the config.json of a bundle",
	.text = "Prints every error and warning in the config.json of the directory BUNDLE\n"
		"(default: the current directory), and notes about ignored properties, each with\n"
		"line and column. What knarr run would refuse because of the config is an error.\n"
		"Exits with 1 if there is an error. Nothing is run, and only the config is read.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
