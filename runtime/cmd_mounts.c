/* knarr mounts: adds mounts to a running container, or removes them. */
#include <string.h>

#include "base/log.h"
#include "libcontainer/exec/live_mounts.h"
#include "runtime/command.h"
#include "runtime/config_report.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const char *verb = operands->items[0], *id = operands->items[1], *file = operands->items[2];
	struct spec_report report = { 0 };
	bool add = !strcmp(verb, "add");
	int r;

	(void)options;
	if (!add && strcmp(verb, "remove"))
		return err_plain(cli->err, "mounts: expected add or remove, found '%s'", verb);
	r = container_mounts(&cli->env, id, file, add, &report, cli->err);
	if (r < 0 && report.n_errors > 0) {
		log_error_lines(config_report_text(cli->arena, file, &report, SPEC_WARNING));
		return 1;
	}
	return r;
}

const struct command command_mounts = {
	.name = "mounts",
	.operands = "add|remove ID FILE",
	.min_operands = 3,
	.max_operands = 3,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "add mounts to a running container, or remove them",
	.text = "FILE is a JSON array like `mounts` of a config (-: standard input): bind mounts\n"
		"of files and directories of the host, and tmpfs. Either all are added or none.\n"
		"`remove` uses the destinations only and removes the topmost mount of each.\n",
	.run = run,
};
