/* Theory of operation: what happens to a container after it was created.
 *
 * kill takes no lock: it changes nothing in the state, and it must get through
 * while another command (a create that hangs in a hook) holds the lock. For the
 * same reason `delete --force` kills before it waits for the lock.
 *
 * delete undoes create in its reverse order: processes, cgroup, then the
 * poststop hooks, and the state folder last, so that a delete which was
 * interrupted can be repeated. Each part may be gone already. There is no
 * sleeping: the end of the init is a poll on its pidfd, the end of the others
 * one on cgroup.events. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/container.h"
#include "libcontainer/hooks.h"
#include "libcontainer/resctrl_use.h"
#include "oci-spec/documents.h"

/* How long a killed process may take: longer only in uninterruptible sleep. */
#define END_TIMEOUT_MS 10000

static struct cgroup
cgroup_of(const struct state *s)
{
	return (struct cgroup){ .mount = s->cgroup_mount,
				.path = s->cgroup_path,
				.made = s->cgroup_made,
				.fd = -1,
				.unit = s->systemd_unit,
				.user_manager = s->systemd_user };
}

/* ---- state ----------------------------------------------------------------- */

int
container_state(const struct container_env *env, const char *id, struct err *err, struct state **ret_state,
		enum container_status *ret_status)
{
	struct state_dir d;
	struct state *s;
	int r = state_open(env->root, id, /* lock= */ false, env->arena, err, &d);

	if (r < 0)
		return r;
	r = state_load(&d, id, env->arena, err, &s);
	if (r == 0) {
		*ret_state = s;
		*ret_status = state_dir_status(&d, s);
	}
	state_close(&d);
	return r;
}

/* ---- kill ------------------------------------------------------------------ */

static int
not_running(const char *id, struct err *err)
{
	/* containerd looks for these words. */
	err_plain(err, "cannot signal container \"%s\": container not running", id);
	return -ESRCH;
}

/* True when the init is pid 1 of its pid namespace: its death ends all others.
 * The last number in the line NSpid is the pid in the innermost one. */
static bool
is_pid_namespace_init(pid_t pid)
{
	char path[64], text[8192], *line, *last;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return true;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return true;
	line++;
	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last && !strcmp(last, "\t1");
}

static int
signal_init(const struct state *s, int sig, struct err *err)
{
	auto_close int pidfd = state_pidfd(s);

	if (pidfd < 0)
		return pidfd == -ESRCH
			       ? not_running(s->id, err)
			       : err_set(err, -pidfd, "open process %d of container \"%s\"", (int)s->pid, s->id);
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
		return 0;
	return errno == ESRCH ? not_running(s->id, err)
			      : err_set(err, errno, "send signal %d to container \"%s\"", sig, s->id);
}

/* --all asks for every process of the cgroup, which may outlive the init.
 * SIGKILL means the container in any case: without a pid namespace of its own
 * the init's death would leave the other processes behind. */
static bool
wants_whole_cgroup(const struct state *s, int sig, bool all)
{
	return s->cgroup_path && (all || (sig == SIGKILL && !is_pid_namespace_init(s->pid)));
}

/* Others may outlive an init that was not pid 1. */
static bool
has_processes(const struct state *s)
{
	struct cgroup cg = cgroup_of(s);
	struct err ignored;
	ssize_t n;

	err_clear(&ignored);
	if (!s->cgroup_path || cgroup_open(&cg, &ignored) < 0)
		return false;
	n = cgroup_pids(&cg, NULL, 0, &ignored);
	fd_close(cg.fd);
	return n > 0;
}

int
container_kill(const struct container_env *env, const char *id, int sig, bool all, struct err *err)
{
	enum container_status status = STATUS_STOPPED;
	struct cgroup cg;
	struct state *s = NULL;
	int r = container_state(env, id, err, &s, &status);

	if (r < 0)
		return r;
	/* One that hangs in a hook can be killed. */
	if (status == STATUS_CREATING && s->pid <= 0)
		return not_running(id, err);
	if (status == STATUS_STOPPED)
		all = all || (sig == SIGKILL && has_processes(s));
	if (status == STATUS_STOPPED && !all)
		return not_running(id, err);
	if (!wants_whole_cgroup(s, sig, all))
		return signal_init(s, sig, err);
	cg = cgroup_of(s);
	r = cgroup_kill(&cg, sig, err);
	fd_close(cg.fd);
	return r;
}

/* ---- delete ---------------------------------------------------------------- */

