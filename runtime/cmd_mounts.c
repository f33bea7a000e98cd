/* knarr mounts: more and fewer mounts for a container that runs. */
#include <string.h>

#include "base/log.h"
#include "libcontainer/live_mounts.h"
#include "runtime/command.h"
#include "runtime/config_report.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const char *verb = operands->items[0], *id = operands->items[1], *file = operands->items[2];
	struct spec_report report = { 0 };
	bool add = !strcmp(verb, "add");
	int r;

	(void)options;
	if (!add && strcmp(verb, "remove"))
		return err_plain(c->err, "mounts: expected add or remove, found '%s'", verb);
	r = container_mounts(&c->env, id, file, add, &report, c->err);
	if (r < 0 && report.n_errors > 0) {
		log_error("%s", config_report_text(c->arena, file, &report, SPEC_WARNING));
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
		"of files and folders of the host, and tmpfs. All are added or none. remove\n"
		"looks at the destinations only, and takes away what is mounted there last.\n",
	.run = run,
};
