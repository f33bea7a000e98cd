/* The first half of a launch: from the bundle to a sealed plan.
 *
 * The bundle is found and config.json parsed and checked, the host is asked, the
 * cgroup's path is resolved, and all of it compiled into a plan. Nothing outside of
 * the process changes here, so whatever is wrong with the config, the command line
 * or the host costs nothing: there is nothing to be undone. `knarr plan` ends here.
 *
 * The order of the checks is the order in which a caller wants to hear of
 * mistakes: his command line, his config, then the host. */
#include "libcontainer/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "libcontainer/compile.h"
#include "libcontainer/preserved_fds.h"
#include "libcontainer/tty.h"

static int
find_bundle(struct launch *l, struct err *err)
{
	char path[PATH_MAX];
	const char *bundle = l->options->bundle ? l->options->bundle : ".";

	if (!realpath(bundle, path))
		return err_set(err, errno, "bundle '%s'", bundle);
	l->bundle = arena_strdup(l->env->arena, path);
	return 0;
}

static int
load_spec(struct launch *l, struct err *err)
{
	struct spec_report own = { 0 }, *report = l->options->report ? l->options->report : &own;
	int r = spec_load(l->bundle, l->options->config, l->env->arena, report, err, &l->spec);

	for (size_t i = 0; r == 0 && i < report->n; i++)
		if (report->items[i].severity == SPEC_WARNING)
			log_warning("%s", spec_issue_log_text(l->env->arena, l->spec->file, &report->items[i]));
	return r;
}

static int
check_console(const struct launch *l, struct err *err)
{
	const struct container_create_options *o = l->options;
	bool terminal = l->spec->process && l->spec->process->terminal;
	bool detached = l->mode == LAUNCH_CREATE || o->detach;

	if (terminal && detached && !o->console_socket)
		return err_plain(err, "process.terminal: true needs --console-socket when knarr does not stay in the "
				      "foreground");
	if (o->console_socket && !terminal)
		return err_plain(err, "--console-socket: process.terminal is false in the config");
	if (o->console_socket && !detached)
		return err_plain(err, "--console-socket: only with create or run --detach");
	return 0;
}

static int
resolve_cgroup(struct launch *l, struct err *err)
{
	int r = cgroup_resolve(&l->host, l->env->cgroup_manager, l->spec, l->options->id, l->env->arena, err,
			       &l->cgroup);

	/* A plan for people is made for any host. */
	if (r == 0 && l->mode != LAUNCH_PLAN)
		r = cgroup_locate(&l->cgroup, l->env->arena, err);
	if (r == 0 && l->mode != LAUNCH_PLAN)
		r = cgroup_check(&l->cgroup, l->spec, err);
	return r;
}

/* The limits are no part of what the init does; they are shown with it. */
static int
describe_cgroup(const struct launch *l, struct plan_builder *b, struct err *err)
{
	const char **lines;
	size_t n;
	int r = cgroup_describe(l->spec, l->env->arena, err, &lines, &n);

	if (r == 0)
		b->stage.cgroup = plan_strings(b, lines, n);
	return r;
}

static int
compile(struct launch *l, struct err *err)
{
	struct arena *a = l->env->arena;
	struct plan_builder b;
	struct compile_options o = {
		.id = l->options->id,
		.rootfs = { .bundle = l->bundle, .layers = l->options->layers, .no_pivot = l->options->no_pivot },
		.is_create = l->mode == LAUNCH_CREATE,
		.no_new_keyring = l->options->no_new_keyring,
		.has_cgroup = l->cgroup.path != NULL,
		.listen_fds = preserved_fds_from_environment(),
		.seccomp_cache = l->mode == LAUNCH_PLAN ? NULL : arena_printf(a, "%s/@seccomp", l->env->root),
		.subid_dir = l->no_subids ? NULL : "/etc",
	};
	int r;

	o.keep_fds = l->options->preserve_fds + o.listen_fds;
	if (l->notify_host)
		o.notify_dir = notify_socket_dir(a, arena_printf(a, "%s/%s", l->env->root, l->options->id));
	if (l->cgroup.path)
		o.rootfs.cgroup = arena_printf(a, "%s%s", l->cgroup.mount, l->cgroup.path);
	plan_begin(&b, a);
	r = compile_init(&b, l->spec, &l->host, &o, err);
	if (r == 0 && l->mode == LAUNCH_RUN && !l->options->detach)
		tty_plan_size(&b);
	if (r == 0 && l->mode == LAUNCH_PLAN && l->cgroup.path)
		r = describe_cgroup(l, &b, err);
	if (r == 0)
		r = plan_seal(&b, err, &l->plan);
	if (r == 0)
		log_debug("bundle '%s': a plan of %u steps, %zu bytes", l->bundle, l->plan->n_steps, l->plan->size);
	return r;
}

static void
launch_init(struct launch *l, const struct container_env *env, const struct container_create_options *o,
	    enum launch_mode mode)
{
	*l = (struct launch){
		.env = env,
		.options = o,
		.mode = mode,
		.cgroup.fd = -1,
		.resctrl.root_fd = -1,
		.dir = { .fd = -1, .lock_fd = -1 },
		.stage = { .pidfd = -1, .channel = -1, .status_fd = -1 },
		.start_fd = -1,
		.console_master = -1,
		.notify = { -1, -1, false },
	};
}

int
launch_prepare(struct launch *l, const struct container_env *env, const struct container_create_options *o,
	       enum launch_mode mode, const struct host *host, struct err *err)
{
	int r;

	launch_init(l, env, o, mode);
	if (host) {
		l->host = *host;
		l->no_subids = true;
	}
	if ((r = state_check_id(o->id, err)) < 0)
		return r;
	if (mode != LAUNCH_PLAN &&
	    (r = preserved_fds_reserve(o->preserve_fds + preserved_fds_from_environment(), err)) < 0)
		return r;
	if ((r = find_bundle(l, err)) < 0)
		return r;
	if ((r = load_spec(l, err)) < 0)
		return r;
	/* Without a mount namespace there is no place to show it in. */
	if (mode != LAUNCH_PLAN && l->spec->linux_.namespaces[SPEC_NS_MOUNT].listed)
		l->notify_host = notify_socket_host();
	if (mode != LAUNCH_PLAN && (r = check_console(l, err)) < 0)
		return r;
	if (!host && (r = host_probe(env->arena, err, &l->host)) < 0)
		return r;
	if ((r = resolve_cgroup(l, err)) < 0)
		return r;
	if (mode != LAUNCH_PLAN && (r = resctrl_use_resolve(l->spec, o->id, err, &l->resctrl)) < 0)
		return r;
	return compile(l, err);
}
