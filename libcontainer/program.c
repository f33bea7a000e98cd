/* Theory of operation: see program.h.
 *
 * The order at the end of a container's set-up, and why: the program is looked
 * up while system calls are still free and with the rights that it will have;
 * `create` has then reported a missing program. After `start` only two calls
 * remain for the seccomp filter to allow: none of ours but execve. */
#include "libcontainer/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_range.h"
#include "libcontainer/home.h"
#include "libcontainer/stage.h"

/* Seconds that the init waits for its listener to be taken. */
#define LISTENER_TIMEOUT 20

/* ---- CLOSE_FDS ------------------------------------------------------- */

/* What later steps still need. */
static const enum plan_slot kept[] = { PLAN_FD_CHANNEL, PLAN_FD_START, PLAN_FD_STATUS, PLAN_FD_HOOK_STDOUT,
				       PLAN_FD_HOOK_STDERR };
#define N_KEPT (sizeof(kept) / sizeof(kept[0]))

static void
forget_others(struct plan_ctx *c)
{
	int fds[N_KEPT];

	for (size_t i = 0; i < N_KEPT; i++)
		fds[i] = c->fds[kept[i]];
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		c->fds[i] = -1;
	for (size_t i = 0; i < N_KEPT; i++)
		c->fds[kept[i]] = fds[i];
}

/* Close-on-exec comes too late for a program, interpreter (#!) or dynamic loader
 * named /proc/self/fd/N/../…: execve opens those before it closes anything, and
 * N may be a folder of the host (CVE-2024-21626). A procfs without masks among
 * them would also be there for whoever may look into the waiting init. */
int
program_run_close_fds(struct plan_ctx *c, const struct plan_step *s)
{
	unsigned from = 3 + s->u.close_fds.keep;
	int r = 0;

	for (;;) {
		int next = -1;

		for (size_t i = 0; i < N_KEPT; i++) {
			int fd = c->fds[kept[i]];

			if (fd >= (int)from && (next < 0 || fd < next))
				next = fd;
		}
		if (r < 0 || next < 0)
			break;
		r = next > 0 ? fd_close_range(from, (unsigned)next - 1, /* cloexec= */ false) : 0;
		from = (unsigned)next + 1;
	}
	if (r == 0)
		r = fd_close_range(from, ~0U, /* cloexec= */ false);
	if (r < 0)
		return err_set(c->err, -r, "close the runtime's descriptors");
	forget_others(c);
	return 0;
}

/* ---- FIND_PROGRAM ---------------------------------------------------- */

