/* Theory of operation: exec shares the plan, the stage and the executor with run.
 * The process is described by a file or by the container's own config with a few
 * changes; the plan is compiled from that and from the saved config (seccomp,
 * namespaces); knarr:[join] brings it into the container.
 *
 * exec holds no lock: it changes nothing in the state, may last as long as the
 * container, and poststart hooks, which run while create or start hold the lock,
 * may call it. It waits for the lock only while the init still is a process of
 * the runtime, because a container that is half made may show the host's files.
 *
 * The container may end at any moment. Whatever error that gives, from the kernel
 * or from a process that was killed, is then told as "container not running". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/compile.h"
#include "libcontainer/exe_guard.h"
#include "libcontainer/exec_init.h"
#include "libcontainer/exec_process.h"
#include "libcontainer/launch.h"
#include "libcontainer/listener.h"
#include "libcontainer/pid_file.h"
#include "libcontainer/pidfd_socket.h"
#include "libcontainer/preserved_fds.h"
#include "libcontainer/resctrl_use.h"
#include "libcontainer/tty.h"

/* How long the end of the init is awaited when the process was killed. */
#define KILLED_TIMEOUT_MS 500

struct exec {
	const struct container_env *env;
	const struct container_exec_options *options;
	struct host host;
	struct state *state;
	enum container_status status;
	struct spec *spec;
	struct exec_init init;
	struct cgroup cgroup;
	struct resctrl resctrl;
	struct plan *plan;
	struct stage stage;
	int console_master;
};

/* ---- the container --------------------------------------------------- */

static int
not_running(const char *id, struct err *err)
{
	/* containerd and Docker look for these words. */
	err_plain(err, "cannot exec in a stopped container: container not running: \"%s\"", id);
	return -ESRCH;
}

/* Until its execve, and while a created one waits for start. */
static bool
init_is_runtime(pid_t pid)
{
	return state_process_has_name(pid, STAGE_NAME_INIT) || state_process_has_name(pid, STAGE_NAME_WAIT);
}

/* *ret_half_made: it is not finished, or somebody else is about to finish it. */
static int
load(struct exec *e, bool lock, struct err *err, bool *ret_half_made)
{
	struct spec_report report = { 0 };
	struct state_dir dir;
	int r = state_open(e->env->root, e->options->id, lock, e->env->arena, err, &dir);

	if (r < 0)
		return r;
	r = state_load(&dir, e->options->id, e->env->arena, err, &e->state);
	if (r == 0 && (e->status = state_dir_status(&dir, e->state)) == STATUS_STOPPED)
		r = not_running(e->options->id, err);
	*ret_half_made = r == 0 && !lock && (e->state->pid <= 0 || init_is_runtime(e->state->pid));
	if (r == 0 && !*ret_half_made)
		r = spec_load(dir.path, /* config_path= */ NULL, e->env->arena, &report, err, &e->spec);
	state_close(&dir);
	return r;
}

static int
check_status(const struct exec *e, struct err *err)
{
	switch (e->status) {
	case STATUS_CREATED:
	case STATUS_RUNNING:
		return 0;
	case STATUS_PAUSED:
		if (e->options->ignore_paused)
			return 0;
		return err_plain(err, "cannot exec in a paused container (use --ignore-paused to override): \"%s\"",
				 e->options->id);
	case STATUS_CREATING:
	case STATUS_STOPPED:
		break;
	}
	return not_running(e->options->id, err);
}

static int
find_container(struct exec *e, struct err *err)
{
	bool half_made;
	int r = load(e, /* lock= */ false, err, &half_made);

	if (r == 0 && half_made)
		r = load(e, /* lock= */ true, err, &half_made);
	if (r == 0)
		r = check_status(e, err);
	if (r == 0)
		r = exec_init_find(e->state, e->spec, err, &e->init);
	if (r == -ESRCH && !err->msg[0])
		r = not_running(e->options->id, err);
	if (r == 0)
		r = exec_init_cgroup(e->state, e->options->cgroup, e->env->arena, err, &e->cgroup);
	return r;
}

/* ---- the process ----------------------------------------------------- */

static int
check_console(const struct exec *e, struct err *err)
{
	const struct container_exec_options *o = e->options;
	bool terminal = e->spec->process->terminal;

	if (terminal && o->detach && !o->console_socket)
		return err_plain(err, "a terminal needs --console-socket when knarr does not stay in the foreground");
	if (o->console_socket && (!terminal || !o->detach))
		return err_plain(err, "--console-socket: only with a terminal (--tty) and --detach");
	return 0;
}

static int
make_process(struct exec *e, struct err *err)
{
	int r = exec_process_make(e->spec->process, e->options, e->env->arena, err, &e->spec->process);

	if (r == 0)
		r = check_console(e, err);
	return r;
}

