/* Theory of operation: the init, or knarr:[join] on the way to it, is born in the
 * container's cgroup (CLONE_INTO_CGROUP), which is faster than to move it there. In two
 * cases the kernel does not let it live there:
 *
 *   - SIGKILL at birth. Since a fork that races with cgroup.kill is caught (Linux 6.14 and
 *     stable kernels), clone3(2) compares how often cgroup.kill was written to the caller's
 *     cgroup and to that of the new process. They differ not only in that race, but for
 *     ever after either of them was killed once.
 *   - EAGAIN: pids.max of the cgroup is reached. A process may still be moved there.
 *
 * Then it is cloned once more, in the runtime's own cgroup. The init waits at its very
 * beginning until the runtime has moved it, so nothing of the container is done outside of
 * its cgroup. So is knarr:[join] where it does the set-up itself, and it is taken out again if
 * the cgroup has no room for the process beside it (STAGE_LEAVE); else it stays outside, since
 * inside it would have the same fork refused.
 *
 * A kill at birth is told from any other by stage_status.born, the first thing that the
 * new process writes: whoever was killed at birth has executed nothing. */
#include "libcontainer/stage/stage_clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/stage_child.h"
#include "libcontainer/stage/stage_error.h"
#include "libcontainer/stage/stage_join.h"
#include "libcontainer/state/state.h"

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL /* Linux 5.5 */
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define MAX_STATUS_FILE ((size_t)1024 * 1024) /* it lists all groups */

/* ---- what went wrong ---------------------------------------------------- */

static const char *
cgroup_hint(int code)
{
	return code == EACCES && geteuid() != 0
		       ? " (hint: an unprivileged user must call knarr from a cgroup that is delegated to them)"
		       : "";
}

static int
clone_error(const struct plan *plan, int code, struct err *err)
{
	const char *hint = "";

	if (plan->spawn.enters)
		return err_set(err, code, "make a process in the container's cgroup%s", cgroup_hint(code));
	if (code == ENOSPC || code == EUSERS)
		hint = " (a limit in /proc/sys/user/max_*_namespaces is reached)";
	else if (code == EPERM && (plan->spawn.clone_flags & CLONE_NEWUSER))
		hint = " (user namespaces are not permitted here: see /proc/sys/kernel/unprivileged_userns_clone, "
		       "/proc/sys/user/max_user_namespaces and AppArmor's restriction)";
	else if (code == EAGAIN)
		hint = " (a limit on processes is reached: RLIMIT_NPROC, or pids.max of a cgroup)";
	else if (code == EPERM)
		hint = " (new namespaces need root or a user namespace in linux.namespaces)";
	return err_set(err, code, "linux.namespaces: create the container's first process%s", hint);
}

/* ---- killed at birth ---------------------------------------------------- */

/* A SIGKILL for the whole process is pending until somebody has waited for it. */
static bool
has_pending_kill(pid_t pid)
{
	static const char key[] = "\nShdPnd:";
	const char *line;
	char path[64], *text;
	size_t len;
	bool pending;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, MAX_STATUS_FILE, &text, &len) < 0)
		return false; /* whatever became of it, the end of the channel tells */
	line = strstr(text, key);
	pending = line && (strtoull(line + sizeof(key) - 1, NULL, 16) >> (SIGKILL - 1) & 1);
	free(text);
	return pending;
}

/* process_mrelease(2), Linux 5.15, is for a process that has been killed, and EINVAL for
 * any other; it is asked because it takes a fortieth of the time that the file takes. */
static bool
is_ending(int pidfd)
{
	return syscall(SYS_process_mrelease, pidfd, 0) == 0 || errno == ESRCH;
}

/* Any other answer, which a filter around the runtime may give, says nothing. */
static bool
may_be_killed(const struct stage *stage)
{
	if (syscall(SYS_process_mrelease, stage->pidfd, 0) == 0)
		return true;
	return errno != EINVAL && has_pending_kill(stage->pid);
}

