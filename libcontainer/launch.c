/* Theory of operation: see launch.h.
 *
 * What can fail because of the config fails in launch_prepare(), before anything
 * outside was touched. What launch_go() makes is recorded in struct launch as
 * soon as it exists, so that launch_undo() takes back exactly that, in reverse. */
#include "libcontainer/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/compile.h"
#include "libcontainer/exe_guard.h"
#include "libcontainer/hooks.h"
#include "libcontainer/listener.h"
#include "libcontainer/pid_file.h"
#include "libcontainer/pidfd_socket.h"
#include "libcontainer/preserved_fds.h"
#include "libcontainer/tty.h"
#include "namespaces/idmap.h"
#include "oci-spec/annotations.h"
#include "oci-spec/documents.h"

/* ---- preparing ------------------------------------------------------- */

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
			log_warning("%s", spec_issue_format(l->env->arena, l->spec->file, &report->items[i]));
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
	int r;

	/* CRIU makes the processes where they shall be; systemd would have to put them there. */
	if (l->mode == LAUNCH_RESTORE && l->env->cgroup_manager == CGROUP_SYSTEMD)
		return err_plain(err, "restore: a container cannot be restored into a scope of systemd "
				      "(hint: --cgroup-manager=cgroupfs)");
	r = cgroup_resolve(&l->host, l->env->cgroup_manager, l->spec, l->options->id, l->env->arena, err, &l->cgroup);

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

/* ---- going ----------------------------------------------------------- */

char *
launch_state_json(struct arena *a, const struct state *s, const char *status, pid_t pid)
{
	struct state_document doc = {
		.id = s->id, .status = status, .bundle = s->bundle, .pid = pid, .annotations = &s->annotations
	};

	return document_state(a, &doc, /* pretty= */ false);
}