static int
check_candidate(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* The effective ids are the program's already; AT_EACCESS asks for those. */
	if (syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	return access(path, X_OK) == 0 ? 0 : -errno;
}

int
program_run_find(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_program *p = &s->u.program;
	const char *name = plan_text(c->plan, p->name);
	const char *path = plan_first(c->plan, p->candidates);
	int worst = ENOENT;

	for (uint32_t i = 0; i < p->candidates.n; i++, path = plan_next(path)) {
		int r = check_candidate(path);

		if (r == 0) {
			c->program = path;
			return 0;
		}
		if (r == -EACCES || r == -EISDIR || r == -ELOOP)
			worst = -r;
	}
	/* Callers of OCI runtimes match "executable file not found in $PATH",
	 * "no such file or directory" and "permission denied". */
	if (worst == ENOENT && p->searched)
		return err_set(c->err, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
	if (worst == EISDIR) {
		err_plain(c->err, "exec: \"%s\" is a directory: permission denied", name);
		return -EACCES;
	}
	return err_set(c->err, worst, "exec: \"%s\"", name);
}

/* ---- WAIT_START ------------------------------------------------------ */

int
program_run_wait_start(struct plan_ctx *c, const struct plan_step *s)
{
	int peer, r;

	(void)s;
	/* From here on the container outlives the runtime that made it. */
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_set(c->err, errno, "clear the parent-death signal");
	prctl(PR_SET_NAME, STAGE_NAME_WAIT);
	r = stage_ask(c, STAGE_READY, 0, -1, STAGE_NONE);
	if (r < 0)
		return r;
	do
		peer = accept4(c->fds[PLAN_FD_START], NULL, NULL, SOCK_CLOEXEC);
	while (peer < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (peer < 0)
		return err_set(c->err, errno, "wait for start");
	c->fds[PLAN_FD_START] = fd_close(c->fds[PLAN_FD_START]);
	fd_close(c->fds[PLAN_FD_CHANNEL]);
	c->fds[PLAN_FD_CHANNEL] = peer;
	/* A `start` that was killed before it saved the state must not leave a program
	 * that runs in a container that is said to wait: then this is the end. */
	r = stage_ask(c, STAGE_STATUS, 0, c->fds[PLAN_FD_STATUS], STAGE_GO);
	c->fds[PLAN_FD_STATUS] = fd_close(c->fds[PLAN_FD_STATUS]);
	return r;
}

/* ---- LOAD_SECCOMP ---------------------------------------------------- */

/* The number that the next descriptor will get. */
static int
next_fd(void)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		fd = open("/", O_PATH | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int
announce_listener(struct plan_ctx *c, int *ret_fd)
{
	int fd = next_fd();

	if (fd < 0)
		return err_set(c->err, errno, "find a free descriptor for the seccomp listener");
	/* pidfd_getfd(2) asks for ptrace rights; ours changed with our ids. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return err_set(c->err, errno, "let the runtime take the seccomp listener");
	*ret_fd = fd;
	return stage_ask(c, STAGE_LISTENER, fd, -1, STAGE_NONE);
}

/* Any system call might now ask the listener, which nobody serves yet: wait
 * without one. The clock is read through the vDSO. */
static int
await_listener_taken(struct plan_ctx *c)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned spins = 1;; spins++) {
		if (__atomic_load_n(&c->status->listener_taken, __ATOMIC_ACQUIRE))
			return 0;
		if (spins % (1u << 20))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > LISTENER_TIMEOUT)
			return err_plain(c->err, "nobody took the seccomp listener within %d s", LISTENER_TIMEOUT);
	}
}

int
program_run_seccomp(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_seccomp *sc = &s->u.seccomp;
	struct sock_fprog prog = {
		.len = (unsigned short)(sc->filter.len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(c->plan->blob + sc->filter.off),
	};
	unsigned flags = sc->flags;
	int announced = -1;
	long got;

	if (sc->notify) {
		int r = announce_listener(c, &announced);

		if (r < 0)
			return r;
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	}
	got = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (got < 0)
		return err_set(c->err, errno, "load the filter of %u instructions", prog.len);
	if (sc->notify && got != announced)
		return err_plain(c->err, "the listener is fd %ld, %d was announced", got, announced);
	return sc->notify ? await_listener_taken(c) : 0;
}

/* ---- EXEC ------------------------------------------------------------ */

static int
build_environment(struct plan_ctx *c, const struct plan_exec *e)
{
	static char listen_pid[32];
	int n = plan_vector(c->plan, e->env, c->envp, c->max_vector - 2);

	if (n < 0)
		return err_plain(c->err, "process.env: more than %zu entries", c->max_vector - 3);
	if (e->listen_pid) {
		snprintf(listen_pid, sizeof(listen_pid), "LISTEN_PID=%d", (int)getpid());
		c->envp[n++] = listen_pid;
	}
	if (e->find_home)
		c->envp[n++] = home_find(e->uid);
	c->envp[n] = NULL;
	return 0;
}

int
program_run_prepare_exec(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_exec *e = &s->u.exec;
	int r;

	if (plan_vector(c->plan, e->args, c->argv, c->max_vector) < 0)
		return err_plain(c->err, "process.args: more than %zu entries", c->max_vector - 1);
	r = build_environment(c, e);
	if (r < 0)
		return r;
	r = fd_close_range(3 + e->keep_fds, ~0U, /* cloexec= */ true);
	if (r < 0)
		return err_set(c->err, -r, "close the runtime's descriptors");
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_set(c->err, errno, "clear the parent-death signal");
	return 0;
}

int
program_run_exec(struct plan_ctx *c, const struct plan_step *s)
{
	(void)s;
	__atomic_store_n(&c->status->at_exec, 1, __ATOMIC_RELEASE);
	execve(c->program, (char *const *)c->argv, (char *const *)c->envp);
	return err_set(c->err, errno, "exec: \"%s\"", c->program);
}
