/* The order at the end of a container's set-up, and why: the program is looked
 * up while system calls are still free and with the privileges that it will have;
 * `create` has then reported a missing program. After `start` only two calls
 * remain for the seccomp filter to allow: none of ours but execve. */
#include "libcontainer/stage/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/access.h"
#include "base/fd.h"
#include "base/fd_range.h"
#include "libcontainer/process/home.h"
#include "libcontainer/stage/exec_error.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/state/state.h"

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
 * N may be a directory of the host (CVE-2024-21626). A procfs without masks among
 * them would also be there for whoever may look into the waiting init. */
int
program_run_close_fds(struct plan_ctx *c, const struct plan_step *step)
{
	unsigned from = 3 + step->u.close_fds.keep;
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
	/* The ids are the program's already. */
	return access_check(AT_FDCWD, path, X_OK);
}

/* Why this program is denied, where it can be told. */
static const char *
denied_hint(const char *path)
{
	struct stat st;
	struct statfs fs;

	if (stat(path, &st) < 0)
		return "";
	if (!S_ISREG(st.st_mode))
		return " (it is not a regular file)";
	if (!(st.st_mode & 0111))
		return " (the file is not executable)";
	if (statfs(path, &fs) == 0 && (fs.f_flags & ST_NOEXEC))
		return " (its file system is mounted noexec)";
	return "";
}

/* The path leads to nothing that may be executed: the next one is tried. */
static bool
is_no_program(int code)
{
	return code == -ENOENT || code == -ENOTDIR || code == -ENAMETOOLONG || code == -EACCES || code == -EISDIR ||
	       code == -ELOOP;
}

int
program_run_find(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_program *p = &step->u.program;
	const char *name = plan_text(c->plan, p->name);
	const char *path = plan_first(c->plan, p->candidates);
	int worst = ENOENT;
	const char *denied = NULL;

	for (uint32_t i = 0; i < p->candidates.n; i++, path = plan_next(path)) {
		int r = check_candidate(path);

		if (r == 0) {
			c->program = path;
			return 0;
		}
		if (!is_no_program(r))
			return err_set(c->err, -r, "exec: \"%s\"", path);
		if (r == -EACCES || r == -EISDIR || r == -ELOOP)
			worst = -r;
		if (r == -EACCES)
			denied = path;
	}
	/* Callers of OCI runtimes match "executable file not found in $PATH",
	 * "no such file or directory" and "permission denied". */
	if (worst == ENOENT && p->searched)
		return err_set(c->err, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
	if (worst == EISDIR) {
		err_plain(c->err, "exec: \"%s\" is a directory: permission denied", name);
		return -EACCES;
	}
	return err_set(c->err, worst, "exec: \"%s\"%s", name, worst == EACCES && denied ? denied_hint(denied) : "");
}

/* ---- FIND_HOME ------------------------------------------------------- */

/* As root still: the file may be closed to the program. */
int
program_run_find_home(struct plan_ctx *c, const struct plan_step *step)
{
	return home_find(step->u.home.uid, c->home, c->err);
}

/* ---- LOAD_SECCOMP ---------------------------------------------------- */

struct sock_fprog
program_filter(const struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_bytes *filter = &step->u.seccomp.filter;

	return (struct sock_fprog){
		.len = (unsigned short)(filter->len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(c->plan->blob + filter->off),
	};
}

int
program_load_filter(struct plan_ctx *c, const struct plan_step *step)
{
	struct sock_fprog prog = program_filter(c, step);
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, step->u.seccomp.flags, &prog);

	if (r < 0)
		return err_set(c->err, errno, "linux.seccomp: load the filter of %u instructions", prog.len);
	if (r > 0) /* TSYNC: the thread that could not follow */
		return err_plain(c->err, "linux.seccomp: load the filter of %u instructions: thread %ld refuses it",
				 prog.len, r);
	return 0;
}

/* ---- PREPARE_EXEC ------------------------------------------------------------ */

static int
build_environment(struct plan_ctx *c, const struct plan_exec *exec)
{
	int n = plan_vector(c->plan, exec->env, c->envp, c->max_vector - 2);

	if (n < 0)
		return err_plain(c->err, "process.env: no room for %u entries", exec->env.n);
	if (exec->listen_pid)
		c->envp[n++] = c->listen_pid - strlen("LISTEN_PID=");
	if (exec->find_home)
		c->envp[n++] = c->home;
	c->envp[n] = NULL;
	return 0;
}

int
program_run_prepare_exec(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_exec *e = &step->u.exec;
	int r;

	if (plan_vector(c->plan, e->args, c->argv, c->max_vector) < 0)
		return err_plain(c->err, "process.args: no room for %u entries", e->args.n);
	r = build_environment(c, e);
	if (r < 0)
		return r;
	r = fd_close_range(3 + e->keep_fds, ~0U, /* cloexec= */ true);
	return r < 0 ? err_set(c->err, -r, "close the runtime's descriptors") : 0;
}
