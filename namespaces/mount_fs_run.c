/* The executor of PLAN_MOUNT_FS.
 *
 * A mount is made detached, gets its attributes, and only then is moved onto
 * its place, which was resolved (and made, if need be) below the root and is
 * held open: nothing in the rootfs can change where it lands, and nobody ever
 * sees it without its flags. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/fs_context.h"
#include "namespaces/mount_api.h"
#include "namespaces/mount_attach.h"
#include "namespaces/path_in_root.h"
#include "namespaces/rootfs.h"
#include "namespaces/rootfs_run.h"

/* proc and sysfs must land exactly where the config says: behind a link in the
 * rootfs they would sit somewhere else and /proc, which masks and labels rely
 * on, would be the attacker's (CVE-2019-19921, CVE-2023-27561). */
static bool
must_be_plain(const char *type)
{
	return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
}

static int
open_plain_dir(int rootfd, const char *dest, bool *ret_made)
{
	char name[NAME_MAX + 1];
	auto_close int parent = path_open_parent(rootfd, dest, 0755, name);
	bool made = false;
	int fd;

	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		made = mkdirat(parent, name, 0755) == 0;
		if (!made && errno != EEXIST)
			return -errno;
		fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	*ret_made = made;
	return fd;
}

/* Opens dest for a mount of that type; *ret_made: it was not there before. */
static int
open_dest(struct plan_ctx *c, const char *type, const char *dest, bool *ret_made)
{
	int root = c->fds[PLAN_FD_ROOT], fd;

	if (must_be_plain(type)) {
		fd = open_plain_dir(root, dest, ret_made);
		if (fd == -ENOTDIR || fd == -ELOOP || fd == -EINVAL)
			return err_set(c->err, -fd, "mount '%s' on '%s': it must be mounted on ordinary directory",
				       type, dest);
	} else {
		fd = path_open(root, dest, O_PATH | O_DIRECTORY, 0);
		*ret_made = fd == -ENOENT;
		if (fd == -ENOENT)
			fd = path_make_dir(root, dest, 0755);
	}
	if (fd < 0)
		return err_set(c->err, -fd, "make the mount point '%s' for '%s'", dest, type);
	return fd;
}

static bool
has_mode(const struct plan *p, struct plan_strv options)
{
	const char *o = plan_first(p, options);

	for (uint32_t i = 0; o && i < options.n; i++, o = plan_next(o))
		if (strncmp(o, "mode=", 5) == 0)
			return true;
	return false;
}

/* A tmpfs without mode= takes the mode of the folder that it covers, as images
 * count on ("/run" stays 0755, "/tmp" stays 1777). */
static int
set_tmpfs_mode(struct fs_context *f, int dest_fd)
{
	struct stat st;
	char mode[16];

	if (fstat(dest_fd, &st) < 0)
		return fs_context_fail(f, errno, "mode");
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777);
	return fs_context_set(f, "mode", mode);
}

/* The new file system, detached, with its attributes and content. */
static int
make_fs(struct plan_ctx *c, const struct plan_mount_fs *m, int dest_fd, bool dest_made, int *ret_mount_fd)
{
	const char *type = rootfs_text(c->plan, m->type), *dest = rootfs_text(c->plan, m->dest);
	const char *source = plan_text(c->plan, m->source);
	/* Read-only comes last when there is something to write first. */
	uint64_t attrs = m->copy_up ? m->attrs.set & ~(uint64_t)MOUNT_ATTR_RDONLY : m->attrs.set;
	auto_fs_context struct fs_context f;
	auto_close int mount_fd = -1;
	int r = fs_context_open(&f, c->err, type, dest);

	if (r == 0 && source)
		r = fs_context_set(&f, "source", source);
	if (r == 0 && !dest_made && strcmp(type, "tmpfs") == 0 && !has_mode(c->plan, m->options))
		r = set_tmpfs_mode(&f, dest_fd);
	if (r == 0)
		r = fs_context_set_all(&f, c->plan, m->options);
	if (r == 0)
		r = fs_context_mount(&f, attrs, &mount_fd);
	if (r == 0 && m->copy_up)
		r = copy_up_tree(dest_fd, mount_fd, dest, c->err);
	if (r < 0)
		return r;
	*ret_mount_fd = fd_take(&mount_fd);
	return 0;
}

/* fsconfig(2) cuts strings at 255 bytes; an overlay's lowerdir may be longer. */
static bool
needs_classic(const struct plan *p, const struct plan_mount_fs *m)
{
	const char *o = plan_first(p, m->options), *source = plan_text(p, m->source);

	if (source && strlen(source) > FS_CONTEXT_VALUE_MAX)
		return true;
	for (uint32_t i = 0; o && i < m->options.n; i++, o = plan_next(o)) {
		const char *value = strchr(o, '=');

		if (value && strlen(value + 1) > FS_CONTEXT_VALUE_MAX)
			return true;
	}
	return false;
}

int
rootfs_run_mount_fs(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_mount_fs *m = &s->u.mount_fs;
	const char *type = rootfs_text(c->plan, m->type), *dest = rootfs_text(c->plan, m->dest);
	bool classic = needs_classic(c->plan, m), made = false;
	auto_close int dest_fd = open_dest(c, type, dest, &made);
	auto_close int mount_fd = -1;
	int fd, r;

	if (dest_fd < 0)
		return dest_fd;
	if (mount_place_is_hidden_proc(dest_fd, dest))
		return err_plain(c->err, "mount '%s' on '%s': a link in the root file system leads into /proc", type,
				 dest);
	if (classic)
		r = mount_fs_classic(c, m, dest_fd, &mount_fd);
	else
		r = make_fs(c, m, dest_fd, made, &mount_fd);
	if (r < 0)
		return r;
	if (classic || m->copy_up)
		r = mount_set_attrs(mount_fd, m->attrs, false);
	if (r == 0)
		r = mount_set_attrs(mount_fd, m->rec_attrs, true);
	if (r < 0)
		return err_set(c->err, -r, "set the mount flags of '%s' on '%s'", type, dest);
	fd = mount_fd;
	if (!classic)
		r = mount_attach(c, &mount_fd, dest_fd);
	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s'", type, dest);
	mount_keep(c, dest, must_be_plain(type) ? fd : -1);
	r = mount_set_propagation(fd, m->propagation);
	if (r < 0)
		return err_set(c->err, -r, "set the propagation of '%s' on '%s'", type, dest);
	return 0;
}
