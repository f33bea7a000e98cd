/* The executors of PLAN_MASK_PATH and PLAN_READONLY_PATH.
 *
 * A file is hidden by the host's /dev/null, which is opened outside the rootfs
 * and checked to be the character device 1:3: the rootfs's own could be a link
 * to a file that the bind would then expose (CVE-2025-31133). Folders are
 * hidden by one empty read-only tmpfs, mounted for the first of them and cloned
 * for the others, which is cheaper than a tmpfs each.
 *
 * A path that does not exist is -ENOENT, or -ENOTDIR: the plan skips those. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "namespaces/fs_context.h"
#include "namespaces/mount_api.h"
#include "namespaces/mount_attach.h"
#include "namespaces/rootfs.h"
#include "namespaces/rootfs_run.h"

static int
mask_file(struct plan_ctx *c, int place, const char *path)
{
	auto_close int tree = mount_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE);
	struct stat st;
	int r;

	if (tree < 0)
		return err_set(c->err, -tree, "mask '%s': open /dev/null of the host", path);
	if (fstat(tree, &st) < 0)
		return err_set(c->err, errno, "mask '%s': open /dev/null of the host", path);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_plain(c->err, "mask '%s': /dev/null of the host is not the character device 1:3", path);
	r = mount_move(tree, place);
	return r < 0 ? err_set(c->err, -r, "mask '%s'", path) : 0;
}

/* The tmpfs that hides folders, detached. */
static int
make_empty_dir(struct plan_ctx *c, const char *path, int *ret_fd)
{
	const uint64_t attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	auto_fs_context struct fs_context f;
	int r = fs_context_open(&f, c->err, "tmpfs", path);

	if (r == 0)
		r = fs_context_set(&f, "source", "tmpfs");
	if (r == 0)
		r = fs_context_set(&f, "size", "4k");
	if (r == 0)
		r = fs_context_set(&f, "nr_inodes", "2");
	if (r == 0)
		r = fs_context_set(&f, "mode", "0755");
	if (r == 0)
		r = fs_context_set(&f, "ro", NULL);
	return r == 0 ? fs_context_mount(&f, attrs, ret_fd) : r;
}

static int
mask_dir(struct plan_ctx *c, int place, const char *path)
{
	int shared = c->fds[PLAN_FD_MASK_DIR], r = 0;
	auto_close int tree = -1;

	if (shared < 0)
		r = make_empty_dir(c, path, &tree);
	else
		tree = mount_open_tree(shared, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (r < 0)
		return r;
	if (tree < 0)
		return err_set(c->err, -tree, "mask '%s': clone the empty folder", path);
	r = mount_move(tree, place);
	if (r < 0)
		return err_set(c->err, -r, "mask '%s'", path);
	if (shared < 0)
		c->fds[PLAN_FD_MASK_DIR] = fd_take(&tree);
	return 0;
}

int
rootfs_run_mask_path(struct plan_ctx *c, const struct plan_step *s)
{
	const char *path = rootfs_text(c->plan, s->u.path.path);
	auto_close int place = mount_open_kept(c, path);
	struct stat st;

	if (place < 0)
		return err_set(c->err, -place, "mask '%s'", path);
	if (fstat(place, &st) < 0)
		return err_set(c->err, errno, "mask '%s'", path);
	return S_ISDIR(st.st_mode) ? mask_dir(c, place, path) : mask_file(c, place, path);
}

/* Only the path's own mount becomes read-only: what the config mounts below it
 * (/sys/fs/cgroup below /sys) keeps the flags it was given, as with runc. */
int
rootfs_run_readonly_path(struct plan_ctx *c, const struct plan_step *s)
{
	const char *path = rootfs_text(c->plan, s->u.path.path);
	auto_close int place = mount_open_kept(c, path);
	auto_close int tree = -1;
	int r;

	if (place < 0)
		return err_set(c->err, -place, "make '%s' read-only", path);
	tree = mount_open_tree(place, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
	r = tree < 0 ? tree : mount_set_attrs(tree, (struct plan_attrs){ .set = MOUNT_ATTR_RDONLY }, false);
	if (r == 0)
		r = mount_attach(c, &tree, place);
	return r < 0 ? err_set(c->err, -r, "make '%s' read-only", path) : 0;
}
