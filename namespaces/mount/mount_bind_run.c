/* The executors of PLAN_MOUNT_BIND and PLAN_REMOUNT.
 *
 * A bind mount is a detached clone of the source's mount. In a user namespace
 * the source may be out of reach for the child, or its sub-mounts locked; then
 * the parent opened the tree before the clone and left it in a slot. Such a
 * tree still belongs to the host's peer groups, so it is made a slave before
 * it is attached: no mount made in the container may travel out, unless the
 * plan says so (a shared volume below a shared root). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"

static int
take_tree(struct plan_ctx *c, const struct plan_mount_bind *mount)
{
	int fd = fd_take(&c->fds[mount->slot]);
	int r = fd < 0 ? -EBADF : 0;

	if (r == 0 && !mount->host_peer)
		r = mount_set_propagation(fd, MS_SLAVE | MS_REC);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}

/* In the container's root, which its links do not lead out of. */
static int
open_inside(struct plan_ctx *c, const struct plan_mount_bind *mount, unsigned flags)
{
	int nofollow = mount->source_nofollow ? O_NOFOLLOW : 0;
	auto_close int fd = path_open(c->fds[PLAN_FD_ROOT], plan_text(c->plan, mount->inside), O_PATH | nofollow, 0);

	return fd < 0 ? fd : mount_open_tree(fd, "", (flags & ~(unsigned)AT_SYMLINK_NOFOLLOW) | AT_EMPTY_PATH);
}

static int
open_source(struct plan_ctx *c, const struct plan_mount_bind *mount)
{
	unsigned flags = OPEN_TREE_CLONE;

	if (mount->slot)
		return take_tree(c, mount);
	if (mount->recursive)
		flags |= AT_RECURSIVE;
	if (mount->source_nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	if (mount->inside)
		return open_inside(c, mount, flags);
	return mount_open_tree(AT_FDCWD, plan_text(c->plan, mount->source), flags);
}

/* Opens dest itself even when it is a link; makes it when nothing is there. */
static int
open_dest_nofollow(int rootfd, const char *dest, bool dir)
{
	char name[NAME_MAX + 1];
	auto_close int parent = path_open_parent(rootfd, dest, 0755, name);
	int fd;

	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	return dir ? path_make_dir(parent, name, 0755) : path_make_file(parent, name, 0644);
}

static int
open_bind_dest(int rootfd, const char *dest, const struct plan_mount_bind *mount, bool is_dir)
{
	if (mount->dest_nofollow)
		return open_dest_nofollow(rootfd, dest, is_dir);
	return is_dir ? path_make_dir(rootfd, dest, 0755) : path_make_file(rootfd, dest, 0644);
}

/* Why a bind was refused, where the errno alone does not tell. */
static const char *
open_hint(const struct plan_mount_bind *mount, int code)
{
	if (code == EINVAL && !mount->recursive)
		return " (in a user namespace, a directory with mounts below it needs rbind)";
	return "";
}

static const char *
place_hint(bool is_dir, int dest_fd, int code)
{
	struct stat st;

	if (is_dir && (code == ENOTDIR || (fstat(dest_fd, &st) == 0 && !S_ISDIR(st.st_mode))))
		return " (the source is a directory, the destination is not)";
	if (!is_dir && fstat(dest_fd, &st) == 0 && S_ISDIR(st.st_mode))
		return " (the source is not a directory, the destination is)";
	return "";
}

int
mount_run_bind(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_mount_bind *m = &step->u.mount_bind;
	const char *source = plan_text(c->plan, m->source), *dest = rootfs_text(c->plan, m->dest);
	auto_close int tree = open_source(c, m);
	auto_close int dest_fd = -1;
	int fd = tree, r;
	struct stat st;
	bool is_dir;

	if (tree < 0)
		return err_set(c->err, -tree, "bind '%s' to '%s': open the source%s", source, dest,
			       open_hint(m, -tree));
	/* The plan's guess may be of what was there before an earlier mount. */
	is_dir = fstat(tree, &st) == 0 ? S_ISDIR(st.st_mode) : m->source_is_dir;
	dest_fd = open_bind_dest(c->fds[PLAN_FD_ROOT], dest, m, is_dir);
	if (dest_fd < 0)
		return err_set(c->err, -dest_fd, "bind '%s' to '%s': make the mount point%s", source, dest,
			       place_hint(is_dir, -1, -dest_fd));
	r = mount_place_is_hidden_proc(dest_fd, dest);
	if (r < 0)
		return err_set(c->err, -r, "bind '%s' to '%s': look at the place", source, dest);
	if (r > 0)
		return err_plain(c->err, "bind '%s' to '%s': a link in the root file system leads into /proc", source,
				 dest);
	r = mount_set_attrs(tree, m->attrs, false);
	if (r == 0)
		r = mount_set_attrs(tree, m->rec_attrs, true);
	if (r < 0)
		return err_set(c->err, -r, "bind '%s' to '%s': set the mount flags", source, dest);
	r = mount_attach(c, &tree, dest_fd);
	if (r < 0)
		return err_set(c->err, -r, "bind '%s' to '%s'%s%s", source, dest, place_hint(is_dir, dest_fd, -r),
			       mount_attach_hint(r));
	r = mount_keep(c, dest, -1);
	if (r == 0)
		r = mount_hold(c, m->held, fd);
	if (r == 0)
		r = mount_set_propagation(fd, m->propagation);
	if (r < 0)
		return err_set(c->err, -r, "bind '%s' to '%s': set the propagation", source, dest);
	return 0;
}

/* Options of the file system itself, as opposed to flags of one mount of it. */
static int
reconfigure(struct plan_ctx *c, int fd, const char *dest, struct plan_strv options)
{
	auto_fs_context struct fs_context f = { mount_fspick(fd), c->err, "remount", dest };
	int r;

	if (f.fd < 0)
		return err_set(c->err, -f.fd, "remount '%s'", dest);
	r = fs_context_set_all(&f, c->plan, options);
	if (r < 0)
		return r;
	r = mount_fsconfig(f.fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	return r < 0 ? fs_context_fail(&f, -r, NULL) : 0;
}

/* The mount that an earlier step made, whatever is at its path by now; or one that came
 * with the root or with a bind, which only its path names. */
static int
open_mount(struct plan_ctx *c, const struct plan_remount *remount)
{
	int fd;

	if (!remount->held)
		return path_open(c->fds[PLAN_FD_ROOT], rootfs_text(c->plan, remount->dest), O_PATH, 0);
	fd = fcntl(c->fds[remount->held], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int
mount_run_remount(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_remount *m = &step->u.remount;
	const char *dest = rootfs_text(c->plan, m->dest);
	auto_close int fd = open_mount(c, m);
	int r = 0;

	if (fd < 0)
		return err_set(c->err, -fd, "remount '%s'", dest);
	if (m->superblock)
		r = reconfigure(c, fd, dest, m->options);
	if (r < 0)
		return r;
	r = mount_set_attrs(fd, m->attrs, false);
	if (r == 0)
		r = mount_set_attrs(fd, m->rec_attrs, true);
	if (r == 0)
		r = mount_set_propagation(fd, m->propagation);
	if (r < 0)
		return err_set(c->err, -r, "remount '%s'%s", dest, r == -EINVAL ? " (it is not a mount point)" : "");
	return 0;
}