static int
compile(struct exec *e, struct err *err)
{
	struct arena *a = e->env->arena;
	struct plan_builder b;
	struct compile_options o = {
		.id = e->options->id,
		.no_new_keyring = e->state->no_new_keyring,
		.has_cgroup = e->cgroup.path != NULL,
		.keep_fds = e->options->preserve_fds,
		.seccomp_cache = arena_printf(a, "%s/@seccomp", e->env->root),
	};
	int r;

	plan_begin(&b, a);
	r = compile_exec(&b, e->spec, &e->host, &o, e->init.enter_flags, e->init.deny_setgroups, err);
	if (r == 0 && !e->options->detach)
		tty_plan_size(&b);
	return r < 0 ? r : plan_seal(&b, err, &e->plan);
}

/* ---- running it ------------------------------------------------------ */

static int
take_console(struct exec *e, int *fd, struct err *err)
{
	if (!e->options->console_socket) {
		e->console_master = fd_take(fd);
		return 0;
	}
	return tty_send_to_socket(e->options->console_socket, *fd, err);
}

static int
serve(struct exec *e, struct err *err)
{
	enum stage_message message = STAGE_NONE;

	while (message != STAGE_EXECED) {
		auto_close int fd = -1;
		int r = stage_next(&e->stage, e->plan, err, &message, &fd);

		if (r == 0 && message == STAGE_CONSOLE)
			r = take_console(e, &fd, err);
		if (r == 0 && message == STAGE_LISTENER)
			r = listener_send(e->spec->linux_.seccomp,
					  launch_state_json(e->env->arena, e->state, "running", e->state->pid),
					  e->stage.pid, fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
start(struct exec *e, struct err *err)
{
	struct stage_options o = {
		.cgroup_fd = e->cgroup.fd,
		.resctrl = &e->resctrl,
		.start_fd = -1,
		.init_pidfd = e->init.pidfd,
		.root_fd = e->init.root_fd,
	};
	int r = stage_spawn(e->plan, &o, err, &e->stage);

	if (r == 0)
		log_debug("container '%s': process %d runs a plan of %u steps in it", e->options->id, (int)e->stage.pid,
			  e->plan->n_steps);
	if (r == 0 && e->options->pidfd_socket)
		r = pidfd_socket_send("--pidfd-socket", e->options->pidfd_socket, "setns", e->stage.pidfd, err);
	if (r == 0)
		r = serve(e, err);
	if (r == 0 && e->options->pid_file)
		r = pid_file_write(e->options->pid_file, e->stage.pid, err);
	if (r < 0) {
		stage_kill(&e->stage);
		/* Who kills a container kills the process, too, maybe before the init. */
		if (exec_init_ended(&e->init, e->state, r == -ECHILD ? KILLED_TIMEOUT_MS : 0))
			r = not_running(e->options->id, err);
	}
	return r;
}

static int
prepare(struct exec *e, struct err *err)
{
	int r = host_probe_process(err, &e->host);

	/* Before all that it would lose if it has to execute the runtime anew. An
	 * ordinary user cannot wait with it until the process is in the container's
	 * user namespace: the container would see it before. */
	if (r == 0)
		r = exe_guard_prepare(e->host.privileged, /* in_new_userns= */ false, err);
	if (r == 0)
		r = find_container(e, err);
	if (r == 0)
		r = resctrl_use_open(e->state, err, &e->resctrl);
	if (r == 0)
		r = make_process(e, err);
	return r < 0 ? r : compile(e, err);
}

static void
finish(struct exec *e)
{
	stage_close(&e->stage);
	fd_close(e->console_master);
	fd_close(e->cgroup.fd);
	fd_close(e->resctrl.root_fd);
	fd_close(e->init.pidfd);
	fd_close(e->init.root_fd);
	plan_free(e->plan);
}

int
container_exec(const struct container_env *env, const struct container_exec_options *o, struct err *err, int *ret_exit)
{
	struct exec e = {
		.env = env,
		.options = o,
		.init = { .pidfd = -1, .root_fd = -1 },
		.cgroup.fd = -1,
		.resctrl.root_fd = -1,
		.stage = { .pidfd = -1, .channel = -1, .status_fd = -1 },
		.console_master = -1,
	};
	sigset_t old;
	int r;

	if (!o->detach)
		tty_block_signals(&old);
	r = preserved_fds_reserve(o->preserve_fds, err);
	if (r == 0)
		r = prepare(&e, err);
	if (r == 0)
		r = start(&e, err);
	if (r == 0 && o->detach)
		*ret_exit = 0;
	else if (r == 0)
		r = tty_relay(e.stage.pidfd, e.stage.pid, e.console_master, /* notify= */ NULL, /* watch= */ NULL, err,
			      ret_exit);
	finish(&e);
	return r;
}