/* The kernel sends the signal before clone3(2) returns, so it is there by now. */
static bool
was_killed_at_birth(const struct stage *stage)
{
	siginfo_t info = { 0 };

	if (!may_be_killed(stage))
		return false;
	while (waitid(P_PIDFD, (id_t)stage->pidfd, &info, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			return false;
	return info.si_code == CLD_KILLED && info.si_status == SIGKILL &&
	       !__atomic_load_n(&stage->status->born, __ATOMIC_ACQUIRE);
}

static int
check_birth(struct stage *stage, const struct plan *plan, struct err *err)
{
	if (!was_killed_at_birth(stage))
		return 0;
	while (waitpid(stage->pid, NULL, 0) < 0 && errno == EINTR)
		;
	stage->pid = 0;
	stage->is_joining = false;
	stage->pidfd = fd_close(stage->pidfd);
	return stage_error_killed(plan, err);
}

/* ---- cloning ------------------------------------------------------------ */

/* The name tells other commands what state the container is in, and the number of the init may be in
 * the state before the init runs: so it is born with its name. pid, 0 in the child, or -errno with err. */
static pid_t
clone_named(const struct plan *plan, struct clone_args *args, struct err *err)
{
	char own[16];
	pid_t pid;
	int r;

	if (prctl(PR_GET_NAME, own) < 0 || prctl(PR_SET_NAME, STATE_NAME_INIT) < 0)
		return err_set(err, errno, "name the container's first process");
	pid = (pid_t)syscall(SYS_clone3, args, sizeof(*args));
	if (pid == 0)
		return 0;
	r = pid < 0 ? clone_error(plan, errno, err) : 0;
	prctl(PR_SET_NAME, own); /* for people: nothing depends on it */
	return r < 0 ? r : pid;
}

static int
clone_once(struct stage *stage, const struct plan *plan, const struct stage_options *options, struct plan_ctx *c,
	   struct err *err)
{
	bool joins = plan->spawn.n_joins > 0 || plan->spawn.enters, into_cgroup = options->cgroup_fd >= 0;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | (into_cgroup ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&stage->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = into_cgroup ? (uint64_t)options->cgroup_fd : 0,
	};
	pid_t pid;

	if (!joins)
		args.flags |= stage_child_clone_flags(plan);
	pid = clone_named(plan, &args, err);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		__atomic_store_n(&stage->status->born, 1, __ATOMIC_RELEASE);
		/* Before it does anything: CVE-2016-9962. */
		if (options->not_dumpable && prctl(PR_SET_DUMPABLE, 0) < 0) {
			err_set(c->err, errno, "make the process undumpable");
			stage_fail(c);
		}
		if (joins)
			stage_child_join(c, options);
		stage_child(c, options);
	}
	stage->is_joining = joins;
	stage->pid = pid;
	if (joins && !plan->spawn.enters_pidns_last)
		return stage_join_collect(stage, plan, pid, err);
	stage->is_seen = joins;
	return into_cgroup ? check_birth(stage, plan, err) : 0;
}

/* ---- and moving --------------------------------------------------------- */

/* True when r is one of the two cases of the cgroup, and no process is there. */
static bool
is_refused_by_cgroup(const struct stage *stage, int code)
{
	if (stage->pid > 0)
		return false;
	return code == -EAGAIN || (code == -ECHILD && !__atomic_load_n(&stage->status->born, __ATOMIC_ACQUIRE));
}

static int
clone_outside(struct stage *stage, const struct plan *plan, const struct stage_options *options, struct plan_ctx *c,
	      struct err *err)
{
	struct stage_options outside = *options;
	int r;

	outside.cgroup_fd = -1;
	outside.hold = true;
	stage->status->born = 0;
	stage->status->failed = 0;
	r = clone_once(stage, plan, &outside, c, err);
	if (r < 0)
		return r;
	r = stage_join_move_to_cgroup(options->cgroup_fd, stage->pid, err);
	if (r < 0)
		return r;
	/* Who kills all of a container must not miss one that was not there yet. */
	return plan->spawn.enters && is_ending(options->init_pidfd) ? stage_error_killed(plan, err) : 0;
}

int
stage_clone(struct stage *stage, const struct plan *plan, const struct stage_options *options, struct plan_ctx *c,
	    struct err *err, bool *ret_held)
{
	int r = clone_once(stage, plan, options, c, err);

	*ret_held = options->cgroup_fd >= 0 && is_refused_by_cgroup(stage, r);
	if (!*ret_held)
		return r;
	stage->was_refused = r == -EAGAIN;
	log_debug("no process can be made in the container's cgroup (%s): it is moved there",
		  stage->was_refused ? "a limit is reached" : "it is killed at birth");
	err_clear(err);
	return clone_outside(stage, plan, options, c, err);
}