/* SIGKILL to all processes, and waits for the end of the init. */
static int
kill_and_wait(const struct state *s, struct err *err)
{
	auto_close int pidfd = state_pidfd(s);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r = 0;

	if (s->cgroup_path) {
		struct cgroup cg = cgroup_of(s);

		r = cgroup_kill(&cg, SIGKILL, err);
		fd_close(cg.fd);
	}
	if (r < 0 || pidfd == -ESRCH)
		return r;
	if (pidfd < 0)
		return err_set(err, -pidfd, "look for process %d of container \"%s\"", (int)s->pid, s->id);
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_set(err, errno, "kill process %d of container \"%s\"", (int)s->pid, s->id);
	do
		r = poll(&p, 1, END_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(err, ETIMEDOUT, "process %d of container \"%s\" does not end after SIGKILL", (int)s->pid,
			       s->id);
	return r < 0 ? err_set(err, errno, "wait for process %d", (int)s->pid) : 0;
}

/* Failures warn: runtime.md#lifecycle, step 13. */
static void
run_poststop(const struct state_dir *d, const struct state *s, struct arena *a)
{
	struct state_document doc = { s->id, "stopped", s->bundle, 0, &s->annotations };
	struct spec_report report = { 0 };
	struct spec *spec;
	struct err err;
	char text[ERR_MSG_MAX];
	int r;

	if (!s->has_poststop)
		return;
	err_clear(&err);
	r = spec_load(d->path, /* config_path= */ NULL, a, &report, &err, &spec);
	if (r == 0)
		r = hooks_run("poststop", &spec->hooks.poststop, s->bundle,
			      document_state(a, &doc, /* pretty= */ false), &spec->annotations,
			      /* init_pidfd= */ -1, /* keep_going= */ true, &err);
	if (r < 0)
		log_warning("poststop hooks: %s", err_format(&err, text, sizeof(text)));
}

static int
destroy(struct state_dir *d, const struct state *s, struct arena *a, struct err *err)
{
	struct cgroup cg = cgroup_of(s);
	int r = kill_and_wait(s, err);

	if (r == 0) {
		r = cgroup_destroy(&cg, END_TIMEOUT_MS, err);
		fd_close(cg.fd);
	}
	if (r == 0)
		r = resctrl_use_remove(s, err);
	if (r < 0)
		return r;
	run_poststop(d, s, a);
	r = state_remove(d, err);
	if (r == 0)
		log_debug("container '%s' is deleted", s->id);
	return r;
}

static int
check_stopped(const struct state_dir *d, const struct state *s, struct err *err)
{
	enum container_status status = state_dir_status(d, s);

	if (status == STATUS_STOPPED || status == STATUS_CREATED)
		return 0;
	return err_plain(err, "cannot delete container \"%s\" that is not stopped: %s", s->id,
			 state_status_name(status));
}

/* Loads the state. A damaged file stops delete, but not delete --force: then
 * only the folder is removed. */
static int
load_for_delete(const struct state_dir *d, const char *id, bool force, struct arena *a, struct err *err,
		struct state **ret_state)
{
	char text[ERR_MSG_MAX];
	int r = state_load(d, id, a, err, ret_state);

	if (r == 0 || !force)
		return r;
	log_warning("%s; its processes and its cgroup, if any, are left alone", err_format(err, text, sizeof(text)));
	*ret_state = arena_alloc(a, sizeof(**ret_state));
	(*ret_state)->id = arena_strdup(a, id);
	return 0;
}

/* Kills without the lock, so that whoever holds it and waits for the container
 * goes on. */
static int
force_end(const struct container_env *env, const char *id, struct err *err)
{
	struct state_dir d;
	struct state *s;
	int r = state_open(env->root, id, /* lock= */ false, env->arena, err, &d);

	if (r < 0)
		return r;
	if (state_load(&d, id, env->arena, err, &s) == 0)
		r = kill_and_wait(s, err);
	state_close(&d);
	return r;
}

static int
delete_locked(const struct container_env *env, const char *id, bool force, struct err *err)
{
	struct state_dir d;
	struct state *s;
	int r = state_open(env->root, id, /* lock= */ true, env->arena, err, &d);

	if (r < 0)
		return r;
	r = load_for_delete(&d, id, force, env->arena, err, &s);
	if (r == 0 && !force)
		r = check_stopped(&d, s, err);
	if (r == 0)
		r = destroy(&d, s, env->arena, err);
	state_close(&d);
	return r;
}

int
container_delete(const struct container_env *env, const char *id, bool force, struct err *err)
{
	int r = force ? force_end(env, id, err) : 0;

	if (r == 0)
		r = delete_locked(env, id, force, err);
	if (r == -ENOENT && force) {
		err_clear(err);
		return 0;
	}
	return r;
}