static void
fill_state(struct launch *l)
{
	struct arena *a = l->env->arena;
	const char *root = l->spec->root->path;
	time_t now = time(NULL);
	char created[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	l->state = (struct state){
		.id = arena_strdup(a, l->options->id),
		.bundle = arena_strdup(a, l->bundle),
		.rootfs = root[0] == '/' ? arena_strdup(a, root) : arena_printf(a, "%s/%s", l->bundle, root),
		.oci_version = arena_strdup(a, OCI_VERSION),
		.cgroup_mount = l->cgroup.mount,
		.cgroup_path = l->cgroup.unit ? NULL : l->cgroup.path, /* see make_scope() */
		.rootless = !l->host.privileged,
		.no_new_keyring = l->options->no_new_keyring,
		.owner = l->host.euid,
		.created = arena_strdup(a, created),
		.annotations = l->spec->annotations,
	};
	l->state.has_poststart = l->spec->hooks.poststart.n > 0;
	l->state.has_poststop = l->spec->hooks.poststop.n > 0;
	l->state.has_listener = l->spec->linux_.seccomp && l->spec->linux_.seccomp->listener_path;
}

/* `start` binds the socket of a created container: it is the one that waits. */
static int
make_notify(struct launch *l, struct err *err)
{
	int r = notify_socket_make_dir(l->dir.fd, err);

	if (r == 0 && l->mode != LAUNCH_CREATE)
		r = notify_socket_open(l->dir.fd, l->notify_host, err, &l->notify);
	return r;
}

/* The state is on disk before anything else exists: whoever kills the runtime
 * now can still have all of it removed by `delete --force`. */
static int
make_state(struct launch *l, struct err *err)
{
	int r = state_create(l->env->root, l->options->id, l->env->arena, err, &l->dir);

	if (r < 0) {
		l->dir.fd = -1;
		return r;
	}
	fill_state(l);
	l->state.cgroup_made = cgroup_count_missing(&l->cgroup);
	resctrl_use_save(&l->resctrl, l->env->arena, &l->state);
	r = state_save(&l->dir, &l->state, err);
	if (r < 0)
		return r;
	r = fd_replace_file_at(l->dir.fd, "config.json", l->spec->json, l->spec->json_len, 0600);
	if (r < 0)
		return err_set(err, -r, "write config.json in the state directory '%s'", l->dir.path);
	if (l->notify_host && (r = make_notify(l, err)) < 0)
		return r;
	return l->mode == LAUNCH_CREATE ? stage_listen(l->dir.fd, err, &l->start_fd) : 0;
}

/* An ordinary user owns what he makes, and can give nothing away: then a program
 * with another id than his cannot make cgroups. */
static int
delegate_cgroup(struct launch *l, struct err *err)
{
	uid_t uid = l->spec->process ? l->spec->process->user.uid : 0;
	int r;

	if (!cgroup_is_delegated(l->spec))
		return 0;
	r = idmap_host_uid(l->plan, uid, err, &uid);
	if (r == 0)
		r = cgroup_delegate(&l->cgroup, uid, err);
	if (r == -EPERM && !l->host.privileged) {
		log_debug("the container's cgroup stays with uid %u: %s", l->host.euid, err->msg);
		err_clear(err);
		return 0;
	}
	return r;
}

static int
make_cgroup(struct launch *l, struct err *err)
{
	int r;

	if (!l->cgroup.path)
		return 0;
	r = cgroup_create(&l->cgroup, l->spec, err);
	if (r < 0)
		return r;
	l->has_cgroup = true;
	r = cgroup_apply(&l->cgroup, l->spec, err);
	return r < 0 ? r : delegate_cgroup(l, err);
}

int
launch_run_create_hooks(struct launch *l, struct err *err)
{
	const struct spec_hooks *h = &l->spec->hooks;
	char *json = launch_state_json(l->env->arena, &l->state, "creating", l->stage.pid);
	int r;

	l->hooks_ran = true;
	r = hooks_run("prestart", &h->prestart, l->bundle, json, &l->spec->annotations, l->stage.pidfd,
		      /* keep_going= */ false, err);
	if (r == 0)
		r = hooks_run("createRuntime", &h->create_runtime, l->bundle, json, &l->spec->annotations,
			      l->stage.pidfd,
			      /* keep_going= */ false, err);
	return r;
}

static int
answer_hooks(struct launch *l, struct err *err)
{
	int r = launch_run_create_hooks(l, err);

	return r < 0 ? r : stage_reply(&l->stage, STAGE_HOOKS_DONE, err);
}

int
launch_take_console(struct launch *l, int *fd, struct err *err)
{
	if (!l->options->console_socket) {
		l->console_master = fd_take(fd);
		return 0;
	}
	return tty_send_to_socket(l->options->console_socket, *fd, err);
}

/* Serves the init until `end`. */
static int
serve(struct launch *l, enum stage_message end, struct err *err)
{
	enum stage_message message = STAGE_NONE;

	while (message != end) {
		auto_close int fd = -1;
		int r = stage_next(&l->stage, l->plan, err, &message, &fd);

		if (r == 0 && message == STAGE_HOOKS)
			r = answer_hooks(l, err);
		if (r == 0 && message == STAGE_CONSOLE)
			r = launch_take_console(l, &fd, err);
		if (r == 0 && message == STAGE_LISTENER)
			r = listener_send(l->spec->linux_.seccomp,
					  launch_state_json(l->env->arena, &l->state, "creating", l->stage.pid),
					  l->stage.pid, fd, err);
		if (r == 0 && message == STAGE_EXECED && end != STAGE_EXECED)
			r = err_plain(err, "the container's init ended while it was being set up");
		if (r < 0)
			return r;
	}
	return 0;
}

int
launch_save_pid(struct launch *l, struct err *err)
{
	l->state.pid = l->stage.pid;
	l->state.pid_start_time = state_pid_start_time(l->stage.pid);
	l->state.started = l->mode != LAUNCH_CREATE;
	l->state.cgroup_made = l->cgroup.made;
	return state_save(&l->dir, &l->state, err);
}

int
launch_write_pid_file(struct launch *l, struct err *err)
{
	int r = l->options->pid_file ? pid_file_write(l->options->pid_file, l->stage.pid, err) : 0;

	l->has_pid_file = l->options->pid_file && r == 0;
	return r;
}

int
launch_make_places(struct launch *l, struct err *err)
{
	int r = make_state(l, err);

	return r < 0 || l->cgroup.unit ? r : make_cgroup(l, err);
}

/* What annotations ask for and the init is given as a descriptor. */
static int
open_extras(const struct launch *l, struct stage_options *o, struct err *err)
{
	const struct spec_pairs *annotations = &l->spec->annotations;
	const char *sub = annotation_get(annotations, ANNOTATION_DELEGATE_CGROUP);
	int r = hooks_open_output(annotations, ANNOTATION_HOOKS_STDOUT, err, &o->hook_stdout);

	if (r == 0)
		r = hooks_open_output(annotations, ANNOTATION_HOOKS_STDERR, err, &o->hook_stderr);
	if (r == 0 && sub && l->has_cgroup) {
		r = cgroup_make_sub(&l->cgroup, sub, err);
		o->cgroup_procs = r;
	} else if (r == 0 && sub) {
		log_warning("the annotation " ANNOTATION_DELEGATE_CGROUP
			    " has no effect: it needs a cgroup made without systemd");
	}
	return r < 0 ? r : 0;
}

static void
close_extras(const struct stage_options *o)
{
	const int fds[] = { o->hook_stdout, o->hook_stderr, o->cgroup_procs };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] > 0)
			fd_close(fds[i]);
}

static int
spawn(struct launch *l, struct err *err)
{
	struct stage_options o = {
		.cgroup_fd = l->has_cgroup ? l->cgroup.fd : -1,
		.start_fd = l->start_fd,
		.resctrl = &l->resctrl,
		.hold = l->cgroup.unit != NULL,
		/* Hiding the executable needs a capability that an ordinary user
		 * has only in the new user namespace. */
		.guard_in_child = !l->host.privileged,
		/* Only a CAP_SYS_PTRACE of the host looks into such a process, which
		 * hooks need as well; in a user namespace of its own the change of
		 * ids has that effect, and the init writes to its own /proc before. */
		.not_dumpable = (l->host.capabilities >> CAP_SYS_PTRACE & 1) && !l->host.in_userns &&
				!l->spec->linux_.namespaces[SPEC_NS_USER].listed,
	};
	int r = open_extras(l, &o, err);

	if (r == 0)
		r = stage_spawn(l->plan, &o, err, &l->stage);
	close_extras(&o);
	if (r == 0)
		log_debug("container '%s': its init is process %d, its cgroup '%s'", l->options->id, (int)l->stage.pid,
			  l->cgroup.path ? l->cgroup.path : "that of the runtime");
	return r;
}

