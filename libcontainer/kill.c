/* kill: a signal to a container's first process, or to all of them. It takes no lock: it changes
 * nothing in the state, and it must get through while another command (a create that
 * hangs in a hook) holds the lock. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/container.h"
#include "libcontainer/process/hooks.h"

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
	if (fd_read_record_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return true;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return true;
	line++;
	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last && !strcmp(last, "\t1");
}

/* pidfd: as of state_pidfd(). */
static int
signal_init(const struct state *state, int pidfd, int sig, struct err *err)
{
	if (pidfd < 0)
		return pidfd == -ESRCH ? not_running(state->id, err)
				       : err_set(err, -pidfd, "open process %d of container \"%s\"", (int)state->pid,
						 state->id);
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
		return 0;
	return errno == ESRCH ? not_running(state->id, err)
			      : err_set(err, errno, "send signal %d to container \"%s\"", sig, state->id);
}

/* --all asks for every process of the cgroup, which may outlive the init.
 * SIGKILL means the container in any case: without a pid namespace of its own
 * the init's death would leave the other processes behind, and that of knarr:[join]
 * the init. */
static bool
wants_whole_cgroup(const struct state *state, int sig, bool all)
{
	return state->cgroup_path &&
	       (all || (sig == SIGKILL && (state->joining || !is_pid_namespace_init(state->pid))));
}

/* Others may outlive an init that was not pid 1. */
static bool
has_processes(const struct state *state)
{
	struct cgroup cg = state_cgroup(state);
	struct err ignored;
	ssize_t n;

	err_clear(&ignored);
	if (!state->cgroup_path || cgroup_open(&cg, &ignored) < 0)
		return false;
	n = cgroup_pids(&cg, NULL, 0, &ignored);
	fd_close(cg.fd);
	return n > 0;
}

static int
kill_saved(const struct state *state, int sig, bool all, struct err *err)
{
	/* The same that the signal goes to, so nothing is asked twice. Any other error than that it has ended is
	 * no proof of an end. */
	auto_close int pidfd = state_pidfd(state);
	struct cgroup cg;
	int r;

	if (pidfd == -ESRCH)
		all = all || (sig == SIGKILL && has_processes(state));
	if (pidfd == -ESRCH && !all)
		return not_running(state->id, err);
	if (!wants_whole_cgroup(state, sig, all))
		return signal_init(state, pidfd, sig, err);
	cg = state_cgroup(state);
	r = cgroup_kill(&cg, sig, err);
	fd_close(cg.fd);
	return r;
}

int
container_kill(const struct container_env *env, const char *id, int sig, bool all, struct err *err)
{
	enum container_status status = STATUS_STOPPED;
	struct state *s = NULL;
	int r = container_saved_state(env, id, err, &s);

	/* One that hangs in a hook can be killed; one without a process that is still being created cannot. */
	if (r == 0 && s->pid <= 0)
		r = container_state(env, id, err, &s, &status);
	if (r < 0)
		return r;
	if (status == STATUS_CREATING && s->pid <= 0)
		return not_running(id, err);
	return kill_saved(s, sig, all, err);
}
