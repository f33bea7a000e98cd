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
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/phases.h"
#include "libcontainer/exec/exec_init.h"
#include "libcontainer/exec/exec_process.h"
#include "libcontainer/launch/compile.h"
#include "libcontainer/launch/launch.h"
#include "libcontainer/launch/pid_file.h"
#include "libcontainer/launch/pidfd_socket.h"
#include "libcontainer/launch/preserved_fds.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/process/exe_guard.h"
#include "libcontainer/process/stdio.h"
#include "libcontainer/stage/listener.h"
#include "libcontainer/stage/tty.h"

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

/* 1, 0, or -errno with err: until its execve, and while a created one waits for start. */
static int
init_is_runtime(pid_t pid, struct err *err)
{
	int r = state_init_has_name(pid, STATE_NAME_INIT, err);

	return r != 0 ? r : state_init_has_name(pid, STATE_NAME_WAIT, err);
}

/* *ret_half_made: it is not finished, or somebody else is about to finish it. */
static int
load(struct exec *exec, bool lock, struct err *err, bool *ret_half_made)
{
	struct spec_report report = { 0 };
	struct state_dir dir;
	int r = state_open(exec->env->root, exec->options->id, lock, exec->env->arena, err, &dir);

	if (r < 0)
		return r;
	r = state_load_status(&dir, exec->options->id, exec->env->arena, err, &exec->state, &exec->status);
	if (r == 0 && exec->status == STATUS_STOPPED)
		r = not_running(exec->options->id, err);
	if (r == 0 && !lock)
		r = exec->status == STATUS_CREATING ? 1 : init_is_runtime(exec->state->pid, err);
	*ret_half_made = r > 0;
	if (r == 0)
		r = spec_load(dir.path, /* config_path= */ NULL, exec->env->arena, &report, err, &exec->spec);
	state_close(&dir);
	return r < 0 ? r : 0;
}

static int
check_status(const struct exec *exec, struct err *err)
{
	switch (exec->status) {
	case STATUS_CREATED:
	case STATUS_RUNNING:
		return 0;
	case STATUS_PAUSED:
		if (exec->options->ignore_paused)
			return 0;
		return err_plain(err, "cannot exec in a paused container (use --ignore-paused to override): \"%s\"",
				 exec->options->id);
	case STATUS_CREATING:
	case STATUS_STOPPED:
		break;
	}
	return not_running(exec->options->id, err);
}

static int
find_container(struct exec *exec, struct err *err)
{
	bool half_made;
	int r = load(exec, /* lock= */ false, err, &half_made);

	if (r == 0 && half_made)
		r = load(exec, /* lock= */ true, err, &half_made);
	if (r == 0)
		r = check_status(exec, err);
	if (r == 0)
		r = exec_init_find(exec->state, exec->spec, err, &exec->init);
	if (r == -ESRCH && !err->msg[0])
		r = not_running(exec->options->id, err);
	if (r == 0)
		r = exec_init_cgroup(exec->state, exec->options->cgroup, exec->env->arena, err, &exec->cgroup);
	return r;
}

/* ---- the process ----------------------------------------------------- */

static int
check_console(const struct exec *exec, struct err *err)
{
	const struct container_exec_options *o = exec->options;
	bool terminal = exec->spec->process->terminal;

	if (terminal && o->detach && !o->console_socket)
		return err_plain(err, "a terminal needs --console-socket unless knarr stays in the foreground");
	if (o->console_socket && (!terminal || !o->detach))
		return err_plain(err, "--console-socket: only with a terminal (--tty) and --detach");
	return 0;
}

static int
make_process(struct exec *exec, struct err *err)
{
	int r = exec_process_make(exec->spec->process, exec->options, exec->env->arena, err, &exec->spec->process);

	if (r == 0)
		r = check_console(exec, err);
	return r;
}

static int
compile(struct exec *exec, struct err *err)
{
	struct arena *a = exec->env->arena;
	struct plan_builder b;
	struct compile_options o = {
		.id = exec->options->id,
		.no_new_keyring = exec->state->no_new_keyring,
		.has_cgroup = exec->cgroup.path != NULL,
		.keep_fds = exec->options->preserve_fds,
	};
	int r;

	plan_begin(&b, a);
	r = compile_exec(&b, exec->spec, &exec->host, &o, exec->init.enter_flags, exec->init.deny_setgroups, err);
	if (r == 0 && !exec->options->detach)
		tty_plan_foreground(&b);
	if (r == 0)
		r = plan_seal(&b, err, &exec->plan);
	if (r == 0 && phases_are_noted())
		phases_name_steps(plan_step_lines(exec->plan, a), exec->plan->n_steps);
	return r;
}

/* ---- running it ------------------------------------------------------ */

static int
take_console(struct exec *exec, int *fd, struct err *err)
{
	if (!exec->options->console_socket) {
		exec->console_master = fd_take(fd);
		return 0;
	}
	return tty_send_to_socket(exec->options->console_socket, *fd, err);
}

