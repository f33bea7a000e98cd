/* Theory of operation: see criu_mounts.h.
 *
 * CRIU makes the container's mounts anew, from what /proc/PID/mountinfo said,
 * and needs help where the root of a mount lies in no file system of the
 * container. `--external mnt[POINT]:NAME` at dump gives such a mount a name,
 * `--external mnt[NAME]:PATH` at restore says what it is there. The names are
 * the paths in the config, so that the restored container gets what its caller's
 * config says and nothing that an image names: a POINT differs from its name
 * where the path in the container leads over links.
 *
 * A name that no mount of the image has does no harm: restore tells all that the
 * config could have led to. */
#include "libcontainer/criu_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mountinfo.h"
#include "libcontainer/criu_rpc.h"
#include "namespaces/mount_api.h"
#include "namespaces/mount_options.h"
#include "namespaces/path_in_root.h"
#include "namespaces/path_text.h"

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
add(struct list *l, enum kind kind, const char *name, const char *source, bool recursive)
{
	l->items[l->n++] = (struct outside){ name, source, kind, recursive };
}

static int
add_mount(struct arena *a, const struct spec *s, size_t i, const char *bundle, const char *cgroup, struct err *err,
	  struct list *l)
{
	const struct spec_mount *m = &s->mounts[i];
	struct mount_options o;
	int r = mount_options_parse(a, arena_printf(a, "mounts[%zu]", i), m->type, &m->options, err, &o);

	if (r < 0)
		return r;
	if (o.idmap || m->uid_mappings.n)
		return err_plain(err, "mounts[%zu]: an id-mapped mount cannot be checkpointed: CRIU loses its map", i);
	if ((o.bind || (m->type && !strcmp(m->type, "bind"))) && m->source)
		add(l, KIND_BIND, path_clean(a, m->destination), path_absolute(a, bundle, m->source), o.recursive);
	else if (cgroup && m->type && !strcmp(m->type, "cgroup") && !s->linux_.namespaces[SPEC_NS_CGROUP].listed)
		add(l, KIND_CGROUP, path_clean(a, m->destination), cgroup, false);
	return 0;
}

/* bundle, cgroup, notify_dir: for the sources, of no interest at dump. */
static int
make_list(struct arena *a, const struct spec *s, const char *bundle, const char *cgroup, const char *notify_dir,
	  struct err *err, struct list *l)
{
	const struct spec_linux *x = &s->linux_;
	size_t max = s->n_mounts + x->masked_paths.n + x->n_devices + sizeof(default_devices) / sizeof(char *) + 1;

	*l = (struct list){ .items = arena_array(a, max, sizeof(*l->items)) };
	for (size_t i = 0; i < s->n_mounts; i++) {
		int r = add_mount(a, s, i, bundle, cgroup, err, l);

		if (r < 0)
			return r;
	}
	add(l, KIND_BIND, NOTIFY_POINT, notify_dir, false);
	for (size_t i = 0; i < x->masked_paths.n; i++)
		add(l, KIND_DEVICE, path_clean(a, x->masked_paths.items[i]), "/dev/null", false);
	for (const char *const *d = default_devices; *d; d++)
		add(l, KIND_DEVICE, *d, *d, false);
	for (size_t i = 0; i < x->n_devices; i++)
		add(l, KIND_DEVICE, path_clean(a, x->devices[i].path), path_clean(a, x->devices[i].path), false);
	return 0;
}

static void
put(struct arena *a, struct protobuf *options, const char *key, const char *value)
{
	protobuf_put_string(options, CRIU_OPT_EXTERNAL, arena_printf(a, "mnt[%s]:%s", key, value));
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
	int root; /* of the container */
	struct protobuf *options;
};

/* The mount whose root the path leads to; NULL: nothing is mounted there. */
static const struct mountinfo_line *
find_mount(const struct dump *d, const char *path)
{
	auto_close int fd = path_open(d->root, path, O_PATH, 0);
	char link[64], target[4096];
	const struct mountinfo_line *l;
	struct mount_place place;
	ssize_t n;

	if (fd < 0 || mount_place_of(fd, &place) < 0)
		return NULL;
	l = mountinfo_find(&d->info, place.mount_id);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (!l || n < 0)
		return NULL;
	target[n] = '\0';
	return strcmp(target, l->point) ? NULL : l;
}

