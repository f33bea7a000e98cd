/* The second half of a launch: what launch_prepare() compiled is done. Places on
 * the host (launch_state.c), the init, its requests, and at the end the saved
 * state. What launch_go() makes is recorded in struct launch as soon as it exists,
 * so that launch_undo() takes back exactly that, in reverse. */
#include "libcontainer/launch/launch.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/phases.h"
#include "libcontainer/launch/pidfd_socket.h"
#include "libcontainer/process/exe_guard.h"
#include "libcontainer/process/hooks.h"
#include "libcontainer/stage/listener.h"
#include "libcontainer/stage/tty.h"
#include "oci-spec/annotations.h"
#include "oci-spec/documents.h"

/* ---- going ----------------------------------------------------------- */

char *
launch_state_json(struct arena *a, const struct state *state, const char *status, pid_t pid)
{
	struct state_document doc = { .id = state->id,
				      .status = status,
				      .bundle = state->bundle,
				      .pid = pid,
				      .annotations = &state->annotations };

	return document_state(a, &doc, /* pretty= */ false);
}

int
launch_run_create_hooks(struct launch *launch, struct err *err)
{
	const struct spec_hooks *h = &launch->spec->hooks;
	char *json = launch_state_json(launch->env->arena, &launch->state, "creating", launch->stage.pid);
	int r;

	launch->hooks_ran = true;
	if ((r = hooks_run("prestart", &h->prestart, launch->bundle, json, &launch->spec->annotations,
			   launch->stage.pidfd, /* keep_going= */ false, err)) < 0)
		return r;
	return hooks_run("createRuntime", &h->create_runtime, launch->bundle, json, &launch->spec->annotations,
			 launch->stage.pidfd, /* keep_going= */ false, err);
}

static int
answer_hooks(struct launch *launch, struct err *err)
{
	int r = launch_run_create_hooks(launch, err);

	return r < 0 ? r : stage_reply(&launch->stage, STAGE_HOOKS_DONE, err);
}

int
launch_take_console(struct launch *launch, int *fd, struct err *err)
{
	if (!launch->options->console_socket) {
		launch->console_master = fd_take(fd);
		return 0;
	}
	return tty_send_to_socket(launch->options->console_socket, *fd, err);
}

/* runc's word for the first process; it calls that of exec "setns". */
int
launch_send_pidfd(const struct launch *launch, struct err *err)
{
	const char *path = launch->options->pidfd_socket;
	const char *receiver = annotation_get(&launch->spec->annotations, ANNOTATION_PIDFD_RECEIVER);
	char what[64];
	int r;

	if (path && (r = pidfd_socket_send("--pidfd-socket", path, "standard", launch->stage.pidfd, err)) < 0)
		return r;
	if (!receiver)
		return 0;
	snprintf(what, sizeof(what), "annotation %s", annotation_name(ANNOTATION_PIDFD_RECEIVER));
	return pidfd_socket_send(what, receiver, "standard", launch->stage.pidfd, err);
}

/* The init that knarr:[join] has made after all the set-up: until now the state had that
 * one's number. */
static int
take_init(struct launch *launch, struct err *err)
{
	int r;

	log_debug("container '%s': its init is process %d", launch->options->id, (int)launch->stage.pid);
	if ((r = launch_save_pid(launch, err)) < 0)
		return r;
	if ((r = launch_send_pidfd(launch, err)) < 0)
		return r;
	return stage_continue(&launch->stage, err);
}

static int
send_listener(const struct launch *launch, int fd, struct err *err)
{
	const char *json = launch_state_json(launch->env->arena, &launch->state, "creating", launch->stage.pid);

	return listener_send(launch->spec->linux_.seccomp, json, launch->stage.pid, fd, err);
}

/* Serves the init until `end`. */
static int
serve(struct launch *launch, enum stage_message end, struct err *err)
{
	enum stage_message message = STAGE_NONE;
	int r;

	while (message != end) {
		auto_close int fd = -1;

		if ((r = stage_next(&launch->stage, launch->plan, err, &message, &fd)) < 0)
			return r;
		if (message == STAGE_HOOKS && (r = answer_hooks(launch, err)) < 0)
			return r;
		if (message == STAGE_CONSOLE && (r = launch_take_console(launch, &fd, err)) < 0)
			return r;
		if (message == STAGE_BORN && (r = take_init(launch, err)) < 0)
			return r;
		if (message == STAGE_LISTENER && (r = send_listener(launch, fd, err)) < 0)
			return r;
		if (message == STAGE_EXECED && end != STAGE_EXECED)
			return err_plain(err, "the container's init exited while it was being set up");
	}
	return 0;
}

/* What annotations ask for and the init is given as a descriptor. */
static int
open_annotation_fds(const struct launch *launch, struct stage_options *options, struct err *err)
{
	const struct spec_pairs *annotations = &launch->spec->annotations;
	const char *sub = annotation_get(annotations, ANNOTATION_DELEGATE_CGROUP);
	bool has_hooks = launch->spec->hooks.create_container.n + launch->spec->hooks.start_container.n > 0;
	int r;

	if (has_hooks && (r = hooks_open_output(annotations, ANNOTATION_HOOKS_STDOUT, err, &options->hook_stdout)) < 0)
		return r;
	if (has_hooks && (r = hooks_open_output(annotations, ANNOTATION_HOOKS_STDERR, err, &options->hook_stderr)) < 0)
		return r;
	if (sub && launch->has_cgroup) {
		if ((r = cgroup_make_sub(&launch->cgroup, sub, err)) < 0)
			return r;
		options->cgroup_procs = r;
	} else if (sub) {
		log_warning("the annotation %s has no effect: it needs a cgroup made without systemd",
			    annotation_name(ANNOTATION_DELEGATE_CGROUP));
	}
	return 0;
}

