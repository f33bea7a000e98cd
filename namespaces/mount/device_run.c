/* The executors of PLAN_MAKE_DIR, PLAN_MAKE_DEVICE, PLAN_BIND_DEVICE and
 * PLAN_MAKE_SYMLINK.
 *
 * Nodes are made by name in a parent directory that was resolved below the root
 * and is held open (a rootfs whose /dev is a link to a host directory gets nothing
 * there: CVE-2026-41579, CVE-2026-47766). The last component is never followed:
 * what stands there is opened with O_NOFOLLOW, looked at, and changed only
 * through that descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

int
device_run_make_dir(struct plan_ctx *c, const struct plan_step *step)
{
	const char *path = rootfs_text(c->plan, step->u.make_dir.path);
	auto_close int fd = path_make_dir(c->fds[PLAN_FD_ROOT], path, step->u.make_dir.mode);

	return fd < 0 ? plan_answer(c, err_set(c->err, -fd, "make the directory '%s'", path)) : 0;
}

/* chmod(2) for an O_PATH descriptor: a system call since Linux 6.6, before that
 * through the runtime's own /proc. */
static int
set_mode(int fd, mode_t mode)
{
	char link[32];

	if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM) /* EPERM: an older seccomp profile around the runtime */
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return fchmodat(AT_FDCWD, link, mode, 0) < 0 ? -errno : 0;
}

static bool
is_device(const struct stat *st, const struct plan_device *device)
{
	if ((st->st_mode & S_IFMT) != (device->mode & S_IFMT))
		return false;
	return S_ISFIFO(st->st_mode) || st->st_rdev == makedev(device->major, device->minor);
}

static const char *
kind_name(mode_t mode)
{
	return S_ISCHR(mode) ? "character device" : S_ISBLK(mode) ? "block device" : "fifo";
}

static const char *
path_of(const struct plan_ctx *c, const struct plan_step *step)
{
	return rootfs_text(c->plan, step->kind == PLAN_MAKE_SYMLINK ? step->u.symlink.path : step->u.device.path);
}

/* The last component of a path that is written plainly; NULL: it is not. */
static const char *
plain_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : "";

	return !*name || strlen(name) > NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? NULL : name;
}

/* As path_open_parent() for the step's path. The default devices are made one right after the
 * other in one directory, which is looked up for the first of them: nothing was mounted
 * meanwhile. The descriptor stays in its slot. */
static int
open_parent(struct plan_ctx *c, const struct plan_step *step, char *ret_name)
{
	const struct plan_step *before = c->node_step;
	const char *path = path_of(c, step), *name = plain_name(path), *old = before ? path_of(c, before) : "";
	int *slot = &c->fds[PLAN_FD_NODES], fd;

	if (name && before && before + 1 == step && strncmp(old, path, (size_t)(name - path)) == 0 &&
	    plain_name(old) == old + (name - path)) {
		memcpy(ret_name, name, strlen(name) + 1);
		c->node_step = step;
		return *slot;
	}
	fd = path_open_parent(c->fds[PLAN_FD_ROOT], path, 0755, ret_name);
	if (before)
		fd_close(*slot);
	*slot = fd < 0 ? -1 : fd;
	c->node_step = fd < 0 ? NULL : step;
	return fd;
}

/* 1: something of that name was there. *ret_refused: it was mknod(2) that failed. */
static int
make_node(int parent, const char *name, const struct plan_device *device, bool *ret_refused)
{
	int r = mknodat(parent, name, device->mode, makedev(device->major, device->minor)) < 0 ? -errno : 0;

	*ret_refused = r < 0 && r != -EEXIST;
	return r == -EEXIST ? 1 : r;
}