/* A mount of the config itself, which its own entry tells of. */
static bool
is_of_config(const struct dump *d, const struct mountinfo_line *line)
{
	for (size_t i = 0; i < d->spec->n_mounts; i++)
		if (find_mount(d, d->spec->mounts[i].destination) == line)
			return true;
	return false;
}

static void
dump_below(const struct dump *d, const struct outside *o, const struct mountinfo_line *top)
{
	for (size_t i = 0; i < d->info.n; i++) {
		const struct mountinfo_line *l = &d->info.lines[i];

		if (l == top || !path_is_in(l->point, top->point) || is_of_config(d, l))
			continue;
		put(d->arena, d->options, l->point,
		    arena_printf(d->arena, "%s%s", o->name, rest_of(l->point, top->point)));
	}
}

static void
dump_one(const struct dump *d, const struct outside *o)
{
	const struct mountinfo_line *l = find_mount(d, o->name);

	if (!l || !strcmp(l->point, "/") || (o->kind == KIND_DEVICE && strcmp(l->type, "devtmpfs")))
		return;
	put(d->arena, d->options, l->point, o->name);
	if (o->recursive)
		dump_below(d, o, l);
}

int
criu_mounts_dump(struct arena *a, const struct spec *s, const struct state *state, struct err *err,
		 struct protobuf *options)
{
	struct dump d = { .arena = a, .spec = s, .options = options };
	struct list l;
	char path[64];
	int r = make_list(a, s, "/", "/", "/", err, &l);

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
restore_below(struct arena *a, const struct outside *o, const struct mountinfo *info, struct protobuf *options)
{
	for (size_t i = 0; i < info->n; i++) {
		const char *point = info->lines[i].point;

		if (!strcmp(point, o->source) || !path_is_in(point, o->source))
			continue;
		put(a, options, arena_printf(a, "%s%s", o->name, rest_of(point, o->source)), point);
	}
}

int
criu_mounts_restore(struct arena *a, const struct spec *s, const char *bundle, const struct cgroup *cg,
		    const char *notify_dir, struct err *err, struct protobuf *options)
{
	const char *cgroup = cg->path ? arena_printf(a, "%s%s", cg->mount, cg->path) : NULL;
	struct mountinfo info;
	struct list l;
	int r = make_list(a, s, bundle, cgroup, notify_dir, err, &l);

	if (r == 0)
		r = mountinfo_read(0, a, err, &info);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l.n; i++) {
		put(a, options, l.items[i].name, l.items[i].source);
		if (l.items[i].recursive)
			restore_below(a, &l.items[i], &info, options);
	}
	return 0;
}

/* ---- mount points ---------------------------------------------------- */

static bool
is_in_other(struct arena *a, const struct spec *s, size_t i, const char *dest)
{
	for (size_t k = 0; k < s->n_mounts; k++) {
		const char *other = path_clean(a, s->mounts[k].destination);

		if (k != i && strcmp(other, "/") && strcmp(other, dest) && path_is_in(dest, other))
			return true;
	}
	return false;
}

static bool
is_file_bind(const struct spec_mount *m)
{
	struct stat st;

	return m->source && m->source[0] == '/' && m->type && !strcmp(m->type, "bind") && stat(m->source, &st) == 0 &&
	       !S_ISDIR(st.st_mode);
}

int
criu_mounts_make_points(struct arena *a, const struct spec *s, int rootfd, struct err *err)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const char *dest = path_clean(a, s->mounts[i].destination);
		int fd;

		if (is_in_other(a, s, i, dest))
			continue;
		fd = path_open(rootfd, dest, O_PATH, 0);
		if (fd == -ENOENT)
			fd = is_file_bind(&s->mounts[i]) ? path_make_file(rootfd, dest, 0644)
							 : path_make_dir(rootfd, dest, 0755);
		if (fd < 0)
			return err_set(err, -fd, "mounts[%zu]: make the mount point '%s'", i, dest);
		fd_close(fd);
	}
	return 0;
}
