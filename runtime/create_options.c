/* From the values of the command line to the options of the library: relative paths
 * of layers become absolute, and a broken config is reported with all its errors. */
#include "runtime/create_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/config_report.h"

static const char *
make_absolute(struct arena *a, const char *cwd, const char *path)
{
	return *path == '/' ? path : arena_printf(a, "%s/%s", cwd, path);
}

/* --layer and --upper: paths are made absolute, since the overlay is mounted
 * elsewhere. *ret_layers is NULL when there are none. */
static int
fill_layers(const struct cli *cli, const struct option_list *dirs, const char *upper, struct rootfs_layers *layers,
	    const struct rootfs_layers **ret_layers)
{
	const char **paths = arena_array(cli->arena, dirs->n + 1, sizeof(*paths));
	char *cwd;

	*ret_layers = NULL;
	if (dirs->n == 0 && !upper)
		return 0;
	if (dirs->n == 0)
		return err_plain(cli->err, "option '--upper' needs at least one --layer below it");
	cwd = get_current_dir_name();
	if (!cwd)
		return err_set(cli->err, errno, "find the current directory");
	for (size_t i = 0; i < dirs->n; i++)
		paths[i] = make_absolute(cli->arena, cwd, dirs->items[i]);
	if (upper && strcmp(upper, "tmpfs"))
		upper = make_absolute(cli->arena, cwd, upper);
	free(cwd);
	*layers = (struct rootfs_layers){ .dirs = paths, .n = dirs->n, .upper = upper };
	*ret_layers = layers;
	return 0;
}

int
create_options_fill(const struct cli *cli, const struct create_values *values, const char *id,
		    struct spec_report *report, struct rootfs_layers *layers,
		    struct container_create_options *ret_options)
{
	struct container_create_options o = {
		.id = id,
		.bundle = values->bundle ? values->bundle : ".",
		.config = values->config,
		.pid_file = values->pid_file,
		.console_socket = values->console_socket,
		.pidfd_socket = values->pidfd_socket,
		.preserve_fds = values->preserve_fds,
		.no_pivot = values->no_pivot,
		.no_new_keyring = values->no_new_keyring,
		.detach = values->detach,
		.keep = values->keep,
		.report = report,
	};
	int r = fill_layers(cli, &values->layers, values->upper, layers, &o.layers);

	if (r == 0)
		*ret_options = o;
	return r;
}

int
create_options_report(const struct cli *cli, const struct container_create_options *options, int code)
{
	if (code >= 0 || options->report->n_errors == 0)
		return config_report_missing(cli->arena, options->bundle, options->config, code, cli->err);
	log_error_lines(config_report_text(cli->arena, config_file_name(cli->arena, options->bundle, options->config),
					   options->report, SPEC_WARNING));
	return 1;
}
