/* Theory of operation: how exec gets into a container that runs. Runs in
 * knarr:[join], before the process that the container will see is made; nothing
 * here allocates.
 *
 * The container's programs are hostile and run meanwhile (CVE-2016-9962: they
 * looked into the runtime's process between setns and execve). knarr:[join] itself is in no
 * pid namespace of theirs. What needs the host's /proc (oom score, labels) is done
 * first and inherited, so that neither a descriptor of it nor the container's own
 * /proc is used; then every descriptor but the program's and the channel, a socket, is
 * closed, so that no path of the container's leads to one. */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_range.h"
#include "libcontainer/stage/planrun.h"
#include "libcontainer/stage/stage_child.h"

/* All at once, so that the kernel checks every step with the privileges of the caller
 * and of the user namespace, whoever of the two owns a namespace. A mount
 * namespace brings its root and the working directory along. */
static int
enter_namespaces(struct plan_ctx *c)
{
	int flags = (int)c->plan->spawn.enter_flags;

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
	unsigned first = 3 + c->plan->spawn.keep_fds, channel = (unsigned)c->fds[PLAN_FD_CHANNEL];
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
	int r = planrun_outside(c);

	if (r == 0)
		r = enter_namespaces(c);
	if (r == 0)
		r = enter_root(c);
	return r < 0 ? r : close_others(c);
}
