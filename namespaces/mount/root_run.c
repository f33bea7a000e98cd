/* The container's root: propagation of the tree it is built in, binding it,
 * making it read-only, and stepping into it.
 *
 * pivot_root(".", ".") stacks the old root on top of the new one, so no directory
 * for it is needed inside; it is made a slave first, so that its unmounting
 * stays in this namespace, and then detached with everything that was only
 * needed while the root was put together. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"

int
root_run_propagation(struct plan_ctx *c, const struct plan_step *step)
{
	int r = mount_classic(NULL, "/", NULL, step->u.propagation.flags, NULL);

	if (r < 0)
		return err_set(c->err, -r, "set the propagation of '/'%s",
			       r == -EINVAL ? " (it is not a mount point: inside a chroot?)" : "");
	return 0;
}

/* A clone of the directory with all that is mounted below it, or the tree that the
 * parent opened. */
static int
open_root_tree(struct plan_ctx *c, const struct plan_root_bind *bind)
{
	auto_close int dir = -1;
	int fd, r;

	if (!bind->slot) {
		dir = mount_open_host(rootfs_text(c->plan, bind->path), O_PATH | O_DIRECTORY);
		if (dir < 0)
			return dir;
		return mount_open_tree(dir, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
	}
	/* It is still a peer of the host's mounts: cut the way out. */
	fd = fd_take(&c->fds[bind->slot]);
	r = fd < 0 ? -EBADF : mount_set_propagation(fd, MS_SLAVE | MS_REC);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}

int
root_run_bind(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_root_bind *b = &step->u.root_bind;
	const char *path = rootfs_text(c->plan, b->path);
	auto_close int tree = b->open_only ? mount_open_host(path, O_PATH | O_DIRECTORY) : open_root_tree(c, b);
	auto_close int place = -1;
	int r;

	if (tree < 0)
		return err_set(c->err, -tree, "open the root file system '%s'", path);
	if (b->open_only) {
		mount_set_root(c, &tree);
		return 0;
	}
	r = mount_root_place(path, &place);
	if (r == 0)
		r = mount_attach_root(c, &tree, place);
	if (r < 0)
		return err_set(c->err, -r, "bind the root file system '%s'%s", path, mount_attach_hint(r));
	return 0;
}

int
root_run_readonly(struct plan_ctx *c, const struct plan_step *step)
{
	int r = mount_set_attrs(c->fds[PLAN_FD_ROOT], (struct plan_attrs){ .set = MOUNT_ATTR_RDONLY }, false);

	(void)step;
	return r < 0 ? err_set(c->err, -r, "make the root read-only") : 0;
}

static int
pivot(struct plan_ctx *c)
{
	auto_close int old = mount_open_host("/", O_PATH | O_DIRECTORY);
	int r;

	if (old < 0 || fchdir(c->fds[PLAN_FD_ROOT]) < 0)
		return err_set(c->err, errno, "enter the root file system");
	r = mount_pivot_root(".", ".");
	if (r < 0)
		return err_set(c->err, -r, "pivot_root%s",
			       r == -EINVAL ? " (the present root is an initramfs or a chroot? see --no-pivot)" : "");
	r = mount_set_propagation(old, MS_SLAVE | MS_REC);
	if (r == 0)
		r = mount_detach(".");
	return r < 0 ? err_set(c->err, -r, "unmount the old root") : 0;
}

static int
enter_by_chroot(struct plan_ctx *c)
{
	if (fchdir(c->fds[PLAN_FD_ROOT]) < 0 || chroot(".") < 0)
		return err_set(c->err, errno, "chroot into the root file system");
	return 0;
}

int
root_run_pivot(struct plan_ctx *c, const struct plan_step *step)
{
	int r;

	switch (step->u.pivot.how) {
	case PLAN_BY_PIVOT:
		r = pivot(c);
		break;
	case PLAN_BY_MOVE:
		r = root_move(c);
		if (r == 0)
			r = enter_by_chroot(c);
		break;
	default:
		r = enter_by_chroot(c);
	}
	if (r < 0)
		return r;
	return chdir("/") < 0 ? err_set(c->err, errno, "change to '/' of the container") : 0;
}