/* Owner first: chown(2) takes set-id bits away. */
static int
set_owner_and_mode(int fd, const struct stat *st, const struct plan_device *device)
{
	if ((st->st_uid != device->uid || st->st_gid != device->gid) &&
	    fchownat(fd, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	return (st->st_mode & 07777) == (device->mode & 07777) ? 0 : set_mode(fd, device->mode & 07777);
}

/* It has owner and mode already. */
static bool
is_whole(const struct stat *st, const struct plan_device *device)
{
	return st->st_uid == device->uid && st->st_gid == device->gid &&
	       (st->st_mode & 07777) == (device->mode & 07777);
}

int
device_run_make(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_device *d = &step->u.device;
	const char *path = rootfs_text(c->plan, d->path);
	char name[NAME_MAX + 1];
	int parent = open_parent(c, step, name);
	auto_close int fd = -1;
	struct stat st;
	bool refused = false;
	int r = parent < 0 ? parent : make_node(parent, name, d, &refused);

	if (r < 0)
		err_set(c->err, -r, "make the %s '%s'", kind_name(d->mode), path);
	if (r < 0)
		return refused ? plan_answer(c, r) : r;
	if (r == 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_device(&st, d) && is_whole(&st, d))
		return 0;
	/* There is something to change, or to say. */
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(c->err, errno, "open the device '%s'", path);
	if (!is_device(&st, d))
		return err_plain(c->err, "'%s' exists and is not the %s %u:%u", path, kind_name(d->mode), d->major,
				 d->minor);
	if (r == 1 && d->keep_existing)
		return 0;
	r = set_owner_and_mode(fd, &st, d);
	return r < 0 ? err_set(c->err, -r, "set owner and mode of the device '%s'", path) : 0;
}

/* The place to bind a device to: any file but a link or a directory. */
static int
open_node_place(int rootfd, const char *path)
{
	char name[NAME_MAX + 1];
	auto_close int parent = path_open_parent(rootfd, path, 0755, name);
	auto_close int fd = -1;
	struct stat st;
	int made;

	if (parent < 0)
		return parent;
	made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (made < 0 && errno != EEXIST)
		return -errno;
	fd_close(made);
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ELOOP;
	return fd_take(&fd);
}

int
device_run_bind(struct plan_ctx *c, const struct plan_step *step)
{
	const char *path = rootfs_text(c->plan, step->u.bind_device.path);
	const char *source = rootfs_text(c->plan, step->u.bind_device.source);
	auto_close int place = open_node_place(c->fds[PLAN_FD_ROOT], path);
	auto_close int tree = step->u.bind_device.slot ? fd_take(&c->fds[step->u.bind_device.slot]) : -1;
	struct stat st;
	int r;

	if (place < 0)
		return err_set(c->err, -place, "make a place for the device '%s'", path);
	if (tree < 0)
		tree = mount_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);
	if (tree < 0)
		return err_set(c->err, -tree, "open the host's device '%s'", source);
	if (fstat(tree, &st) < 0)
		return err_set(c->err, errno, "open the host's device '%s'", source);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_plain(c->err, "'%s' of the host is not a device", source);
	/* What somebody puts in place of the node gives nobody privileges. */
	r = mount_set_attrs(tree, (struct plan_attrs){ .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC }, false);
	if (r == 0)
		r = mount_attach(c, &tree, place);
	return r < 0 ? err_set(c->err, -r, "bind the host's device '%s' to '%s'%s", source, path, mount_attach_hint(r))
		     : 0;
}

/* /dev/ptmx of an image (a device, or a link elsewhere) would lead to another
 * devpts than the container's; anything else that exists is the image's choice. */
static int
must_replace(int parent, const char *path, const char *name)
{
	struct stat st;

	if (strcmp(path, "/dev/ptmx") != 0)
		return 0;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) || S_ISLNK(st.st_mode);
}

int
device_run_make_symlink(struct plan_ctx *c, const struct plan_step *step)
{
	const char *path = rootfs_text(c->plan, step->u.symlink.path);
	const char *target = rootfs_text(c->plan, step->u.symlink.target);
	char name[NAME_MAX + 1], old[PATH_MAX];
	int parent = open_parent(c, step, name);
	ssize_t n;
	int r;

	if (parent < 0)
		return err_set(c->err, -parent, "make the link '%s'", path);
	if (symlinkat(target, parent, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_set(c->err, errno, "make the link '%s' to '%s'", path, target);
	n = readlinkat(parent, name, old, sizeof(old));
	if (n == (ssize_t)strlen(target) && memcmp(old, target, (size_t)n) == 0)
		return 0;
	r = n < 0 && errno != EINVAL ? -errno : must_replace(parent, path, name); /* EINVAL: not a link */
	if (r < 0)
		return err_set(c->err, -r, "look at '%s'", path);
	if (r == 0)
		return 0;
	/* EBUSY: somebody mounted their own ptmx there. */
	if (unlinkat(parent, name, 0) < 0)
		return errno == EBUSY ? 0 : err_set(c->err, errno, "replace '%s'", path);
	if (symlinkat(target, parent, name) < 0)
		return err_set(c->err, errno, "make the link '%s' to '%s'", path, target);
	return 0;
}
