/*    we                                hook
 *    clone3(CLONE_PIDFD)  ──────────▶  setsid, stdin, signals, descriptors, filter
 *    read(report)         ◀── errno ── execve failed
 *                         ◀── EOF ──── execve worked: the pipe is close-on-exec
 *    poll: pidfd, stdin, timeout
 *    waitid(P_PIDFD)
 *
 * clone3(2) is called raw: fork(3) of the C library runs handlers that may take
 * locks. The state is written without blocking, since a hook may leave a long
 * one unread while it works; SIGPIPE is ignored meanwhile. */
#include "libcontainer/process/hook_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_range.h"
#include "base/process.h"
#include "base/signals.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct child {
	pid_t pid;
	int pidfd, input; /* input: our end of its stdin; -1 when done */
};

/* ---- in the hook's process ------------------------------------------- */

static int
take_stdin(int fd)
{
	if (fd == STDIN_FILENO) /* the caller had none open */
		return fcntl(fd, F_SETFD, 0);
	return dup3(fd, STDIN_FILENO, 0);
}

static int
confine(const struct hook_exec *hook)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(hook->filter_len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)hook->filter,
	};

	if (hook->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (!hook->filter_len)
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, hook->filter_flags, &prog) == 0 ? 0 : -1;
}

/* The caller's stdout is the container's: what reads it is not to find a hook's words
 * there, so they go to stderr. That may be closed. */
static int
take_output(const struct hook_exec *hook)
{
	if (hook->output > 0 ? dup3(hook->output, STDOUT_FILENO, 0) < 0
			     : dup3(STDERR_FILENO, STDOUT_FILENO, 0) < 0 && errno != EBADF)
		return -1;
	return hook->errors > 0 ? dup3(hook->errors, STDERR_FILENO, 0) : 0;
}

/* A bundle may be gone when poststop hooks run, or closed to the container's ids;
 * that keeps no hook from running. */
static int
enter_dir(const char *dir)
{
	return dir && chdir(dir) < 0 ? chdir("/") : 0;
}

/* -1 with errno. */
static int
start_session(void)
{
	int r;

	if (setsid() < 0)
		return -1;
	r = signals_reset(SIGNALS_ALL);
	errno = -r;
	return r < 0 ? -1 : 0;
}

static void
become_hook(const struct hook_exec *hook, int input, int report)
{
	int code;

	if (start_session() == 0 && (!hook->sets_umask || process_set_umask(022) >= 0) && take_stdin(input) >= 0 &&
	    take_output(hook) >= 0 && fd_close_range(3, UINT_MAX, /* cloexec= */ true) == 0 &&
	    enter_dir(hook->dir) == 0 && confine(hook) == 0)
		execve(hook->path, (char *const *)hook->argv, (char *const *)hook->envp);
	code = errno;
	fd_write_all(report, &code, sizeof(code));
	process_end(127);
}

/* ---- starting -------------------------------------------------------- */

