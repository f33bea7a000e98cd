/* Theory of operation: see create_options.h. */
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
fill_layers(const struct cli *c, const struct option_list *dirs, const char *upper, struct rootfs_layers *layers,
	    const struct rootfs_layers **ret_layers)
{
	const char **paths = arena_array(c->arena, dirs->n + 1, sizeof(*paths));
	char *cwd;

	*ret_layers = NULL;
	if (dirs->n == 0 && !upper)
		return 0;
	if (dirs->n == 0)
		return err_plain(c->err, "option '--upper' needs at least one --layer below it");
	cwd = get_current_dir_name();
	if (!cwd)
		return err_set(c->err, errno, "find the current folder");
	for (size_t i = 0; i < dirs->n; i++)
		paths[i] = make_absolute(c->arena, cwd, dirs->items[i]);
	if (upper && strcmp(upper, "tmpfs"))
		upper = make_absolute(c->arena, cwd, upper);
	free(cwd);
	*layers = (struct rootfs_layers){ .dirs = paths, .n = dirs->n, .upper = upper };
	*ret_layers = layers;
	return 0;
}

int
create_options_fill(const struct cli *c, const struct create_values *v, const char *id, struct spec_report *report,
		    struct rootfs_layers *layers, struct container_create_options *ret_options)
{
	struct container_create_options o = {
		.id = id,
		.bundle = v->bundle ? v->bundle : ".",
		.config = v->config,
		.pid_file = v->pid_file,
		.console_socket = v->console_socket,
		.pidfd_socket = v->pidfd_socket,
		.preserve_fds = v->preserve_fds,
		.no_pivot = v->no_pivot,
		.no_new_keyring = v->no_new_keyring,
		.detach = v->detach,
		.keep = v->keep,
		.report = report,
	};
	int r = fill_layers(c, &v->layers, v->upper, layers, &o.layers);

	if (r == 0)
		*ret_options = o;
	return r;
}

int
create_options_report(const struct cli *c, const struct container_create_options *o, int r)
{
	if (r >= 0 || o->report->n_errors == 0)
		return r;
	log_error("%s", config_report_text(c->arena, config_file_name(c->arena, o->bundle, o->config), o->report,
					   SPEC_WARNING));
	return 1;
}
