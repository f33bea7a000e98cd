/* The executor of PLAN_ROOT_OVERLAY: a stack of layers as the container's root.
 *
 * Two ways to name the layers, chosen in the parent by the kernel's version:
 *
 *   append   fsconfig("lowerdir+") takes them one by one. Strings are limited to
 *            255 bytes and ':' and '\' are special in some versions, so a path
 *            that is long or has those is opened and named /proc/self/fd/N.
 *   legacy   mount(2) takes all of them in one page. Each layer is opened, and
 *            with /proc/self/fd as the working directory its name is its number:
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
#include "base/process.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"

/* OVL_MAX_STACK of the kernel, and a few more. */
#define MAX_DIRS 512

struct layers {
	int lower[MAX_DIRS]; /* opened directories, topmost first */
	unsigned n;
	int upper, work; /* -1: none */
	int scratch;	 /* tmpfs for upper and work, the empty layer, the mount */
	int place;	 /* where the root goes; -1: on top of "/" */
};

static void
close_layers(struct layers *layers)
{
	for (unsigned i = 0; i < layers->n; i++)
		fd_close(layers->lower[i]);
	fd_close(layers->upper);
	fd_close(layers->work);
	fd_close(layers->scratch);
	fd_close(layers->place);
}
#define auto_layers __attribute__((cleanup(close_layers)))

static int
make_scratch(struct plan_ctx *c, struct layers *layers, struct plan_strv options)
{
	auto_fs_context struct fs_context f;
	auto_close int fd = -1;
	int r;

	if (layers->scratch >= 0)
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
	r = mount_attach_place(fd, layers->place);
	if (r < 0)
		return err_set(c->err, -r, "attach the tmpfs of the upper layer");
	layers->scratch = fd_take(&fd);
	return 0;
}

/* Makes name below dirfd if it is missing and opens it. */
static int
open_made_dir(struct plan_ctx *c, int dirfd, const char *name, bool *ret_made)
{
	int r = mkdirat(dirfd, name, 0755) < 0 ? -errno : 0, fd;

	*ret_made = r == 0;
	if (r < 0 && r != -EEXIST)
		return err_set(c->err, -r, "make the overlay directory '%s'", name);
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(c->err, errno, "open the overlay directory '%s'", name) : fd;
}

static int
open_lowers(struct plan_ctx *c, struct plan_strv dirs, struct layers *layers)
{
	const char *dir = plan_first(c->plan, dirs);

	for (uint32_t i = 0; i < dirs.n; i++, dir = plan_next(dir)) {
		int fd = mount_open_host(dir, O_PATH | O_DIRECTORY);

		if (fd < 0)
			return err_set(c->err, -fd, "open the layer '%s'", dir);
		layers->lower[layers->n++] = fd;
	}
	return 0;
}

/* The layers with mapped ids, which the parent opened. */
static int
attach_lowers(struct plan_ctx *c, const struct plan_root_overlay *overlay, struct layers *layers)
{
	int r = make_scratch(c, layers, overlay->tmpfs_options);

	for (uint32_t i = 0; r == 0 && i < overlay->lowerdirs.n; i++) {
		auto_close int place = -1;
		char name[16];
		bool made;

		layers->lower[layers->n++] = fd_take(&c->fds[overlay->slot + i]);
		snprintf(name, sizeof(name), "layer%u", i);
		place = open_made_dir(c, layers->scratch, name, &made);
		if (place < 0)
			return place;
		r = mount_attach_place(layers->lower[i], place);
		if (r < 0)
			return err_set(c->err, -r, "attach the overlay layer %u with mapped ids", i);
	}
	return r;
}

/* A fresh upper directory is what the container sees as "/": it takes owner and
 * mode of the topmost layer's root. */
