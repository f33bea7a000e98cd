/* A process's "/" is a mount and a directory, not a path: what is mounted on top
 * of "/" is invisible to all who already stand there. That is a place for
 * mounts that must be attached to something but have no place on the host. */
#include "namespaces/mount/mount_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/path_text.h"

int
mount_set_attrs(int fd, struct plan_attrs attrs, bool recursive)
{
	struct mount_attr all = { .attr_set = attrs.set, .attr_clr = attrs.clear };
	struct mount_attr set = { .attr_set = attrs.set & ~(uint64_t)MOUNT_ATTR__ATIME };
	int r;

	/* The kernel wants the whole field named when a time mode is chosen. */
	if ((all.attr_set | all.attr_clr) & MOUNT_ATTR__ATIME)
		all.attr_clr |= MOUNT_ATTR__ATIME;
	if (!all.attr_set && !all.attr_clr)
		return 0;
	r = mount_setattr_fd(fd, recursive, &all);
	if (r != -EPERM || !all.attr_clr)
		return r;

	/* Some flag is locked: what restricts is set at once, then each bit that
	 * would loosen is tried alone. */
	if (set.attr_set) {
		r = mount_setattr_fd(fd, recursive, &set);
		if (r < 0)
			return r;
	}
	for (uint64_t bit = 1; bit <= MOUNT_ATTR_NOSYMFOLLOW; bit <<= 1) {
		struct mount_attr one = { .attr_clr = all.attr_clr & ~(uint64_t)MOUNT_ATTR__ATIME & bit };

		if (!one.attr_clr)
			continue;
		r = mount_setattr_fd(fd, recursive, &one);
		if (r < 0 && r != -EPERM)
			return r;
	}
	return 0;
}

int
mount_set_propagation(int fd, uint32_t propagation)
{
	struct mount_attr attr = { .propagation = propagation & ~(uint32_t)MS_REC };

	if (!propagation)
		return 0;
	return mount_setattr_fd(fd, propagation & MS_REC, &attr);
}

void
mount_set_root(struct plan_ctx *c, int *fd)
{
	fd_close(c->fds[PLAN_FD_ROOT]);
	c->fds[PLAN_FD_ROOT] = fd_take(fd);
	c->root_mount = 0;
}

/* 1: it is. The root's own fd would keep naming the directory below the new mount. */
static int
is_root(struct plan_ctx *c, int fd)
{
	struct mount_place place;
	int r = 0;

	if (!c->root_mount) {
		r = mount_place_of(c->fds[PLAN_FD_ROOT], &place);
		if (r < 0)
			return r;
		c->root_mount = place.mount_id;
		c->root_inode = place.inode;
	}
	r = mount_place_of(fd, &place);
	return r < 0 ? r : c->root_mount == place.mount_id && c->root_inode == place.inode;
}

int
mount_place_is_hidden_proc(int place_fd, const char *dest)
{
	struct statfs fs;

	if (path_is_in(dest, "/proc"))
		return 0;
	return fstatfs(place_fd, &fs) < 0 ? -errno : fs.f_type == PROC_SUPER_MAGIC;
}

int
mount_attach(struct plan_ctx *c, int *mount_fd, int place_fd)
{
	int on_root = is_root(c, place_fd);
	int r = on_root < 0 ? on_root : mount_move(*mount_fd, place_fd);

	if (r == 0 && on_root)
		mount_set_root(c, mount_fd);
	return r;
}

const char *
mount_attach_hint(int code)
{
	return code == -ENOSPC ? " (the number of mounts in /proc/sys/fs/mount-max is reached)" : "";
}

static const struct {
	const char *dest;
	enum plan_slot slot;
} kept_mounts[] = {
	{ "/proc", PLAN_FD_PROC_MOUNT },
	{ "/sys", PLAN_FD_SYS_MOUNT },
};

int
mount_keep(struct plan_ctx *c, const char *dest, int mount_fd)
{
	bool all = strcmp(dest, "/") == 0;

	for (size_t i = 0; i < sizeof(kept_mounts) / sizeof(kept_mounts[0]); i++) {
		int *slot = &c->fds[kept_mounts[i].slot];

		if (!all && strcmp(dest, kept_mounts[i].dest) != 0)
			continue;
		fd_close(*slot);
		*slot = mount_fd < 0 ? -1 : fcntl(mount_fd, F_DUPFD_CLOEXEC, 0);
		if (mount_fd >= 0 && *slot < 0)
			return -errno;
	}
	return 0;
}

int
mount_hold(struct plan_ctx *c, uint16_t slot, int mount_fd)
{
	if (!slot)
		return 0;
	c->fds[slot] = fcntl(mount_fd, F_DUPFD_CLOEXEC, 0);
	return c->fds[slot] < 0 ? -errno : 0;
}

int
mount_open_kept(const struct plan_ctx *c, const char *path)
{
	for (size_t i = 0; i < sizeof(kept_mounts) / sizeof(kept_mounts[0]); i++) {
		int fd = c->fds[kept_mounts[i].slot];
		size_t len = strlen(kept_mounts[i].dest);

		if (fd >= 0 && path_is_in(path, kept_mounts[i].dest) && path[len] && !strstr(path, ".."))
			return path_open(fd, path + len, O_PATH, 0);
	}
	return path_open(c->fds[PLAN_FD_ROOT], path, O_PATH, 0);
}

int
mount_root_place(const char *target, int *ret_place)
{
	int fd = target ? mount_open_host(target, O_PATH | O_DIRECTORY) : -EACCES;

	if (fd < 0 && fd != -EACCES)
		return fd;
	*ret_place = fd < 0 ? -1 : fd;
	return 0;
}

int
mount_attach_place(int mount_fd, int place_fd)
{
	auto_close int top = place_fd < 0 ? mount_open_host("/", O_PATH | O_DIRECTORY) : -1;

	if (place_fd < 0 && top < 0)
		return top;
	return mount_move(mount_fd, place_fd < 0 ? top : place_fd);
}

int
mount_attach_root(struct plan_ctx *c, int *mount_fd, int place_fd)
{
	int r = mount_attach_place(*mount_fd, place_fd);

	if (r == 0)
		mount_set_root(c, mount_fd);
	return r;
}