static int
take_process(struct exec *exec, struct err *err)
{
	int r = 0;

	log_debug("container '%s': process %d is in it", exec->options->id, (int)exec->stage.pid);
	if (exec->options->pidfd_socket)
		r = pidfd_socket_send("--pidfd-socket", exec->options->pidfd_socket, "setns", exec->stage.pidfd, err);
	return r == 0 && exec->stage.waits ? stage_continue(&exec->stage, err) : r;
}

static int
serve(struct exec *exec, struct err *err)
{
	enum stage_message message = STAGE_NONE;

	while (message != STAGE_EXECED) {
		auto_close int fd = -1;
		int r = stage_next(&exec->stage, exec->plan, err, &message, &fd);

		if (r == 0 && message == STAGE_CONSOLE)
			r = take_console(exec, &fd, err);
		if (r == 0 && message == STAGE_BORN)
			r = take_process(exec, err);
		if (r == 0 && message == STAGE_LISTENER)
			r = listener_send(exec->spec->linux_.seccomp,
					  launch_state_json(exec->env->arena, exec->state, "running", exec->state->pid),
					  exec->stage.pid, fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
start(struct exec *exec, struct err *err)
{
	struct stage_options o = {
		.cgroup_fd = exec->cgroup.fd,
		.resctrl = &exec->resctrl,
		.start_fd = -1,
		.init_pidfd = exec->init.pidfd,
		.root_fd = exec->init.root_fd,
		.may_trace = exec->host.capabilities >> CAP_SYS_PTRACE & 1,
	};
	int r;

	phases_enter("make the process");
	r = stdio_give(exec->plan, exec->state->pid, err);
	if (r == 0)
		r = stage_spawn(exec->plan, &o, err, &exec->stage);
	phases_enter("wait while it is set up");
	if (r == 0)
		r = serve(exec, err);
	if (r == 0 && exec->options->pid_file)
		r = pid_file_write(exec->options->pid_file, exec->stage.pid, err);
	if (r < 0) {
		stage_kill(&exec->stage);
		/* Who kills a container kills the process, too, maybe before the init. */
		if (exec_init_ended(&exec->init, exec->state, r == -ECHILD ? KILLED_TIMEOUT_MS : 0))
			r = not_running(exec->options->id, err);
	}
	return r;
}

static int
prepare(struct exec *exec, struct err *err)
{
	int r;

	phases_enter("look at the host and the container");
	r = host_probe_process(err, &exec->host);
	/* Before all that it would lose if it has to execute the runtime anew. An
	 * unprivileged user cannot wait with it until the process is in the container's
	 * user namespace: the container would see it before. */
	if (r == 0)
		r = exe_guard_prepare(exec->host.privileged, /* in_new_userns= */ false, err);
	if (r == 0)
		r = find_container(exec, err);
	if (r == 0)
		r = resctrl_use_open(exec->state, err, &exec->resctrl);
	if (r == 0)
		r = make_process(exec, err);
	phases_enter("compile the plan");
	return r < 0 ? r : compile(exec, err);
}

/* Nothing is left to do after the end of the process, whose uid may be any. */
static int
relay(const struct exec *exec, struct err *err, int *ret_exit)
{
	const struct restrain_options restraint = { .capabilities = RESTRAIN_CAPABILITY(CAP_KILL) };

	phases_enter("the program runs");
	return tty_relay(exec->stage.pidfd, exec->stage.pid, exec->console_master, /* notify= */ NULL,
			 /* watch= */ NULL, &restraint, err, ret_exit);
}

static void
finish(struct exec *exec)
{
	stage_close(&exec->stage);
	fd_close(exec->console_master);
	fd_close(exec->cgroup.fd);
	fd_close(exec->resctrl.root_fd);
	fd_close(exec->init.pidfd);
	fd_close(exec->init.root_fd);
	plan_free(exec->plan);
}

int
container_exec(const struct container_env *env, const struct container_exec_options *options, struct err *err,
	       int *ret_exit)
{
	struct exec e = {
		.env = env,
		.options = options,
		.init = { .pidfd = -1, .root_fd = -1 },
		.cgroup.fd = -1,
		.resctrl.root_fd = -1,
		.stage = { .pidfd = -1, .channel = -1, .status_fd = -1 },
		.console_master = -1,
	};
	sigset_t old;
	int r;

	if (!options->detach)
		tty_block_signals(&old);
	r = preserved_fds_reserve(options->preserve_fds, err);
	if (r == 0)
		r = prepare(&e, err);
	if (r == 0)
		r = start(&e, err);
	if (r == 0 && options->detach)
		*ret_exit = 0;
	else if (r == 0)
		r = relay(&e, err, ret_exit);
	phases_enter("tidy up");
	finish(&e);
	return r;
}
