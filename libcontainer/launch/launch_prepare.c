/* The first half of a launch: from the bundle to a sealed plan.
 *
 * The bundle is found and config.json parsed and checked, the host is asked, the
 * cgroup's path is resolved, and all of it compiled into a plan. Nothing outside of
 * the process changes here, so whatever is wrong with the config, the command line
 * or the host costs nothing: there is nothing to be undone. `knarr plan` ends here.
 *
 * The order of the checks is the order in which a caller wants to hear of
 * mistakes: the command line, the config, then the host. */
#include "libcontainer/launch/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/phases.h"
#include "libcontainer/launch/compile.h"
#include "libcontainer/launch/preserved_fds.h"
#include "libcontainer/stage/tty.h"
#include "oci-spec/annotations.h"

static int
find_bundle(struct launch *launch, struct err *err)
{
	char path[PATH_MAX];
	const char *bundle = launch->options->bundle ? launch->options->bundle : ".";

	if (realpath(bundle, path))
		launch->bundle = arena_strdup(launch->env->arena, path);
	else if (launch->options->sink) /* a file may be checked without one */
		launch->bundle = bundle;
	else
		return err_set(err, errno, "bundle '%s'", bundle);
	return 0;
}

static int
load_spec(struct launch *launch, struct err *err)
{
	struct spec_report own = { 0 }, *report = launch->options->report ? launch->options->report : &own;
	int r = spec_load_new(launch->bundle, launch->options->config, launch->env->arena, report, err, &launch->spec);

	for (size_t i = 0; r == 0 && !launch->options->sink && i < report->n; i++) {
		const char *text = spec_issue_log_text(launch->env->arena, launch->spec->file, &report->items[i]);

		if (report->items[i].severity == SPEC_WARNING)
			log_warning("%s", text);
		else if (report->items[i].severity == SPEC_ADVICE)
			log_advice("%s", text);
	}
	return r;
}

static int
check_console(const struct launch *launch, struct err *err)
{
	const struct container_create_options *o = launch->options;
	bool terminal = launch->spec->process && launch->spec->process->terminal;
	bool detached = launch->mode == LAUNCH_CREATE || o->detach;

	if (terminal && detached && !o->console_socket)
		return err_plain(err, "process.terminal: true needs --console-socket unless knarr stays in the "
				      "foreground");
	if (o->console_socket && !terminal)
		return err_plain(err, "--console-socket: process.terminal is false in the config");
	if (o->console_socket && !detached)
		return err_plain(err, "--console-socket: only with create or run --detach");
	return 0;
}

/* Who writes annotations is not always who may do all that root may: an author of a pod, say. What
 * an unprivileged user, or root of a user namespace, runs can do no more than they. */
static int
check_annotations(const struct launch *launch, struct err *err)
{
	const char *name = annotation_first_reaching(&launch->spec->annotations);

	if (!name || launch->env->allow_annotations || launch->host.euid != 0 || launch->host.in_userns)
		return 0;
	return err_hand_over(launch->options->sink, err,
			     err_plain(err,
				       "annotations[\"%s\"]: it reaches the host; for a container of root it takes "
				       "--allow-annotations=all",
				       name));
}

static int
resolve_cgroup(struct launch *launch, struct err *err)
{
	struct arena *a = launch->env->arena;
	struct err_sink *sink = launch->options->sink;
	int r = err_hand_over(sink, err, cgroup_compile(&launch->cgroup, launch->spec, a, err));

	if (r == 0)
		r = cgroup_resolve(&launch->host, launch->env->cgroup_manager, launch->spec, launch->options->id, a,
				   err, &launch->cgroup);
	r = err_hand_over(sink, err, r);
	/* A plan for people is made for any host. */
	if (r == 0 && launch->mode != LAUNCH_PLAN)
		r = cgroup_locate(&launch->cgroup, a, err);
	if (r == 0 && launch->mode != LAUNCH_PLAN)
		r = cgroup_check(&launch->cgroup, err);
	return r;
}

