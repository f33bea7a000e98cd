/* The executor of PLAN_ROOT_OVERLAY: a stack of layers as the container's root.
 *
 * Two ways to name the layers, chosen in the parent by the kernel's version:
 *
 *   append   fsconfig("lowerdir+") takes them one by one. Strings are limited to
 *            255 bytes and ':' and '\' are special in some versions, so a path
 *            that is long or has those is opened and named /proc/self/fd/N.
 *   legacy   mount(2) takes all of them in one page. Each layer is opened, and
 *            with /proc/self/fd as the working folder its name is its number:
 *            "lowerdir=7:8:9" has room for the 500 layers of the kernel, and
 *            nothing needs escaping.
 *
 * A tmpfs for the upper layer (or for the empty layer that the kernel demands
 * below a single read-only one) must be attached somewhere before Linux 6.15, and
 * so must layers with mapped ids, which are mounts: those are put into the tmpfs.
 * It is put where the overlay will be, which then covers it; it disappears with
 * the old root, the overlay keeps its own reference. On top of "/" it would
 * stay above the old root and be unmounted in its stead after the pivot: there
 * it is detached as soon as the overlay exists. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/fs_context.h"
#include "namespaces/mount_api.h"
#include "namespaces/mount_attach.h"
#include "namespaces/rootfs.h"
#include "namespaces/rootfs_run.h"

/* OVL_MAX_STACK of the kernel, and a few more. */
#define MAX_DIRS 512

struct layers {
	int lower[MAX_DIRS]; /* opened folders, topmost first */
	unsigned n;
	int upper, work; /* -1: none */
	int scratch;	 /* tmpfs for upper and work, the empty layer, the mount */
	int place;	 /* where the root goes; -1: on top of "/" */
};

static void
close_layers(struct layers *l)
{
	for (unsigned i = 0; i < l->n; i++)
		fd_close(l->lower[i]);
	fd_close(l->upper);
	fd_close(l->work);
	fd_close(l->scratch);
	fd_close(l->place);
}
#define auto_layers __attribute__((cleanup(close_layers)))

static int
make_scratch(struct plan_ctx *c, struct layers *l, struct plan_strv options)
{
	auto_fs_context struct fs_context f;
	auto_close int fd = -1;
	int r;

	if (l->scratch >= 0)
		return 0;
	r = fs_context_open(&f, c->err, "tmpfs", "/");
	if (r == 0)
		r = fs_context_set(&f, "mode", "0755");
	if (r == 0)
		r = fs_context_set_all(&f, c->plan, options);
	if (r == 0)
		r = fs_context_mount(&f, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, &fd);
	if (r < 0)
		return r;
	r = mount_attach_place(fd, l->place);
	if (r < 0)
		return err_set(c->err, -r, "attach the tmpfs of the upper layer");
	l->scratch = fd_take(&fd);
	return 0;
}

/* Makes name below dirfd if it is missing and opens it. */
static int
open_made_dir(struct plan_ctx *c, int dirfd, const char *name, bool *ret_made)
{
	mode_t old = umask(0);
	int r = mkdirat(dirfd, name, 0755), fd;

	*ret_made = r == 0;
	umask(old);
	if (r < 0 && errno != EEXIST)
		return err_set(c->err, errno, "make the overlay folder '%s'", name);
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(c->err, errno, "open the overlay folder '%s'", name) : fd;
}

static int
open_lowers(struct plan_ctx *c, struct plan_strv dirs, struct layers *l)
{
	const char *dir = plan_first(c->plan, dirs);

	for (uint32_t i = 0; i < dirs.n; i++, dir = plan_next(dir)) {
		int fd = mount_open_host(dir, O_PATH | O_DIRECTORY);

		if (fd < 0)
			return err_set(c->err, -fd, "open the layer '%s'", dir);
		l->lower[l->n++] = fd;
	}
	return 0;
}

/* The layers with mapped ids, which the parent opened. */
static int
attach_lowers(struct plan_ctx *c, const struct plan_root_overlay *o, struct layers *l)
{
	int r = make_scratch(c, l, o->tmpfs_options);

	for (uint32_t i = 0; r == 0 && i < o->lowerdirs.n; i++) {
		auto_close int place = -1;
		char name[16];
		bool made;

		l->lower[l->n++] = fd_take(&c->fds[o->slot + i]);
		snprintf(name, sizeof(name), "layer%u", i);
		place = open_made_dir(c, l->scratch, name, &made);
		if (place < 0)
			return place;
		r = mount_attach_place(l->lower[i], place);
		if (r < 0)
			return err_set(c->err, -r, "attach the overlay layer %u with mapped ids", i);
	}
	return r;
}