static int
copy_root_mode(struct plan_ctx *c, const struct layers *layers)
{
	struct stat st;
	auto_close int upper = openat(layers->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (layers->n == 0)
		return 0;
	if (upper < 0 || fstat(layers->lower[0], &st) < 0 || fchmod(upper, st.st_mode & 07777) < 0)
		return err_set(c->err, errno, "set the mode of the upper layer");
	if (fchown(upper, st.st_uid, st.st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return err_set(c->err, errno, "set the owner of the upper layer");
	return 0;
}

/* The directory that upper and work are made in, for its owner only: files in the
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
	return err_set(c->err, errno, "make the overlay directory '%s'", dir);
}

static int
open_upper(struct plan_ctx *c, const struct plan_root_overlay *overlay, struct layers *layers)
{
	const char *upper = overlay->upper_tmpfs ? "upper" : plan_text(c->plan, overlay->upperdir);
	const char *work = overlay->upper_tmpfs ? "work" : plan_text(c->plan, overlay->workdir);
	bool made, made_work;
	int at, r;

	if (overlay->upper_tmpfs) {
		r = make_scratch(c, layers, overlay->tmpfs_options);
		if (r < 0)
			return r;
	}
	if (!upper || !work)
		return 0;
	at = overlay->upper_tmpfs ? layers->scratch : AT_FDCWD;
	if (!overlay->upper_tmpfs && (r = make_parent(c, upper)) < 0)
		return r;
	layers->upper = open_made_dir(c, at, upper, &made);
	if (layers->upper < 0)
		return layers->upper;
	layers->work = open_made_dir(c, at, work, &made_work);
	if (layers->work < 0)
		return layers->work;
	return made ? copy_root_mode(c, layers) : 0;
}

/* Without an upper the kernel wants two layers at least. */
static int
add_empty_layer(struct plan_ctx *c, struct layers *layers)
{
	bool made;
	int r = make_scratch(c, layers, (struct plan_strv){ 0 });

	if (r < 0)
		return r;
	r = open_made_dir(c, layers->scratch, "empty", &made);
	if (r < 0)
		return r;
	layers->lower[layers->n++] = r;
	return 0;
}

static int
open_layers(struct plan_ctx *c, const struct plan_root_overlay *overlay, struct layers *layers)
{
	int r;

	if (overlay->lowerdirs.n > MAX_DIRS - 1)
		return err_set(c->err, E2BIG, "an overlay of %u layers; the kernel allows 500", overlay->lowerdirs.n);
	r = overlay->slot ? attach_lowers(c, overlay, layers) : open_lowers(c, overlay->lowerdirs, layers);
	if (r == 0)
		r = open_upper(c, overlay, layers);
	if (r == 0 && layers->upper < 0 && layers->n == 1)
		r = add_empty_layer(c, layers);
	return r;
}

/* path when the kernel takes it as it is, else (or for NULL) the name of fd. */
static int
set_dir(struct fs_context *context, const char *key, const char *path, int fd)
{
	char name[32];

	if (path && strlen(path) <= FS_CONTEXT_VALUE_MAX && !strpbrk(path, ":\\"))
		return fs_context_set(context, key, path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return fs_context_set(context, key, name);
}

static int
mount_appending(struct plan_ctx *c, const struct plan_root_overlay *overlay, const struct layers *layers,
		int *ret_mount_fd)
{
	const char *dir = plan_first(c->plan, overlay->lowerdirs);
	auto_fs_context struct fs_context f;
	int r = fs_context_open(&f, c->err, "overlay", "/");

	if (r == 0)
		r = fs_context_set(&f, "source", "overlay");
	for (unsigned i = 0; r == 0 && i < layers->n; i++) {
		bool given = i < overlay->lowerdirs.n;

		/* The scratch tmpfs lies on the target, which may be a layer too:
		 * then its name no longer leads to it, the fd does. */
		r = set_dir(&f, "lowerdir+", given && layers->scratch < 0 ? dir : NULL, layers->lower[i]);
		if (given)
			dir = plan_next(dir);
	}
	if (r == 0 && layers->upper >= 0)
		r = set_dir(&f, "upperdir", overlay->upper_tmpfs ? NULL : plan_text(c->plan, overlay->upperdir),
			    layers->upper);
	if (r == 0 && layers->upper >= 0)
		r = set_dir(&f, "workdir", overlay->upper_tmpfs ? NULL : plan_text(c->plan, overlay->workdir),
			    layers->work);
	if (r == 0)
		r = fs_context_set_all(&f, c->plan, overlay->options);
	if (r == 0)
		r = fs_context_mount(&f, overlay->attrs.set, ret_mount_fd);
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
write_page(struct plan_ctx *c, const struct plan_root_overlay *overlay, const struct layers *layers, struct page *page)
{
	const char *option = plan_first(c->plan, overlay->options);

	page->len = 0;
	for (unsigned i = 0; i < layers->n; i++)
		add(page, "%s%d", i ? ":" : "lowerdir=", layers->lower[i]);
	if (layers->upper >= 0)
		add(page, ",upperdir=%d,workdir=%d", layers->upper, layers->work);
	for (uint32_t i = 0; i < overlay->options.n; i++, option = plan_next(option))
		add(page, ",%s", option);
	if (page->len >= sizeof(page->text))
		return err_set(c->err, E2BIG, "the options of an overlay of %u layers do not fit into one page",
			       layers->n);
	return 0;
}

/* mount(2) attaches at once: on a directory of the scratch tmpfs. The root is a
 * clone of that mount. */
static int
mount_in_one_page(struct plan_ctx *c, const struct plan_root_overlay *overlay, struct layers *layers, int *ret_mount_fd)
{
	auto_close int back = mount_open_host(".", O_PATH | O_DIRECTORY);
	auto_close int fds = mount_open_host("/proc/self/fd", O_PATH | O_DIRECTORY);
	auto_close int place = -1;
	struct page page;
	char target[16];
	bool made;
	int r = write_page(c, overlay, layers, &page);

	if (r == 0 && layers->scratch < 0)
		r = make_scratch(c, layers, (struct plan_strv){ 0 });
	if (r < 0)
		return r;
	place = open_made_dir(c, layers->scratch, "root", &made);
	if (place < 0)
		return place;
	if (fds < 0 || back < 0 || fchdir(fds) < 0)
		return err_set(c->err, errno, "enter /proc/self/fd");
	snprintf(target, sizeof(target), "%d", place);
	r = mount_classic("overlay", target, "overlay", 0, page.text);
	if (fchdir(back) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return err_set(c->err, -r, "mount an overlay of %u layers on '/'", layers->n);
	r = mount_open_tree(layers->scratch, "root", OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (r < 0)
		return err_set(c->err, -r, "open the overlay");
	*ret_mount_fd = r;
	return 0;
}

int
overlay_run_root(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_root_overlay *o = &step->u.root_overlay;
	auto_layers struct layers l = { .upper = -1, .work = -1, .scratch = -1, .place = -1 };
	const char *target = plan_text(c->plan, o->target);
	auto_close int mount_fd = -1;
	int r = mount_root_place(target, &l.place);

	if (r < 0)
		return err_set(c->err, -r, "open the directory of the root file system '%s'", target ? target : "/");
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
		return err_set(c->err, -r, "attach the overlay root to '%s'%s", target ? target : "/",
			       mount_attach_hint(r));
	return 0;
}