/* What execve answered: 0, or -errno. */
static int
read_report(int fd)
{
	ssize_t n;
	int code;

	do
		n = read(fd, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	return n == sizeof(code) ? -code : 0;
}

static int
start(const struct hook_exec *hook, struct err *err, struct child *ret_child)
{
	auto_close int pidfd = -1, in_read = -1, in_write = -1, report_read = -1, report_write = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	int in[2], report[2];
	pid_t pid;
	int r;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for '%s'", hook->path);
	in_read = in[0];
	in_write = in[1];
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for '%s'", hook->path);
	report_read = report[0];
	report_write = report[1];
	/* Our end only: the hook's is another open file. */
	if (fcntl(in_write, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "make a pipe for '%s'", hook->path);

	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return err_set(err, errno, "make a process for '%s'", hook->path);
	if (pid == 0)
		become_hook(hook, in_read, report_write);
	fd_close(fd_take(&report_write));
	r = read_report(report_read);
	if (r < 0) {
		waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED);
		return err_set(err, -r, "'%s'", hook->path);
	}
	*ret_child = (struct child){ pid, fd_take(&pidfd), fd_take(&in_write) };
	return 0;
}

/* ---- waiting --------------------------------------------------------- */

/* Writes what the pipe takes; closes it at the end, or when nobody reads. */
static void
feed(struct hook_exec *hook, struct child *child)
{
	unsigned i = 0;
	ssize_t n;

	while (i < hook->n_state && hook->state[i].iov_len == 0)
		i++;
	n = i < hook->n_state ? writev(child->input, hook->state + i, (int)(hook->n_state - i)) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		child->input = fd_close(child->input);
		return;
	}
	for (size_t left = (size_t)n; left > 0; i++) {
		size_t part = left < hook->state[i].iov_len ? left : hook->state[i].iov_len;

		hook->state[i].iov_base = (char *)hook->state[i].iov_base + part;
		hook->state[i].iov_len -= part;
		left -= part;
	}
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Milliseconds for poll(2) until deadline; -1: for ever. */
static int
remaining(int64_t deadline)
{
	int64_t left;

	if (deadline == INT64_MAX)
		return -1;
	left = deadline - now_ms();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

enum outcome { HOOK_ENDED, HOOK_TIMEOUT, HOOK_ORPHANED, HOOK_LOST };

/* Feeds and waits. */
static enum outcome
watch(struct hook_exec *hook, struct child *child)
{
	int64_t deadline = INT64_MAX;

	if (hook->timeout > 0 && hook->timeout < INT64_MAX / 1000 - now_ms())
		deadline = now_ms() + hook->timeout * 1000;
	for (;;) {
		struct pollfd p[3] = { { child->pidfd, POLLIN, 0 },
				       { child->input, POLLOUT, 0 },
				       { hook->init_pidfd, POLLIN, 0 } };
		int n = poll(p, 3, remaining(deadline));

		if (p[0].revents && n > 0)
			return HOOK_ENDED;
		if (p[2].revents && n > 0)
			return HOOK_ORPHANED;
		if (p[1].revents && n > 0)
			feed(hook, child);
		if (n == 0 && remaining(deadline) == 0)
			return HOOK_TIMEOUT;
		if (n < 0 && errno != EINTR)
			return HOOK_LOST;
	}
}

static int
result(const struct hook_exec *hook, const struct child *child, enum outcome outcome, struct err *err)
{
	siginfo_t info = { 0 };
	int code = errno;

	/* Before its leader is reaped: until then nobody else can get the id of its session. */
	if (outcome != HOOK_ENDED)
		kill(-child->pid, SIGKILL);
	while (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for '%s'", hook->path);
	if (outcome == HOOK_LOST)
		return err_set(err, code, "'%s' was killed: it cannot be watched", hook->path);
	if (outcome == HOOK_ORPHANED)
		return err_plain(err, "'%s' was killed because the container's init exited", hook->path);
	if (outcome == HOOK_TIMEOUT)
		return err_plain(err, "'%s' was killed after its timeout of %lld seconds", hook->path,
				 (long long)hook->timeout);
	if (info.si_code != CLD_EXITED)
		return err_plain(err, "'%s' was killed by signal %d", hook->path, info.si_status);
	if (info.si_status != 0)
		return err_plain(err, "'%s' exited with status %d", hook->path, info.si_status);
	return 0;
}

int
hook_exec(struct hook_exec *hook, struct err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, dfl = { .sa_handler = SIG_DFL }, old_pipe, old_child;
	struct child k = { 0, -1, -1 };
	int r;

	if (sigaction(SIGPIPE, &ignore, &old_pipe) < 0 ||
	    sigaction(SIGCHLD, &dfl, &old_child) < 0) /* ignored, it would take the status away */
		return err_set(err, errno, "set the actions of signals for '%s'", hook->path);
	r = start(hook, err, &k);
	if (r == 0)
		r = result(hook, &k, watch(hook, &k), err);
	fd_close(k.input);
	fd_close(k.pidfd);
	/* What the init ignores the container's program would ignore. */
	if ((sigaction(SIGCHLD, &old_child, NULL) < 0 || sigaction(SIGPIPE, &old_pipe, NULL) < 0) && r == 0)
		r = err_set(err, errno, "put the actions of signals back after '%s'", hook->path);
	/* The words that callers of OCI runtimes know. */
	return r < 0 ? err_wrap(err, "error running hook") : 0;
}
