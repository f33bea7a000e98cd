/* CRIU makes the container's mounts anew, from what /proc/PID/mountinfo said,
 * and needs help where the root of a mount lies in no file system of the
 * container. `--external mnt[POINT]:NAME` at dump gives such a mount a name,
 * `--external mnt[NAME]:PATH` at restore says what it is there. The names are
 * the paths in the config, so that the restored container gets what its caller's
 * config says and nothing that an image names: a POINT differs from its name
 * where the path in the container leads over links.
 *
 * A name that no mount of the image has does no harm: restore tells all that the
 * config could have led to. */
#include "libcontainer/checkpoint/criu_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mountinfo.h"
#include "libcontainer/checkpoint/criu_rpc.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_options.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/path_text.h"

#define NOTIFY_POINT "/run/notify"

/* Devices that every container has, spec.md#default-devices; in a user namespace
 * they are bound from the host. */
static const char *const default_devices[] = { "/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
					       "/dev/urandom", "/dev/tty",  NULL };

enum kind { KIND_BIND, KIND_CGROUP, KIND_DEVICE };

/* One thing of the config that may be such a mount. */
struct outside {
	const char *name; /* path in the config */
	const char *source;
	enum kind kind;
	bool recursive;
};

struct list {
	struct outside *items;
	size_t n;
};

/* ---- from the config ------------------------------------------------- */

static void
add(struct list *list, enum kind kind, const char *name, const char *source, bool recursive)
{
	list->items[list->n++] = (struct outside){ name, source, kind, recursive };
}

static int
add_mount(struct arena *a, const struct spec *spec, size_t i, const char *bundle, const char *cgroup, struct err *err,
	  struct list *list)
{
	const struct spec_mount *m = &spec->mounts[i];
	struct mount_options o;
	int r = mount_options_parse(a, arena_printf(a, "mounts[%zu]", i), &m->options, err, &o);

	if (r < 0)
		return r;
	if (o.idmap || m->uid_mappings.n)
		return err_plain(err, "mounts[%zu]: an id-mapped mount cannot be checkpointed: CRIU loses its map", i);
	if ((o.bind || (m->type && !strcmp(m->type, "bind"))) && m->source)
		add(list, KIND_BIND, path_clean(a, m->destination), path_absolute(a, bundle, m->source), o.recursive);
	else if (cgroup && m->type && !strcmp(m->type, "cgroup") && !spec->linux_.namespaces[NS_CGROUP].listed)
		add(list, KIND_CGROUP, path_clean(a, m->destination), cgroup, false);
	return 0;
}

/* cgroup, notify_dir: for the sources, of no interest at dump. */
static int
make_list(struct arena *a, const struct spec *spec, const char *bundle, const char *cgroup, const char *notify_dir,
	  struct err *err, struct list *list)
{
	const struct spec_linux *x = &spec->linux_;
	size_t max = spec->n_mounts + x->masked_paths.n + x->n_devices + sizeof(default_devices) / sizeof(char *) + 1;

	*list = (struct list){ .items = arena_array(a, max, sizeof(*list->items)) };
	for (size_t i = 0; i < spec->n_mounts; i++) {
		int r = add_mount(a, spec, i, bundle, cgroup, err, list);

		if (r < 0)
			return r;
	}
	add(list, KIND_BIND, NOTIFY_POINT, notify_dir, false);
	for (size_t i = 0; i < x->masked_paths.n; i++)
		add(list, KIND_DEVICE, path_clean(a, x->masked_paths.items[i]), "/dev/null", false);
	for (const char *const *d = default_devices; *d; d++)
		add(list, KIND_DEVICE, *d, *d, false);
	for (size_t i = 0; i < x->n_devices; i++)
		add(list, KIND_DEVICE, path_clean(a, x->devices[i].path), path_clean(a, x->devices[i].path), false);
	return 0;
}

static void
put(struct arena *a, struct protobuf *options, const char *key, const char *value)
{
	protobuf_put_string(options, CRIU_OPT_EXTERNAL, arena_printf(a, "mnt[%s]:%s", key, value));
}

/* The source without links, "." and "..": as the mount table, which it is compared with, has
 * the paths below it. */
static const char *
real_source(struct arena *a, const char *source)
{
	char path[PATH_MAX];

	return source && realpath(source, path) ? arena_strdup(a, path) : source;
}

