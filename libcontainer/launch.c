/* Theory of operation: see launch.h.
 *
 * The second half of a launch: what launch_prepare() compiled is done. Places on
 * the host (launch_places.c), the init, its requests, and at the end the saved
 * state. What launch_go() makes is recorded in struct launch as soon as it exists,
 * so that launch_undo() takes back exactly that, in reverse. */
#include "libcontainer/launch.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/exe_guard.h"
#include "libcontainer/hooks.h"
#include "libcontainer/listener.h"
#include "libcontainer/pidfd_socket.h"
#include "libcontainer/tty.h"
#include "oci-spec/annotations.h"
#include "oci-spec/documents.h"

/* ---- going ----------------------------------------------------------- */

char *
launch_state_json(struct arena *a, const struct state *s, const char *status, pid_t pid)
{
	struct state_document doc = {
		.id = s->id, .status = status, .bundle = s->bundle, .pid = pid, .annotations = &s->annotations
	};

	return document_state(a, &doc, /* pretty= */ false);
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

/* What annotations ask for and the init is given as a descriptor. */
static int
open_extras(const struct launch *l, struct stage_options *o, struct err *err)
{
	const struct spec_pairs *annotations = &l->spec->annotations;
	const char *sub = annotation_get(annotations, ANNOTATION_DELEGATE_CGROUP);
	bool has_hooks = l->spec->hooks.create_container.n + l->spec->hooks.start_container.n > 0;
	int r = has_hooks ? hooks_open_output(annotations, ANNOTATION_HOOKS_STDOUT, err, &o->hook_stdout) : 0;

	if (r == 0 && has_hooks)
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
	if (l->cgroup.unit && (r = launch_make_scope(l, l->stage.pid, err)) < 0)
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
