/* Plans the devices: those that every container has, those of linux.devices
 * (which win over a default of the same path), and the links of /dev
 * (config-linux.md#default-devices, runtime-linux.md#dev-symbolic-links).
 *
 * A user namespace cannot make device nodes. The runtime makes those of
 * linux.devices for it where it may (device_sources.h); otherwise, and for the
 * default ones, the host's node is bound.
 * A /dev that is bound from the host is left as it is: nodes and links made in
 * it would be made on the host. What a bind mount shows elsewhere is the host's,
 * too: a node that is there keeps its owner and mode. And what the config mounts
 * at the path of a default device ("/dev/urandom" on "/dev/random") is the config's
 * choice. */
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "namespaces/mount/path_text.h"
#include "namespaces/mount/rootfs_planner.h"

#define DEFAULT_MODE 0666

static const struct {
	const char *path;
	unsigned major, minor;
} default_devices[] = {
	{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};
#define N_DEFAULTS (sizeof(default_devices) / sizeof(default_devices[0]))

static const struct {
	const char *path, *target;
	bool needs_kcore;
} links[] = {
	{ "/dev/fd", "/proc/self/fd", false },	     { "/dev/stdin", "/proc/self/fd/0", false },
	{ "/dev/stdout", "/proc/self/fd/1", false }, { "/dev/stderr", "/proc/self/fd/2", false },
	{ "/dev/core", "/proc/kcore", true },	     { "/dev/ptmx", "pts/ptmx", false },
};
#define N_LINKS (sizeof(links) / sizeof(links[0]))

/* The mount that path is on: of those with the longest destination, the last. NULL:
 * the root, or the container's own way to it. */
static const struct spec_mount *
mount_of(const struct rootfs_planner *planner, const char *path, bool *ret_exact)
{
	const struct spec_mount *found = NULL;
	size_t longest = 1;

	for (size_t i = 0; i < planner->s->n_mounts; i++) {
		const char *dest = path_clean(planner->b->arena, planner->s->mounts[i].destination);
		size_t n = strlen(dest);

		if (n <= 1 || n < longest || !path_is_in(path, dest))
			continue;
		found = &planner->s->mounts[i];
		longest = n;
	}
	if (ret_exact)
		*ret_exact = found && strlen(path) == longest;
	return found;
}

/* Whether the host has what is at that path. */
static bool
is_bound(const struct rootfs_planner *planner, const char *path)
{
	const struct spec_mount *m = mount_of(planner, path, NULL);

	return m && (spec_strings_have(&m->options, "bind") || spec_strings_have(&m->options, "rbind"));
}

static bool
is_mounted_over(const struct rootfs_planner *planner, const char *path)
{
	bool exact;

	mount_of(planner, path, &exact);
	return exact;
}

static mode_t
file_type(char type)
{
	switch (type) {
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default: /* 'c', 'u' */
		return S_IFCHR;
	}
}

static bool
is_device(const char *path, mode_t type, dev_t number)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_rdev == number;
}

/* Where the host has that device: at the same path, or where udev lists it.
 * NULL: nowhere. */
static const char *
host_device(const struct rootfs_planner *planner, const char *path, mode_t type, dev_t number)
{
	const char *by_number;

	if (is_device(path, type, number))
		return path;
	by_number = arena_printf(planner->b->arena, "/dev/%s/%u:%u", type == S_IFBLK ? "block" : "char", major(number),
				 minor(number));
	return is_device(by_number, type, number) ? by_number : NULL;
}

static void
add_device(const struct rootfs_planner *planner, const char *what, const struct plan_device *device, const char *path,
	   const char *source)
{
	struct plan_step bind = { .kind = PLAN_BIND_DEVICE };
	struct plan_step *st;

	if (source) {
		bind.u.bind_device.path = plan_string(planner->b, path);
		bind.u.bind_device.source = plan_string(planner->b, source);
	}
	if (source && planner->o->in_userns) {
		st = plan_add(planner->b, PLAN_BIND_DEVICE, "%s", what);
		st->u.bind_device = bind.u.bind_device;
		return;
	}
	st = plan_add(planner->b, PLAN_MAKE_DEVICE, "%s", what);
	st->u.device = *device;
	st->u.device.path = plan_string(planner->b, path);
	/* Root without CAP_MKNOD, as inside another container. */
	if (source && rootfs_has_mount_namespace(planner)) {
		bind.what = st->what;
		plan_alternate(planner->b, PLAN_EPERM, &bind);
	}
}

static void
add_defaults(const struct rootfs_planner *planner)
{
	for (size_t i = 0; i < N_DEFAULTS; i++) {
		struct plan_device d = { .mode = S_IFCHR | DEFAULT_MODE,
					 .major = default_devices[i].major,
					 .minor = default_devices[i].minor };
		bool configured = is_mounted_over(planner, default_devices[i].path);

		for (size_t k = 0; k < planner->s->linux_.n_devices && !configured; k++)
			configured = !strcmp(path_clean(planner->b->arena, planner->s->linux_.devices[k].path),
					     default_devices[i].path);
		if (!configured)
			add_device(planner, "default devices", &d, default_devices[i].path, default_devices[i].path);
	}
}

