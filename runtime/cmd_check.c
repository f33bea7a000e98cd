/* knarr check: validates a config.json. What it finds is its output, so it goes
 * to stdout, in the form of compilers: FILE:LINE:COLUMN: error: PATH: TEXT. */
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
	return arena_printf(a, "%s: %zu error%s, %zu warning%s", file, report->n_errors,
			    report->n_errors == 1 ? "" : "s", report->n_warnings, report->n_warnings == 1 ? "" : "s");
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const char *bundle = operands->n > 0 ? operands->items[0] : ".";
	const char *file = v->config ? v->config : arena_printf(c->arena, "%s/config.json", bundle);
	struct spec_report report = { 0 };
	struct spec *spec;
	const char *issues;
	int r = spec_load(bundle, v->config, c->arena, &report, c->err, &spec);

	if (r < 0 && report.n_errors == 0)
		return r; /* not readable */
	issues = config_report_text(c->arena, file, &report, SPEC_NOTE);
	r = cli_print(
		c, arena_printf(c->arena, "%s%s%s\n", issues, *issues ? "\n" : "", summary(c->arena, file, &report)));
	return r < 0 ? r : report.n_errors > 0;
}

const struct command command_check = {
	.name = "check",
	.operands = "[BUNDLE]",
	.max_operands = 1,
	.summary = "check the config of a bundle",
	.text = "Prints every error and warning in the config.json of the folder BUNDLE (default:\n"
		"the current one), and notes about properties that are ignored, with their line\n"
		"and column. The exit status is 1 when there is an error. Nothing is run, and\n"
		"nothing outside the file is looked at.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