/* What follows top in a path below it: "/sub"; "" for top itself. */
static const char *
rest_of(const char *path, const char *top)
{
	return path + (strcmp(top, "/") ? strlen(top) : 0);
}

/* ---- dump ------------------------------------------------------------ */

struct dump {
	struct arena *arena;
	const struct spec *spec;
	struct mountinfo info;
	int root;	      /* of the container */
	const char *root_dir; /* root.path, absolute and without links; NULL: none */
	struct protobuf *options;
};

/* The mount whose root the path leads to; NULL: nothing is mounted there. */
static const struct mountinfo_line *
find_mount(const struct dump *dump, const char *path)
{
	auto_close int fd = path_open(dump->root, path, O_PATH, 0);
	char link[64], target[4096];
	const struct mountinfo_line *l;
	struct mount_place place;
	ssize_t n;

	if (fd < 0 || mount_place_of(fd, &place) < 0)
		return NULL;
	l = mountinfo_find(&dump->info, place.mount_id);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (!l || n < 0)
		return NULL;
	target[n] = '\0';
	return strcmp(target, l->point) ? NULL : l;
}

/* A mount of the config itself, which its own entry tells of. */
static bool
is_of_config(const struct dump *dump, const struct mountinfo_line *line)
{
	for (size_t i = 0; i < dump->spec->n_mounts; i++)
		if (find_mount(dump, dump->spec->mounts[i].destination) == line)
			return true;
	return false;
}

/* Where in a recursive bind mount of the bundle the container's own mounts are once more: they
 * come with its root, which is attached to root.path. CRIU knows them from their first place. NULL:
 * nowhere. */
static const char *
find_own_mounts(const struct dump *dump, const struct outside *outside, const struct mountinfo_line *top)
{
	const char *source = real_source(dump->arena, outside->source);

	if (!dump->root_dir || !path_is_in(dump->root_dir, source))
		return NULL;
	return arena_printf(dump->arena, "%s%s", top->point, rest_of(dump->root_dir, source));
}

static void
dump_below(const struct dump *dump, const struct outside *outside, const struct mountinfo_line *top)
{
	const char *own = find_own_mounts(dump, outside, top);

	for (size_t i = 0; i < dump->info.n; i++) {
		const struct mountinfo_line *l = &dump->info.lines[i];

		if (l == top || !path_is_in(l->point, top->point) || is_of_config(dump, l))
			continue;
		if (own && path_is_in(l->point, own))
			continue;
		put(dump->arena, dump->options, l->point,
		    arena_printf(dump->arena, "%s%s", outside->name, rest_of(l->point, top->point)));
	}
}

static void
dump_one(const struct dump *dump, const struct outside *outside)
{
	const struct mountinfo_line *l = find_mount(dump, outside->name);

	if (!l || !strcmp(l->point, "/") || (outside->kind == KIND_DEVICE && strcmp(l->type, "devtmpfs")))
		return;
	put(dump->arena, dump->options, l->point, outside->name);
	if (outside->recursive)
		dump_below(dump, outside, l);
}

int
criu_mounts_dump(struct arena *a, const struct spec *spec, const struct state *state, struct err *err,
		 struct protobuf *options)
{
	struct dump d = { .arena = a, .spec = spec, .options = options };
	struct list l;
	char path[64];
	int r = make_list(a, spec, state->bundle, "/", "/", err, &l);

	if (spec->root && spec->root->path)
		d.root_dir = real_source(a, path_absolute(a, state->bundle, spec->root->path));
	if (r == 0)
		r = mountinfo_read(state->pid, a, err, &d.info);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)state->pid);
	d.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d.root < 0)
		return err_set(err, errno, "open the root of process %d", (int)state->pid);
	for (size_t i = 0; i < l.n; i++)
		dump_one(&d, &l.items[i]);
	fd_close(d.root);
	return 0;
}

/* ---- restore --------------------------------------------------------- */

static void
restore_below(struct arena *a, const struct outside *outside, const struct mountinfo *info, struct protobuf *options)
{
	for (size_t i = 0; i < info->n; i++) {
		const char *point = info->lines[i].point;

		if (!strcmp(point, outside->source) || !path_is_in(point, outside->source))
			continue;
		put(a, options, arena_printf(a, "%s%s", outside->name, rest_of(point, outside->source)), point);
	}
}