/* A fresh upper folder is what the container sees as "/": it takes owner and
 * mode of the topmost layer's root. */
static int
copy_root_mode(struct plan_ctx *c, const struct layers *l)
{
	struct stat st;
	auto_close int upper = openat(l->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (l->n == 0)
		return 0;
	if (upper < 0 || fstat(l->lower[0], &st) < 0 || fchmod(upper, st.st_mode & 07777) < 0)
		return err_set(c->err, errno, "set the mode of the upper layer");
	if (fchown(upper, st.st_uid, st.st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return err_set(c->err, errno, "set the owner of the upper layer");
	return 0;
}

/* The folder that upper and work are made in, for its owner only: files in the
 * upper layer can have set-id bits. */
static int
make_parent(struct plan_ctx *c, const char *upper)
{
	char dir[PATH_MAX];
	size_t len = strlen(upper);

	while (len && upper[len - 1] != '/')
		len--;
	if (len < 2 || len >= sizeof(dir))
		return 0;
	memcpy(dir, upper, len - 1);
	dir[len - 1] = '\0';
	if (mkdirat(AT_FDCWD, dir, 0700) == 0 || errno == EEXIST)
		return 0;
	return err_set(c->err, errno, "make the overlay folder '%s'", dir);
}

static int
open_upper(struct plan_ctx *c, const struct plan_root_overlay *o, struct layers *l)
{
	const char *upper = o->upper_tmpfs ? "upper" : plan_text(c->plan, o->upperdir);
	const char *work = o->upper_tmpfs ? "work" : plan_text(c->plan, o->workdir);
	bool made, made_work;
	int at, r;

	if (o->upper_tmpfs) {
		r = make_scratch(c, l, o->tmpfs_options);
		if (r < 0)
			return r;
	}
	if (!upper || !work)
		return 0;
	at = o->upper_tmpfs ? l->scratch : AT_FDCWD;
	if (!o->upper_tmpfs && (r = make_parent(c, upper)) < 0)
		return r;
	l->upper = open_made_dir(c, at, upper, &made);
	if (l->upper < 0)
		return l->upper;
	l->work = open_made_dir(c, at, work, &made_work);
	if (l->work < 0)
		return l->work;
	return made ? copy_root_mode(c, l) : 0;
}

/* Without an upper the kernel wants two layers at least. */
static int
add_empty_layer(struct plan_ctx *c, struct layers *l)
{
	bool made;
	int r = make_scratch(c, l, (struct plan_strv){ 0 });

	if (r < 0)
		return r;
	r = open_made_dir(c, l->scratch, "empty", &made);
	if (r < 0)
		return r;
	l->lower[l->n++] = r;
	return 0;
}

static int
open_layers(struct plan_ctx *c, const struct plan_root_overlay *o, struct layers *l)
{
	int r;

	if (o->lowerdirs.n > MAX_DIRS - 1)
		return err_set(c->err, E2BIG, "an overlay of %u layers; the kernel allows 500", o->lowerdirs.n);
	r = o->slot ? attach_lowers(c, o, l) : open_lowers(c, o->lowerdirs, l);
	if (r == 0)
		r = open_upper(c, o, l);
	if (r == 0 && l->upper < 0 && l->n == 1)
		r = add_empty_layer(c, l);
	return r;
}

/* path when the kernel takes it as it is, else (or for NULL) the name of fd. */
static int
set_dir(struct fs_context *f, const char *key, const char *path, int fd)
{
	char name[32];

	if (path && strlen(path) <= FS_CONTEXT_VALUE_MAX && !strpbrk(path, ":\\"))
		return fs_context_set(f, key, path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return fs_context_set(f, key, name);
}

static int
mount_appending(struct plan_ctx *c, const struct plan_root_overlay *o, const struct layers *l, int *ret_mount_fd)
{
	const char *dir = plan_first(c->plan, o->lowerdirs);
	auto_fs_context struct fs_context f;
	int r = fs_context_open(&f, c->err, "overlay", "/");

	if (r == 0)
		r = fs_context_set(&f, "source", "overlay");
	for (unsigned i = 0; r == 0 && i < l->n; i++) {
		bool given = i < o->lowerdirs.n;

		/* The scratch tmpfs lies on the target, which may be a layer too:
		 * then its name no longer leads to it, the fd does. */
		r = set_dir(&f, "lowerdir+", given && l->scratch < 0 ? dir : NULL, l->lower[i]);
		if (given)
			dir = plan_next(dir);
	}
	if (r == 0 && l->upper >= 0)
		r = set_dir(&f, "upperdir", o->upper_tmpfs ? NULL : plan_text(c->plan, o->upperdir), l->upper);
	if (r == 0 && l->upper >= 0)
		r = set_dir(&f, "workdir", o->upper_tmpfs ? NULL : plan_text(c->plan, o->workdir), l->work);
	if (r == 0)
		r = fs_context_set_all(&f, c->plan, o->options);
	if (r == 0)
		r = fs_context_mount(&f, o->attrs.set, ret_mount_fd);
	return r;
}

struct page {
	char text[4096];
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) add(struct page *p, const char *fmt, ...)
{
	va_list ap;

	if (p->len >= sizeof(p->text))
		return;
	va_start(ap, fmt);
	p->len += (size_t)vsnprintf(p->text + p->len, sizeof(p->text) - p->len, fmt, ap);
	va_end(ap);
}

static int
write_page(struct plan_ctx *c, const struct plan_root_overlay *o, const struct layers *l, struct page *p)
{
	const char *option = plan_first(c->plan, o->options);

	p->len = 0;
	for (unsigned i = 0; i < l->n; i++)
		add(p, "%s%d", i ? ":" : "lowerdir=", l->lower[i]);
	if (l->upper >= 0)
		add(p, ",upperdir=%d,workdir=%d", l->upper, l->work);
	for (uint32_t i = 0; i < o->options.n; i++, option = plan_next(option))
		add(p, ",%s", option);
	if (p->len >= sizeof(p->text))
		return err_set(c->err, E2BIG, "the options of an overlay of %u layers do not fit into one page", l->n);
	return 0;
}

/* mount(2) attaches at once: on a folder of the scratch tmpfs. The root is a
 * clone of that mount. */
static int
mount_in_one_page(struct plan_ctx *c, const struct plan_root_overlay *o, struct layers *l, int *ret_mount_fd)
{
	auto_close int back = mount_open_host(".", O_PATH | O_DIRECTORY);
	auto_close int fds = mount_open_host("/proc/self/fd", O_PATH | O_DIRECTORY);
	auto_close int place = -1;
	struct page page;
	char target[16];
	bool made;
	int r = write_page(c, o, l, &page);

	if (r == 0 && l->scratch < 0)
		r = make_scratch(c, l, (struct plan_strv){ 0 });
	if (r < 0)
		return r;
	place = open_made_dir(c, l->scratch, "root", &made);
	if (place < 0)
		return place;
	if (fds < 0 || back < 0 || fchdir(fds) < 0)
		return err_set(c->err, errno, "enter /proc/self/fd");
	snprintf(target, sizeof(target), "%d", place);
	r = mount_classic("overlay", target, "overlay", 0, page.text);
	if (fchdir(back) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return err_set(c->err, -r, "mount an overlay of %u layers on '/'", l->n);
	r = mount_open_tree(l->scratch, "root", OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (r < 0)
		return err_set(c->err, -r, "open the overlay");
	*ret_mount_fd = r;
	return 0;
}

int
rootfs_run_root_overlay(struct plan_ctx *c, const struct plan_step *s)
{
	const struct plan_root_overlay *o = &s->u.root_overlay;
	auto_layers struct layers l = { .upper = -1, .work = -1, .scratch = -1, .place = -1 };
	const char *target = plan_text(c->plan, o->target);
	auto_close int mount_fd = -1;
	int r = mount_root_place(target, &l.place);

	if (r < 0)
		return err_set(c->err, -r, "open the folder of the root file system '%s'", target ? target : "/");
	r = open_layers(c, o, &l);
	if (r == 0)
		r = o->append ? mount_appending(c, o, &l, &mount_fd) : mount_in_one_page(c, o, &l, &mount_fd);
	if (r < 0)
		return r;
	if (l.scratch >= 0 && l.place < 0)
		r = mount_detach("/"); /* the topmost mount there */
	if (r == 0)
		r = mount_set_attrs(mount_fd, o->attrs, false);
	if (r == 0)
		r = mount_attach_root(c, &mount_fd, l.place);
	if (r < 0)
		return err_set(c->err, -r, "attach the overlay root to '%s'", target ? target : "/");
	return 0;
}
