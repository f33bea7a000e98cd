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
#include "namespaces/fs_context.h"
#include "namespaces/mount_api.h"
#include "namespaces/mount_attach.h"
#include "namespaces/path_in_root.h"
#include "namespaces/rootfs.h"
#include "namespaces/rootfs_run.h"

static int
take_tree(struct plan_ctx *c, const struct plan_mount_bind *m)
{
	int fd = fd_take(&c->fds[m->slot]);
	int r = fd < 0 ? -EBADF : 0;

	if (r == 0 && !m->host_peer)
		r = mount_set_propagation(fd, MS_SLAVE | MS_REC);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}

static int
open_source(struct plan_ctx *c, const struct plan_mount_bind *m)
{
	unsigned flags = OPEN_TREE_CLONE;

	if (m->slot)
		return take_tree(c, m);
	if (m->recursive)
		flags |= AT_RECURSIVE;
	if (m->source_nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	return mount_open_tree(AT_FDCWD, plan_text(c->plan, m->source), flags);
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
open_bind_dest(int rootfd, const char *dest, const struct plan_mount_bind *m)
{
	if (m->dest_nofollow)
		return open_dest_nofollow(rootfd, dest, m->source_is_dir);
	return m->source_is_dir ? path_make_dir(rootfd, dest, 0755) : path_make_file(rootfd, dest, 0644);
}

/* Why a bind was refused, where the errno alone does not tell. */
static const char *
open_hint(const struct plan_mount_bind *m, int code)
{
	if (code == EINVAL && !m->recursive)
		return " (in a user namespace, a folder with mounts below it needs rbind)";
	return "";
}

static const char *
place_hint(const struct plan_mount_bind *m, int dest_fd, int code)
{
	struct stat st;

	if (m->source_is_dir && (code == ENOTDIR || (fstat(dest_fd, &st) == 0 && !S_ISDIR(st.st_mode))))
		return " (the source is a folder, the destination is not)";
	if (!m->source_is_dir && fstat(dest_fd, &st) == 0 && S_ISDIR(st.st_mode))
		return " (the source is not a folder, the destination is)";
	return "";
}

int
rootfs_run_mount_bind(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_mount_bind *m = &s->u.mount_bind;
	const char *source = plan_text(c->plan, m->source), *dest = rootfs_text(c->plan, m->dest);
	auto_close int tree = open_source(c, m);
	auto_close int dest_fd = -1;
	int fd = tree, r;

	if (tree < 0)
		return err_set(c->err, -tree, "bind '%s' to '%s': open the source%s", source, dest,
			       open_hint(m, -tree));
	dest_fd = open_bind_dest(c->fds[PLAN_FD_ROOT], dest, m);
	if (dest_fd < 0)
		return err_set(c->err, -dest_fd, "bind '%s' to '%s': make the mount point%s", source, dest,
			       place_hint(m, -1, -dest_fd));
	if (mount_place_is_hidden_proc(dest_fd, dest))
		return err_plain(c->err, "bind '%s' to '%s': a link in the root file system leads into /proc", source,
				 dest);
	r = mount_set_attrs(tree, m->attrs, false);
	if (r == 0)
		r = mount_set_attrs(tree, m->rec_attrs, true);
	if (r < 0)
		return err_set(c->err, -r, "bind '%s' to '%s': set the mount flags", source, dest);
	r = mount_attach(c, &tree, dest_fd);
	if (r < 0)
		return err_set(c->err, -r, "bind '%s' to '%s'%s", source, dest, place_hint(m, dest_fd, -r));
	mount_keep(c, dest, -1);
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

int
rootfs_run_remount(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_remount *m = &s->u.remount;
	const char *dest = rootfs_text(c->plan, m->dest);
	auto_close int fd = path_open(c->fds[PLAN_FD_ROOT], dest, O_PATH, 0);
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