int
criu_mounts_restore(struct arena *a, const struct spec *spec, const char *bundle, const struct cgroup *cg,
		    const char *notify_dir, struct err *err, struct protobuf *options)
{
	const char *cgroup = cg->path ? arena_printf(a, "%s%s", cg->mount, cg->path) : NULL;
	struct mountinfo info;
	struct list l;
	int r = make_list(a, spec, bundle, cgroup, notify_dir, err, &l);

	if (r == 0)
		r = mountinfo_read(0, a, err, &info);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l.n; i++) {
		l.items[i].source = real_source(a, l.items[i].source);
		put(a, options, l.items[i].name, l.items[i].source);
		if (l.items[i].recursive)
			restore_below(a, &l.items[i], &info, options);
	}
	return 0;
}

/* ---- mount points ---------------------------------------------------- */

struct points {
	struct arena *arena;
	const struct spec *spec;
	const char *bundle;
	struct err *err;
};

/* The mount that the destination of number i lies in: the innermost, and of those on one
 * place the last; n_mounts: the root. */
static size_t
enclosing_mount(const struct points *points, size_t i, const char *dest)
{
	size_t found = points->spec->n_mounts, longest = 0;

	for (size_t k = 0; k < i; k++) {
		const char *other = path_clean(points->arena, points->spec->mounts[k].destination);

		if (!strcmp(other, "/") || !strcmp(other, dest) || !path_is_in(dest, other) || strlen(other) < longest)
			continue;
		found = k;
		longest = strlen(other);
	}
	return found;
}

/* The source of a bind mount, absolute; NULL: the mount is not one. */
static int
bind_source(const struct points *points, size_t i, const char **ret_source, bool *ret_read_only)
{
	const struct spec_mount *m = &points->spec->mounts[i];
	struct mount_options o;
	int r = mount_options_parse(points->arena, arena_printf(points->arena, "mounts[%zu]", i), &m->options,
				    points->err, &o);

	if (r < 0)
		return r;
	*ret_source = o.bind && m->source ? path_absolute(points->arena, points->bundle, m->source) : NULL;
	*ret_read_only = (o.attrs.set | o.rec_attrs.set) & MOUNT_ATTR_RDONLY;
	return 0;
}

/* Makes the mount point of number i, if there is none, below a directory. */
static int
make_point(const struct points *points, size_t i, int below, const char *path)
{
	const char *source = NULL;
	bool read_only;
	struct stat st;
	int fd, r = bind_source(points, i, &source, &read_only);

	if (r < 0)
		return r;
	fd = path_open(below, path, O_PATH, 0);
	if (fd == -ENOENT)
		fd = source && stat(source, &st) == 0 && !S_ISDIR(st.st_mode) ? path_make_file(below, path, 0644)
									      : path_make_dir(below, path, 0755);
	if (fd < 0)
		return err_set(points->err, -fd, "mounts[%zu]: make the mount point '%s'", i,
			       points->spec->mounts[i].destination);
	fd_close(fd);
	return 0;
}

/* In another mount: that of a bind mount is made in its source, where run would have made it
 * through the mount. What else a container mounts has its files in the image, or none. */
static int
make_point_in(const struct points *points, size_t i, const char *dest, size_t outer)
{
	const char *top = path_clean(points->arena, points->spec->mounts[outer].destination), *source = NULL;
	auto_close int fd = -1;
	bool read_only;
	int r = bind_source(points, outer, &source, &read_only);

	if (r < 0 || !source || read_only)
		return r;
	fd = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR)
		return 0;
	return fd < 0 ? err_set(points->err, errno, "mounts[%zu].source: '%s'", outer, source)
		      : make_point(points, i, fd, rest_of(dest, top));
}

int
criu_mounts_make_points(struct arena *a, const struct spec *spec, const char *bundle, int rootfd, struct err *err)
{
	const struct points p = { a, spec, bundle, err };
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->n_mounts; i++) {
		const char *dest = path_clean(a, spec->mounts[i].destination);
		size_t outer = enclosing_mount(&p, i, dest);

		if (outer == spec->n_mounts)
			r = make_point(&p, i, rootfd, dest);
		else
			r = make_point_in(&p, i, dest, outer);
	}
	return r;
}
