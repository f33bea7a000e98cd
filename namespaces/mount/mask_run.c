/* The executors of PLAN_MASK_PATH and PLAN_READONLY_PATH.
 *
 * A file is hidden by the host's /dev/null, which is opened outside the rootfs
 * and checked to be the character device 1:3: the rootfs's own could be a link
 * to a file that the bind would then expose (CVE-2025-31133). Directories are
 * hidden by one empty read-only tmpfs, mounted for the first of them and cloned
 * for the others, which is cheaper than a tmpfs each.
 *
 * A path that does not exist is -ENOENT, or -ENOTDIR, of the look-up: the plan skips
 * those. The same of any other call, such as for a /dev/null that the host lacks, is
 * an error. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"

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
	return r < 0 ? err_set(c->err, -r, "mask '%s'%s", path, mount_attach_hint(r)) : 0;
}

/* The tmpfs that hides directories, detached. */
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
		return err_set(c->err, -tree, "mask '%s': clone the empty directory", path);
	r = mount_move(tree, place);
	if (r < 0)
		return err_set(c->err, -r, "mask '%s'%s", path, mount_attach_hint(r));
	if (shared < 0)
		c->fds[PLAN_FD_MASK_DIR] = fd_take(&tree);
	return 0;
}

int
mask_run_path(struct plan_ctx *c, const struct plan_step *step)
{
	const char *path = rootfs_text(c->plan, step->u.path.path);
	auto_close int place = mount_open_kept(c, path);
	struct stat st;

	if (place < 0)
		return plan_skips(step, place) ? 0 : plan_answer(c, err_set(c->err, -place, "mask '%s'", path));
	if (fstat(place, &st) < 0)
		return err_set(c->err, errno, "mask '%s'", path);
	return S_ISDIR(st.st_mode) ? mask_dir(c, place, path) : mask_file(c, place, path);
}

/* The kernel looks at every mount in the root when something of it is cloned: with
 * thousands of read-only files, thousands of times. So a file of the root's own mount is
 * cloned from a copy of it that has no mounts in it. It must be the same file there,
 * since whoever can write to the root may have exchanged it meanwhile; a directory may have
 * mounts in it, which a copy would not have. -ENOENT: it has to be done the other way. */
static int
clone_file(struct plan_ctx *c, int place, const char *path)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mount_place root, here;
	auto_close int file = -1;
	struct stat st, same;

	if (fstat(place, &st) < 0 || S_ISDIR(st.st_mode) || mount_place_of(place, &here) < 0 ||
	    mount_place_of(c->fds[PLAN_FD_ROOT], &root) < 0 || here.mount_id != root.mount_id)
		return -ENOENT;
	if (c->fds[PLAN_FD_ROOT_COPY] < 0) {
		auto_close int copy = mount_open_tree(c->fds[PLAN_FD_ROOT], "", OPEN_TREE_CLONE | AT_EMPTY_PATH);

		if (copy < 0 || mount_setattr_fd(copy, /* recursive= */ false, &attr) < 0)
			return -ENOENT;
		c->fds[PLAN_FD_ROOT_COPY] = fd_take(&copy);
	}
	file = path_open(c->fds[PLAN_FD_ROOT_COPY], path, O_PATH, 0);
	if (file < 0 || fstat(file, &same) < 0 || same.st_dev != st.st_dev || same.st_ino != st.st_ino)
		return -ENOENT;
	return mount_open_tree(file, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
}

/* Only the path's own mount becomes read-only: what the config mounts below it
 * (/sys/fs/cgroup below /sys) keeps the flags it was given, as with runc. */
int
mask_run_readonly_path(struct plan_ctx *c, const struct plan_step *step)
{
	const char *path = rootfs_text(c->plan, step->u.path.path);
	auto_close int place = mount_open_kept(c, path);
	auto_close int tree = -1;
	int r;

	if (place < 0)
		return plan_skips(step, place) ? 0
					       : plan_answer(c, err_set(c->err, -place, "make '%s' read-only", path));
	tree = clone_file(c, place, path);
	if (tree < 0)
		tree = mount_open_tree(place, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
	r = tree < 0 ? tree : mount_set_attrs(tree, (struct plan_attrs){ .set = MOUNT_ATTR_RDONLY }, false);
	if (r == 0)
		r = mount_attach(c, &tree, place);
	return r < 0 ? err_set(c->err, -r, "make '%s' read-only%s", path, mount_attach_hint(r)) : 0;
}
