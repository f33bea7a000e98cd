/* The private procfs and the executor of PLAN_WRITE_SYSCTL.
 *
 * What the runtime writes below /proc must reach the kernel and not a file that
 * the image or a racing container put in its place (CVE-2019-16884,
 * CVE-2025-52881). So it goes through a procfs that is never attached anywhere:
 * nothing can be mounted over its parts, and the look-up refuses links and
 * mount points all the same. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"
#include "namespaces/namespace.h"

int
proc_open(struct plan_ctx *c)
{
	const uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	auto_fs_context struct fs_context f = { .fd = -1 };
	auto_close int fd = -1;
	struct statfs fs;
	int r;

	if (c->fds[PLAN_FD_PROC] >= 0)
		return 0;
	r = fs_context_open(&f, c->err, "proc", "a private place");
	if (r == 0)
		r = fs_context_mount(&f, attrs, &fd);
	if (r < 0)
		return r;
	if (fstatfs(fd, &fs) < 0)
		return err_set(c->err, errno, "look at the private procfs");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_plain(c->err, "the private procfs is not a procfs");
	c->fds[PLAN_FD_PROC] = fd_take(&fd);
	return 0;
}

/* Opens sys/NAME, which is a plain file of the procfs or nothing. */
static int
open_sysctl(int proc_fd, const char *name)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	char path[PATH_MAX];
	long fd;

	if (snprintf(path, sizeof(path), "sys/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int
proc_run_write_sysctl(struct plan_ctx *c, const struct plan_step *step)
{
	const char *name = rootfs_text(c->plan, step->u.sysctl.name),
		   *value = rootfs_text(c->plan, step->u.sysctl.value);
	int r = proc_open(c);
	auto_close int fd = -1;
	ssize_t n;

	if (r == 0)
		r = namespace_check_foreign(c, &step->u.sysctl.own);
	if (r < 0)
		return r;
	fd = open_sysctl(c->fds[PLAN_FD_PROC], name);
	if (fd < 0)
		return err_set(c->err, -fd, "open /proc/sys/%s", name);
	/* The kernel takes the value of one write(2) and no more. */
	do
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(c->err, errno, "write '%s' to /proc/sys/%s", value, name);
	if ((size_t)n != strlen(value))
		return err_set(c->err, EIO, "write '%s' to /proc/sys/%s: only %zd bytes were taken", value, name, n);
	return 0;
}