/* runc's word for the first process; it calls that of exec "setns". */
int
launch_send_pidfd(const struct launch *l, struct err *err)
{
	const char *path = l->options->pidfd_socket;
	const char *receiver = annotation_get(&l->spec->annotations, ANNOTATION_PIDFD_RECEIVER);
	int r = path ? pidfd_socket_send("--pidfd-socket", path, "standard", l->stage.pidfd, err) : 0;

	if (r == 0 && receiver)
		r = pidfd_socket_send("annotation " ANNOTATION_PIDFD_RECEIVER, receiver, "standard", l->stage.pidfd,
				      err);
	return r;
}

/* systemd makes a scope around a process, so this one comes after the init. Until it
 * is there nothing is the container's: a unit of that name may be somebody else's. One
 * that is half made ends by itself, with the init. */
static int
make_scope(struct launch *l, struct err *err)
{
	int r = cgroup_start_scope(&l->cgroup, l->spec, l->options->id, l->stage.pid, err);

	if (r < 0)
		return r;
	l->has_cgroup = true;
	l->state.cgroup_path = l->cgroup.path;
	l->state.systemd_unit = l->cgroup.unit;
	l->state.systemd_user = l->cgroup.user_manager;
	return make_cgroup(l, err);
}

static int
make_all(struct launch *l, struct err *err)
{
	int r;

	/* It may execute the runtime anew, so it comes before all that would be lost. */
	if ((r = exe_guard_prepare(l->host.privileged, l->plan->stage.clone_flags & CLONE_NEWUSER, err)) < 0)
		return r;
	if ((r = launch_make_places(l, err)) < 0)
		return r;
	if ((r = resctrl_use_make(&l->resctrl, l->spec, err)) < 0)
		return r;
	if ((r = spawn(l, err)) < 0)
		return r;
	if (l->cgroup.unit && (r = make_scope(l, err)) < 0)
		return r;
	if ((r = launch_save_pid(l, err)) < 0)
		return r;
	if (l->cgroup.unit && (r = stage_release(&l->stage, err)) < 0)
		return r;
	if ((r = launch_send_pidfd(l, err)) < 0)
		return r;
	r = serve(l, l->mode == LAUNCH_CREATE ? STAGE_READY : STAGE_EXECED, err);
	if (r == 0)
		r = launch_write_pid_file(l, err);
	if (r == 0)
		stage_settle(&l->stage);
	return r;
}

int
launch_go(struct launch *l, struct err *err)
{
	int r = make_all(l, err);

	if (r < 0 && l->has_cgroup)
		cgroup_add_hint(&l->cgroup, err);
	return r;
}

/* ---- undoing --------------------------------------------------------- */

/* The first error is the one that is told; what fails here is only logged. */
static void
log_failure(int r, const struct err *err)
{
	char text[ERR_MSG_MAX + 128];

	if (r < 0)
		log_warning("while undoing: %s", err_format(err, text, sizeof(text)));
}

void
launch_undo(struct launch *l)
{
	struct err err;

	err_clear(&err);
	stage_kill(&l->stage);
	if (l->has_cgroup) {
		log_failure(cgroup_kill(&l->cgroup, SIGKILL, &err), &err);
		log_failure(cgroup_destroy(&l->cgroup, 5000, &err), &err);
		l->has_cgroup = false;
	}
	log_failure(resctrl_use_undo(&l->resctrl, &err), &err);
	/* runtime.md, lifecycle: a failing hook leads to step 12, and 13 is poststop. */
	if (l->hooks_ran)
		hooks_run("poststop", &l->spec->hooks.poststop, l->bundle,
			  launch_state_json(l->env->arena, &l->state, "stopped", 0), &l->spec->annotations,
			  /* init_pidfd= */ -1,
			  /* keep_going= */ true, &err);
	if (l->dir.fd >= 0)
		log_failure(state_remove(&l->dir, &err), &err);
	l->dir.fd = -1;
	if (l->has_pid_file)
		unlink(l->options->pid_file);
}

void
launch_close(struct launch *l)
{
	stage_close(&l->stage);
	l->start_fd = fd_close(l->start_fd);
	l->console_master = fd_close(l->console_master);
	l->cgroup.fd = fd_close(l->cgroup.fd);
	l->resctrl.root_fd = fd_close(l->resctrl.root_fd);
	if (l->dir.fd >= 0)
		state_close(&l->dir);
	l->dir.fd = -1;
	notify_socket_close(&l->notify);
	plan_free(l->plan);
	l->plan = NULL;
}