/* Whether nodes can be made for a container that cannot make them. The ids of a
 * namespace that is joined are not known here. */
static bool
runtime_makes_nodes(const struct rootfs_planner *planner)
{
	return planner->o->in_userns && planner->h->privileged && !planner->h->in_userns &&
	       (planner->h->capabilities >> CAP_MKNOD & 1) && !planner->s->linux_.namespaces[NS_USER].path &&
	       rootfs_has_mount_namespace(planner);
}

/* An owner that the config does not name is root of the namespace or, without one,
 * of the host. */
static int
map_id(const struct rootfs_planner *planner, const struct spec_id_mappings *maps, const char *property, bool named,
       uint32_t *id)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_id_mapping *m = &maps->items[i];

		if (*id >= m->container_id && *id - m->container_id < m->size) {
			*id = m->host_id + (*id - m->container_id);
			return 0;
		}
	}
	return named ? err_plain(planner->err, "%s: %u is not mapped in the container's user namespace", property, *id)
		     : 0;
}

static int
add_made(const struct rootfs_planner *planner, const char *property, const struct spec_device *sd,
	 struct plan_device *device, const char *path)
{
	struct arena *a = planner->b->arena;
	struct plan_step *st;
	uint16_t slot;
	int r = map_id(planner, &planner->s->linux_.uid_mappings, arena_printf(a, "%s.uid", property), sd->uid.set,
		       &device->uid);

	if (r == 0)
		r = map_id(planner, &planner->s->linux_.gid_mappings, arena_printf(a, "%s.gid", property), sd->gid.set,
			   &device->gid);
	if (r < 0)
		return r;
	st = plan_add(planner->b, PLAN_BIND_DEVICE, "%s", property);
	slot = plan_add_source(planner->b, path, /* recursive= */ false, /* nofollow= */ false, st->what);
	device->path = planner->b->sources[planner->b->n_sources - 1].path;
	planner->b->sources[planner->b->n_sources - 1].device = *device;
	st->u.bind_device = (struct plan_bind_device){ .path = device->path, .source = device->path, .slot = slot };
	return 0;
}

static int
add_configured(const struct rootfs_planner *planner, size_t i, bool skip_dev)
{
	const struct spec_device *sd = &planner->s->linux_.devices[i];
	const char *property = arena_printf(planner->b->arena, "linux.devices[%zu]", i);
	const char *path = path_clean(planner->b->arena, sd->path), *source = NULL;
	mode_t type = file_type(sd->type);
	struct plan_device d = {
		.mode = (uint32_t)type | ((sd->file_mode.set ? sd->file_mode.v : DEFAULT_MODE) & 07777),
		.uid = sd->uid.set ? sd->uid.v : 0,
		.gid = sd->gid.set ? sd->gid.v : 0,
		.keep_existing = is_bound(planner, path),
	};

	/* /dev/ptmx is the one of the container's own devpts, always. */
	if (strcmp(path, "/dev/ptmx") == 0 || (skip_dev && path_is_in(path, "/dev")))
		return 0;
	if (type != S_IFIFO) {
		if (sd->major < 0 || sd->major > UINT32_MAX || sd->minor < 0 || sd->minor > UINT32_MAX)
			return err_plain(planner->err, "%s: no such device number: %lld:%lld", property,
					 (long long)sd->major, (long long)sd->minor);
		d.major = (uint32_t)sd->major;
		d.minor = (uint32_t)sd->minor;
		if (runtime_makes_nodes(planner))
			return add_made(planner, property, sd, &d, path);
		/* The plan for root must not depend on what the host has. */
		source = planner->o->in_userns ? host_device(planner, path, type, makedev(d.major, d.minor)) : path;
		if (!source)
			return err_plain(planner->err,
					 "%s: the host has no device %c %u:%u at '%s' or below /dev/%s, and a user "
					 "namespace cannot make one",
					 property, sd->type, d.major, d.minor, path,
					 type == S_IFBLK ? "block" : "char");
	}
	add_device(planner, property, &d, path, source);
	return 0;
}

static void
add_links(const struct rootfs_planner *planner)
{
	for (size_t i = 0; i < N_LINKS; i++) {
		struct plan_step *st;

		if (links[i].needs_kcore && !planner->h->kcore)
			continue;
		st = plan_add(planner->b, PLAN_MAKE_SYMLINK, "default devices");
		st->u.symlink.path = plan_string(planner->b, links[i].path);
		st->u.symlink.target = plan_string(planner->b, links[i].target);
	}
}

int
device_plan(const struct rootfs_planner *planner)
{
	bool bound = is_bound(planner, "/dev");
	/* Nodes can neither be made nor bound. */
	bool none = planner->o->in_userns && !rootfs_has_mount_namespace(planner);

	if (!bound && !none)
		add_defaults(planner);
	for (size_t i = 0; i < planner->s->linux_.n_devices; i++) {
		int r = add_configured(planner, i, bound);

		if (r < 0)
			return r;
	}
	if (!bound)
		add_links(planner);
	return 0;
}
