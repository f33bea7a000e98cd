/* Theory of operation: see hook_exec.h.
 *
 *    we                                hook
 *    clone3(CLONE_PIDFD)  ──────────▶  setsid, stdin, signals, descriptors, filter
 *    read(report)         ◀── errno ── execve failed
 *                         ◀── EOF ──── execve worked: the pipe is close-on-exec
 *    poll: pidfd, stdin, timeout
 *    waitid(P_PIDFD)
 *
 * clone3(2) is called raw: fork(3) of the C library runs handlers that may take
 * locks. The state is written without blocking, since a hook may leave a long
 * one unread while it works; SIGPIPE is ignored meanwhile. */
#include "libcontainer/hook_exec.h"

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
confine(const struct hook_exec *h)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(h->filter_len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)h->filter,
	};

	if (h->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (!h->filter_len)
		return 0;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, h->filter_flags, &prog);
}

/* The caller's stdout is the container's: what reads it is not to find a hook's words
 * there, so they go to stderr. That may be closed. */
static int
take_output(const struct hook_exec *h)
{
	if (h->output <= 0)
		dup3(STDERR_FILENO, STDOUT_FILENO, 0);
	else if (dup3(h->output, STDOUT_FILENO, 0) < 0)
		return -1;
	return h->errors > 0 ? dup3(h->errors, STDERR_FILENO, 0) : 0;
}

/* A bundle may be gone when poststop hooks run, or closed to the container's ids;
 * that keeps no hook from running. */
static int
enter_dir(const char *dir)
{
	return dir && chdir(dir) < 0 ? chdir("/") : 0;
}

static void
become_hook(const struct hook_exec *h, int input, int report)
{
	int code;

	setsid();
	signals_reset();
	if (take_stdin(input) >= 0 && take_output(h) >= 0 && fd_close_range(3, UINT_MAX, /* cloexec= */ true) == 0 &&
	    enter_dir(h->dir) == 0 && confine(h) == 0)
		execve(h->path, (char *const *)h->argv, (char *const *)h->envp);
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
start(const struct hook_exec *h, struct err *err, struct child *ret_child)
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
		return err_set(err, errno, "make a pipe for '%s'", h->path);
	in_read = in[0];
	in_write = in[1];
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe for '%s'", h->path);
	report_read = report[0];
	report_write = report[1];
	/* Our end only: the hook's is another open file. */
	if (fcntl(in_write, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "make a pipe for '%s'", h->path);

	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return err_set(err, errno, "make a process for '%s'", h->path);
	if (pid == 0)
		become_hook(h, in_read, report_write);
	fd_close(fd_take(&report_write));
	r = read_report(report_read);
	if (r < 0) {
		waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED);
		return err_set(err, -r, "'%s'", h->path);
	}
	*ret_child = (struct child){ pid, fd_take(&pidfd), fd_take(&in_write) };
	return 0;
}

/* ---- waiting --------------------------------------------------------- */

/* Writes what the pipe takes; closes it at the end, or when nobody reads. */
static void
feed(struct hook_exec *h, struct child *k)
{
	unsigned i = 0;
	ssize_t n;

	while (i < h->n_state && h->state[i].iov_len == 0)
		i++;
	n = i < h->n_state ? writev(k->input, h->state + i, (int)(h->n_state - i)) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		k->input = fd_close(k->input);
		return;
	}
	for (size_t left = (size_t)n; left > 0; i++) {
		size_t part = left < h->state[i].iov_len ? left : h->state[i].iov_len;

		h->state[i].iov_base = (char *)h->state[i].iov_base + part;
		h->state[i].iov_len -= part;
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

enum outcome { HOOK_ENDED, HOOK_TIMEOUT, HOOK_ORPHANED };

/* Feeds and waits. */
static enum outcome
watch(struct hook_exec *h, struct child *k)
{
	int64_t deadline = INT64_MAX;

	if (h->timeout > 0 && h->timeout < INT64_MAX / 1000 - now_ms())
		deadline = now_ms() + h->timeout * 1000;
	for (;;) {
		struct pollfd p[3] = { { k->pidfd, POLLIN, 0 },
				       { k->input, POLLOUT, 0 },
				       { h->init_pidfd, POLLIN, 0 } };
		int n = poll(p, 3, remaining(deadline));

		if (p[0].revents && n > 0)
			return HOOK_ENDED;
		if (p[2].revents && n > 0)
			return HOOK_ORPHANED;
		if (p[1].revents && n > 0)
			feed(h, k);
		if (n == 0 && remaining(deadline) == 0)
			return HOOK_TIMEOUT;
	}
}

static int
result(const struct hook_exec *h, const struct child *k, enum outcome outcome, struct err *err)
{
	siginfo_t info = { 0 };

	/* Before its leader is reaped: until then nobody else can get the id of its session. */
	if (outcome != HOOK_ENDED)
		kill(-k->pid, SIGKILL);
	while (waitid(P_PIDFD, (id_t)k->pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for '%s'", h->path);
	if (outcome == HOOK_ORPHANED)
		return err_plain(err, "'%s' was killed because the container's init ended", h->path);
	if (outcome == HOOK_TIMEOUT)
		return err_plain(err, "'%s' was killed after its timeout of %lld seconds", h->path,
				 (long long)h->timeout);
	if (info.si_code != CLD_EXITED)
		return err_plain(err, "'%s' was killed by signal %d", h->path, info.si_status);
	if (info.si_status != 0)
		return err_plain(err, "'%s' exited with status %d", h->path, info.si_status);
	return 0;
}

int
hook_exec(struct hook_exec *h, struct err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, dfl = { .sa_handler = SIG_DFL }, old_pipe, old_child;
	struct child k = { 0, -1, -1 };
	int r;

	sigaction(SIGPIPE, &ignore, &old_pipe);
	sigaction(SIGCHLD, &dfl, &old_child); /* ignored, it would take the status away */
	r = start(h, err, &k);
	if (r == 0)
		r = result(h, &k, watch(h, &k), err);
	fd_close(k.input);
	fd_close(k.pidfd);
	sigaction(SIGCHLD, &old_child, NULL);
	sigaction(SIGPIPE, &old_pipe, NULL);
	/* The words that callers of OCI runtimes know. */
	return r < 0 ? err_wrap(err, "error running hook") : 0;
}
