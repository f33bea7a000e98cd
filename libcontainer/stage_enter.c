/* Theory of operation: how exec gets into a container that runs. Runs in
 * knarr:[join], before the process that the container will see is made; nothing
 * here allocates.
 *
 * The container's programs are hostile and run meanwhile (CVE-2016-9962: they
 * looked into the runtime's process between setns and execve). Three things keep
 * them out, all done before the clone that makes the process visible in the
 * container's pid namespace:
 *   - what needs the host's /proc (oom score, labels) is done first and inherited,
 *     so that neither a descriptor of it nor the container's own /proc is used;
 *   - every descriptor but the program's and the channel, a socket, is closed, so
 *     that there is nothing to find even for a container with CAP_SYS_PTRACE;
 *   - the process is not dumpable: /proc/PID/{exe,fd,mem,root} are closed.
 * The runtime's executable is replaced before all of this: exe_guard.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_range.h"
#include "libcontainer/credentials.h"
#include "libcontainer/planrun.h"
#include "libcontainer/stage_child.h"

/* The host's procfs: it was there before the container, and only the host's
 * administrator can mount something over it. */
static int
run_outside(struct plan_ctx *c)
{
	struct statfs fs;
	int r;

	credentials_raise_limits(c->plan, 0);
	if (c->plan->stage.n_outside == 0)
		return 0;
	c->fds[PLAN_FD_PROC] = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->fds[PLAN_FD_PROC] < 0 || fstatfs(c->fds[PLAN_FD_PROC], &fs) < 0)
		return err_set(c->err, errno, "open '/proc'");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_plain(c->err, "'/proc' is not a procfs");
	r = plan_run_outside(c);
	c->fds[PLAN_FD_PROC] = fd_close(c->fds[PLAN_FD_PROC]);
	return r;
}

/* All at once, so that the kernel checks every step with the rights of the caller
 * and of the user namespace, whoever of the two owns a namespace. A mount
 * namespace brings its root and the working folder along. */
static int
enter_namespaces(struct plan_ctx *c)
{
	int flags = (int)c->plan->stage.enter_flags;

	if (flags && setns(c->fds[PLAN_FD_INIT], flags) < 0)
		return err_set(c->err, errno, "enter the container's namespaces%s",
			       errno == EINVAL ? " (it needs Linux 5.8)" : "");
	return 0;
}

static int
enter_root(struct plan_ctx *c)
{
	int fd = c->fds[PLAN_FD_ROOT];

	if (fd < 0)
		return 0;
	if (fchdir(fd) < 0 || chroot(".") < 0)
		return err_set(c->err, errno, "change to the container's root");
	return 0;
}

static int
close_others(struct plan_ctx *c)
{
	unsigned first = 3 + c->plan->stage.keep_fds, channel = (unsigned)c->fds[PLAN_FD_CHANNEL];
	int r = channel > first ? fd_close_range(first, channel - 1, /* cloexec= */ false) : 0;

	if (r == 0)
		r = fd_close_range(channel + 1, ~0U, /* cloexec= */ false);
	if (r < 0)
		return err_set(c->err, -r, "close the runtime's descriptors");
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		if (i != PLAN_FD_CHANNEL)
			c->fds[i] = -1;
	return 0;
}

int
stage_enter(struct plan_ctx *c)
{
	int r = run_outside(c);

	if (r == 0)
		r = enter_namespaces(c);
	if (r == 0)
		r = enter_root(c);
	if (r == 0)
		r = close_others(c);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = err_set(c->err, errno, "make the process undumpable");
	return r;
}
