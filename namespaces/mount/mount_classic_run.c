/* Mounts by mount(2), for option strings that fsconfig(2) cannot carry (more
 * than 255 bytes each): all options in one page.
 *
 * mount(2) takes a path and returns no descriptor. Were the mount made at its place,
 * that would have to be looked up again to give it its flags, and who can rename
 * directories there (a volume that containers share) could have put another there by
 * then. So it is made in a private place that nobody else can change, a read-only tmpfs
 * of its own on top of "/", and cloned from there: a detached mount, as fsmount(2)
 * returns. Names are relative to the working directory: a /proc may be the
 * container's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/rootfs_run.h"

/* What mount(2) takes as bits and fsconfig(2) as names. */
static const struct {
	const char *name;
	unsigned long flag;
	bool clear;
} sb_options[] = {
	{ "ro", MS_RDONLY, false },	   { "rw", MS_RDONLY, true },	       { "sync", MS_SYNCHRONOUS, false },
	{ "async", MS_SYNCHRONOUS, true }, { "dirsync", MS_DIRSYNC, false },   { "mand", MS_MANDLOCK, false },
	{ "nomand", MS_MANDLOCK, true },   { "lazytime", MS_LAZYTIME, false }, { "nolazytime", MS_LAZYTIME, true },
};

static bool
take_flag(const char *option, unsigned long *flags)
{
	for (size_t i = 0; i < sizeof(sb_options) / sizeof(sb_options[0]); i++) {
		if (strcmp(option, sb_options[i].name) != 0)
			continue;
		if (sb_options[i].clear)
			*flags &= ~sb_options[i].flag;
		else
			*flags |= sb_options[i].flag;
		return true;
	}
	return false;
}

static int
join_options(const struct plan *plan, struct plan_strv options, char *data, size_t size, unsigned long *flags)
{
	const char *o = plan_first(plan, options);
	size_t len = 0;

	data[0] = '\0';
	for (uint32_t i = 0; i < options.n; i++, o = plan_next(o)) {
		if (take_flag(o, flags))
			continue;
		len += (size_t)snprintf(data + len, size - len, "%s%s", len ? "," : "", o);
		if (len >= size)
			return -E2BIG;
	}
	return 0;
}

/* ---- the private place ------------------------------------------------ */

#define PLACE "mount"

/* Read-only, so that even root of a container that is running can neither rename nor make
 * anything in it (mounts of a running container are added in its own namespace). */
static int
make_place(struct err *err, int *ret_base)
{
	const struct plan_attrs closed = { .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
	auto_fs_context struct fs_context f;
	auto_close int base = -1;
	int r = fs_context_open(&f, err, "tmpfs", "/");

	if (r == 0)
		r = fs_context_set(&f, "mode", "0700");
	if (r == 0)
		r = fs_context_mount(&f, 0, &base);
	if (r < 0)
		return r;
	if (mkdirat(base, PLACE, 0700) < 0)
		return err_set(err, errno, "make a private mount point");
	r = mount_set_attrs(base, closed, false);
	if (r == 0)
		r = mount_attach_place(base, -1);
	/* On a shared "/" it became a peer of copies elsewhere. */
	if (r == 0)
		r = mount_set_propagation(base, MS_PRIVATE);
	if (r < 0)
		return err_set(err, -r, "make a private mount point%s", mount_attach_hint(r));
	*ret_base = fd_take(&base);
	return 0;
}

/* Detaches it, with what is mounted there. */
static int
remove_place(int base)
{
	return fchdir(base) < 0 ? -errno : mount_detach(".");
}

/* A detached clone of what is mounted in the private place. */
static int
clone_mount(int base, int *ret_mount_fd)
{
	struct mount_place before, after;
	auto_close int fd = openat(base, PLACE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : mount_place_of(base, &before);

	if (r == 0)
		r = mount_place_of(fd, &after);
	if (r < 0)
		return r;
	if (before.mount_id == after.mount_id)
		return -EBUSY;
	r = mount_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (r < 0)
		return r;
	*ret_mount_fd = r;
	return 0;
}

/* ---- the mount --------------------------------------------------------- */

static int
mount_in_place(struct plan_ctx *c, const struct plan_mount_fs *mount, int base, int *ret_mount_fd)
{
	const char *type = rootfs_text(c->plan, mount->type), *dest = rootfs_text(c->plan, mount->dest);
	const char *source = plan_text(c->plan, mount->source);
	unsigned long flags = 0;
	char data[4096];
	int r = join_options(c->plan, mount->options, data, sizeof(data), &flags);

	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s': the options do not fit into one page", type, dest);
	if (fchdir(base) < 0)
		return err_set(c->err, errno, "mount '%s' on '%s': enter the private mount point", type, dest);
	r = mount_classic(source ? source : type, PLACE, type, flags, data);
	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s'%s", type, dest, mount_attach_hint(r));
	r = clone_mount(base, ret_mount_fd);
	return r < 0 ? err_set(c->err, -r, "find the mount of '%s' for '%s'", type, dest) : 0;
}

int
mount_fs_classic(struct plan_ctx *c, const struct plan_mount_fs *mount, int dest_fd, int *ret_mount_fd)
{
	const char *dest = rootfs_text(c->plan, mount->dest);
	auto_close int cwd = mount_open_host(".", O_PATH | O_DIRECTORY);
	auto_close int base = -1, fd = -1;
	int r, removed;

	if (cwd < 0)
		return err_set(c->err, -cwd, "open the working directory");
	r = make_place(c->err, &base);
	if (r < 0)
		return r;
	r = mount_in_place(c, mount, base, &fd);
	removed = remove_place(base);
	if (r < 0)
		return r;
	if (removed < 0)
		return err_set(c->err, -removed, "remove the private mount point of '%s'", dest);
	if (fchdir(cwd) < 0)
		return err_set(c->err, errno, "return to the working directory");
	if (mount->copy_up)
		r = copy_up_tree(dest_fd, fd, dest, c->err);
	if (r == 0)
		*ret_mount_fd = fd_take(&fd);
	return r;
}