static void
close_annotation_fds(const struct stage_options *options)
{
	const int fds[] = { options->hook_stdout, options->hook_stderr, options->cgroup_procs };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] > 0)
			fd_close(fds[i]);
}

static int
spawn(struct launch *launch, struct err *err)
{
	struct stage_options o = {
		.cgroup_fd = launch->has_cgroup ? launch->cgroup.fd : -1,
		.start_fd = launch->start_fd,
		.resctrl = &launch->resctrl,
		.hold = cgroup_is_systemd(&launch->cgroup),
		/* Hiding the executable needs a capability that an unprivileged user
		 * has only in the new user namespace. */
		.guard_in_child = !launch->host.privileged,
		/* Only a CAP_SYS_PTRACE of the host looks into such a process, which
		 * hooks need as well; in a user namespace of its own the change of
		 * ids has that effect, and the init writes to its own /proc before. */
		.not_dumpable = (launch->host.capabilities >> CAP_SYS_PTRACE & 1) && !launch->host.in_userns &&
				!launch->spec->linux_.namespaces[NS_USER].listed,
		.may_trace = launch->host.capabilities >> CAP_SYS_PTRACE & 1,
	};
	int r = open_annotation_fds(launch, &o, err);

	if (r == 0)
		r = stage_spawn(launch->plan, &o, err, &launch->stage);
	close_annotation_fds(&o);
	if (r == 0)
		log_debug("container '%s': its init is process %d, its cgroup '%s'", launch->options->id,
			  (int)launch->stage.pid, launch->cgroup.path ? launch->cgroup.path : "that of the runtime");
	return r;
}

static int
make_all(struct launch *launch, struct err *err)
{
	int r;

	phases_enter("hide the executable");
	/* It may execute the runtime anew, so it comes before all that would be lost. */
	if ((r = exe_guard_prepare(launch->host.privileged, launch->plan->spawn.clone_flags & CLONE_NEWUSER, err)) < 0)
		return r;
	phases_enter("make the state directory and the cgroup");
	if ((r = launch_make_state_and_cgroup(launch, err)) < 0)
		return r;
	if ((r = resctrl_use_make(&launch->resctrl, launch->spec, err)) < 0)
		return r;
	phases_enter("open the sources and make the first process");
	if ((r = spawn(launch, err)) < 0)
		return r;
	phases_enter("save the state");
	if (cgroup_is_systemd(&launch->cgroup) && (r = launch_make_scope(launch, launch->stage.pid, err)) < 0)
		return r;
	launch->stage.cgroup_fd = launch->cgroup.fd;
	if ((r = launch_save_pid(launch, err)) < 0)
		return r;
	if (cgroup_is_systemd(&launch->cgroup) && (r = stage_continue(&launch->stage, err)) < 0)
		return r;
	if (!launch->stage.is_joining && (r = launch_send_pidfd(launch, err)) < 0)
		return r;
	phases_enter("wait while the container is set up");
	if ((r = serve(launch, launch->mode == LAUNCH_CREATE ? STAGE_READY : STAGE_EXECED, err)) < 0)
		return r;
	phases_enter("hand over");
	if ((r = launch_write_pid_file(launch, err)) < 0)
		return r;
	stage_forget_devices(&launch->stage);
	return 0;
}

int
launch_go(struct launch *launch, struct err *err)
{
	int r = make_all(launch, err);

	if (r < 0 && launch->has_cgroup)
		cgroup_add_hint(&launch->cgroup, launch->stage.was_refused, err);
	return r;
}

/* ---- undoing --------------------------------------------------------- */

/* The first error is the one that is told; what fails here is only logged. */
static void
log_failure(int code, const struct err *err)
{
	char text[ERR_MSG_MAX + 128];

	if (code < 0)
		log_warning("while undoing: %s", err_format(err, text, sizeof(text)));
}

void
launch_undo(struct launch *launch)
{
	struct err err;

	err_clear(&err);
	stage_kill(&launch->stage);
	if (launch->has_cgroup) {
		log_failure(cgroup_kill(&launch->cgroup, SIGKILL, &err), &err);
		log_failure(cgroup_destroy(&launch->cgroup, 5000, &err), &err);
		launch->has_cgroup = false;
	}
	log_failure(resctrl_use_undo(&launch->resctrl, &err), &err);
	/* runtime.md, lifecycle: a failing hook leads to step 12, and 13 is poststop. */
	if (launch->hooks_ran)
		hooks_run("poststop", &launch->spec->hooks.poststop, launch->bundle,
			  launch_state_json(launch->env->arena, &launch->state, "stopped", 0),
			  &launch->spec->annotations,
			  /* init_pidfd= */ -1,
			  /* keep_going= */ true, &err);
	if (launch->dir.fd >= 0)
		log_failure(state_remove(&launch->dir, &err), &err);
	launch->dir.fd = -1;
	if (launch->has_pid_file)
		unlink(launch->options->pid_file);
}

void
launch_close(struct launch *launch)
{
	stage_close(&launch->stage);
	launch->start_fd = fd_close(launch->start_fd);
	launch->console_master = fd_close(launch->console_master);
	launch->cgroup.fd = fd_close(launch->cgroup.fd);
	launch->resctrl.root_fd = fd_close(launch->resctrl.root_fd);
	if (launch->dir.fd >= 0)
		state_close(&launch->dir);
	launch->dir.fd = -1;
	notify_socket_close(&launch->notify);
	plan_free(launch->plan);
	launch->plan = NULL;
}