/* The limits are not part of what the init does; they are shown with it. */
static void
describe_cgroup(const struct launch *launch, struct plan_builder *b)
{
	const char **lines;
	size_t n = cgroup_describe(&launch->cgroup, launch->spec, launch->env->arena, &lines);

	b->spawn.cgroup = plan_strings(b, lines, n);
}

static int
compile(struct launch *launch, struct err *err)
{
	struct arena *a = launch->env->arena;
	struct plan_builder b;
	struct compile_options o = {
		.id = launch->options->id,
		.rootfs = { .bundle = launch->bundle,
			    .layers = launch->options->layers,
			    .no_pivot = launch->options->no_pivot,
			    .sink = launch->options->sink },
		/* A config without a process is good for create. */
		.is_create = launch->mode == LAUNCH_CREATE || launch->options->sink,
		.no_new_keyring = launch->options->no_new_keyring,
		.has_cgroup = launch->cgroup.path != NULL,
		.listen_fds = preserved_fds_from_environment(),
		.subid_dir = launch->no_subids ? NULL : "/etc",
	};
	int r;

	o.keep_fds = launch->options->preserve_fds + o.listen_fds;
	if (launch->notify_host)
		o.notify_dir = notify_socket_dir(a, arena_printf(a, "%s/%s", launch->env->root, launch->options->id));
	if (launch->cgroup.path)
		o.rootfs.cgroup = arena_printf(a, "%s%s", launch->cgroup.mount, launch->cgroup.path);
	plan_begin(&b, a);
	r = compile_init(&b, launch->spec, &launch->host, &o, err);
	if (r == 0 && launch->mode == LAUNCH_RUN && !launch->options->detach)
		tty_plan_foreground(&b);
	if (r == 0 && launch->mode == LAUNCH_PLAN && launch->cgroup.path)
		describe_cgroup(launch, &b);
	if (r == 0)
		r = plan_seal(&b, err, &launch->plan);
	if (r == 0 && phases_are_noted())
		phases_name_steps(plan_step_lines(launch->plan, a), launch->plan->n_steps);
	if (r == 0)
		log_debug("bundle '%s': a plan of %u steps, %zu bytes", launch->bundle, launch->plan->n_steps,
			  launch->plan->size);
	return r;
}

static void
launch_init(struct launch *launch, const struct container_env *env, const struct container_create_options *options,
	    enum launch_mode mode)
{
	*launch = (struct launch){
		.env = env,
		.options = options,
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
launch_prepare(struct launch *launch, const struct container_env *env, const struct container_create_options *options,
	       enum launch_mode mode, const struct host *host, struct err *err)
{
	int r;

	launch_init(launch, env, options, mode);
	if (host) {
		launch->host = *host;
		launch->no_subids = true;
	}
	if ((r = state_check_id(options->id, err)) < 0)
		return r;
	if (mode != LAUNCH_PLAN &&
	    (r = preserved_fds_reserve(options->preserve_fds + preserved_fds_from_environment(), err)) < 0)
		return r;
	if ((r = find_bundle(launch, err)) < 0)
		return r;
	phases_enter("read and check the config");
	if ((r = load_spec(launch, err)) < 0)
		return r;
	phases_enter("look at the host and the cgroup");
	/* Without a mount namespace there is no place to show it in. */
	if (mode != LAUNCH_PLAN && launch->spec->linux_.namespaces[NS_MOUNT].listed)
		launch->notify_host = notify_socket_host();
	if (mode != LAUNCH_PLAN && (r = check_console(launch, err)) < 0)
		return r;
	if (!host && (r = host_probe(env->arena, err, &launch->host)) < 0)
		return r;
	if ((r = check_annotations(launch, err)) < 0)
		return r;
	if ((r = resolve_cgroup(launch, err)) < 0)
		return r;
	if (mode != LAUNCH_PLAN && (r = resctrl_use_resolve(launch->spec, options->id, err, &launch->resctrl)) < 0)
		return r;
	phases_enter("compile the plan");
	return compile(launch, err);
}
