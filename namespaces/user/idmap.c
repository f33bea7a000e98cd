/* Theory of operation: user_namespaces(7).
 *
 * Three ways to fill the maps of a new user namespace:
 *  - with CAP_SETUID and CAP_SETGID the runtime writes any map itself;
 *  - any user may map their own uid and gid, one each, to whatever id, if they
 *    gives up setgroups(2) in the namespace ("single-id map");
 *  - all else goes through newuidmap(1) and newgidmap(1), which are set-uid and
 *    allow what /etc/subuid and /etc/subgid say.
 * Which one is decided here, in the parent, with everything the kernel would
 * answer with a bare EINVAL or EPERM checked before: overlaps, sizes, the room
 * in the kernel's table, root's own id without CAP_SETFCAP. */
#include "namespaces/user/idmap.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>

#include "base/helper.h"
#include "namespaces/user/idmap_subid.h"

#define MAX_EXTENTS 340	 /* UID_GID_MAP_MAX_EXTENTS of the kernel */
#define MAX_TEXT    4096 /* a map is written at once, in less than a page */

const struct idmap_kind idmap_uids = { "linux.uidMappings", "subuid", "uid_map", "newuidmap" };
const struct idmap_kind idmap_gids = { "linux.gidMappings", "subgid", "gid_map", "newgidmap" };

struct map_list {
	struct plan_id_map *items;
	size_t n;
};

static bool
ranges_meet(uint32_t first, uint32_t a_size, uint32_t second, uint32_t b_size)
{
	return (uint64_t)first < (uint64_t)second + b_size && (uint64_t)second < (uint64_t)first + a_size;
}

static int
check_range(const struct idmap_kind *kind, const struct map_list *list, size_t i, struct err *err)
{
	const struct plan_id_map *m = &list->items[i];

	if (m->size == 0)
		return err_plain(err, "%s[%zu].size: must not be 0", kind->property, i);
	/* 2^32-1 is not an id: it means "unchanged" to setuid(2). */
	if ((uint64_t)m->container + m->size > UINT32_MAX || (uint64_t)m->host + m->size > UINT32_MAX)
		return err_plain(err, "%s[%zu].size: %u ids from %u (container) and %u (host) go past the last id, %u",
				 kind->property, i, m->size, m->container, m->host, UINT32_MAX - 1);
	for (size_t j = 0; j < i; j++) {
		const struct plan_id_map *o = &list->items[j];

		if (ranges_meet(m->container, m->size, o->container, o->size))
			return err_plain(err, "%s[%zu]: the ids in the container overlap those of [%zu]",
					 kind->property, i, j);
		if (ranges_meet(m->host, m->size, o->host, o->size))
			return err_plain(err, "%s[%zu]: the ids on the host overlap those of [%zu]", kind->property, i,
					 j);
	}
	return 0;
}

static int
check_maps(const struct idmap_kind *kind, const struct map_list *list, struct err *err)
{
	size_t text = 0;

	if (list->n > MAX_EXTENTS)
		return err_plain(err, "%s: %zu mappings, the kernel takes %d", kind->property, list->n, MAX_EXTENTS);
	for (size_t i = 0; i < list->n; i++) {
		const struct plan_id_map *m = &list->items[i];

		if (check_range(kind, list, i, err) < 0)
			return -EINVAL;
		text += (size_t)snprintf(NULL, 0, "%u %u %u\n", m->container, m->host, m->size);
	}
	if (text >= MAX_TEXT)
		return err_plain(err, "%s: the mappings need %zu bytes in /proc/PID/%s, the kernel takes %d",
				 kind->property, text, kind->proc, MAX_TEXT - 1);
	return 0;
}

static bool
maps_container(const struct map_list *list, uint32_t id)
{
	for (size_t i = 0; i < list->n; i++)
		if (id >= list->items[i].container && id - list->items[i].container < list->items[i].size)
			return true;
	return false;
}

static bool
maps_host(const struct map_list *list, uint32_t id)
{
	for (size_t i = 0; i < list->n; i++)
		if (id >= list->items[i].host && id - list->items[i].host < list->items[i].size)
			return true;
	return false;
}

static bool
is_single(const struct map_list *list, uint32_t id)
{
	return list->n == 1 && list->items[0].size == 1 && list->items[0].host == id;
}

/* The program's ids must exist in the namespace, or setuid(2) would fail late. */
static int
check_user(const struct spec *spec, const struct map_list *uids, const struct map_list *gids, struct err *err)
{
	const struct spec_user *u;

	if (!spec->process)
		return 0;
	u = &spec->process->user;
	if (!maps_container(uids, u->uid))
		return err_plain(err, "process.user.uid: %u is not mapped by linux.uidMappings", u->uid);
	if (!maps_container(gids, u->gid))
		return err_plain(err, "process.user.gid: %u is not mapped by linux.gidMappings", u->gid);
	for (size_t i = 0; i < u->additional_gids.n; i++)
		if (!maps_container(gids, u->additional_gids.items[i]))
			return err_plain(err, "process.user.additionalGids[%zu]: %u is not mapped by linux.gidMappings",
					 i, u->additional_gids.items[i]);
	return 0;
}

static struct map_list
copy_maps(struct arena *a, const struct spec_id_mappings *from)
{
	struct map_list l = { .items = arena_array(a, from->n + 1, sizeof(*l.items)), .n = from->n };

	for (size_t i = 0; i < from->n; i++)
		l.items[i] = (struct plan_id_map){ from->items[i].container_id, from->items[i].host_id,
						   from->items[i].size };
	return l;
}

static struct map_list
single_map(struct arena *a, uint32_t container, uint32_t host)
{
	struct map_list l = { .items = arena_array(a, 1, sizeof(*l.items)), .n = 1 };

	l.items[0] = (struct plan_id_map){ container, host, 1 };
	return l;
}

static bool
has_capability(const struct host *host, unsigned cap)
{
	return host->capabilities >> cap & 1;
}

/* Chooses who writes, and checks that they may. */
static int
choose_writer(const struct host *host, const char *subid_dir, const struct map_list *uids, const struct map_list *gids,
	      struct err *err, struct plan_spawn *spawn)
{
	bool delegated = true;

	spawn->deny_setgroups = false;
	spawn->map_how = PLAN_MAP_DIRECT;
	if (has_capability(host, CAP_SETUID) && has_capability(host, CAP_SETGID)) {
		/* Since Linux 5.12, or a file with capabilities could be made for the parent. */
		if (maps_host(uids, 0) && !has_capability(host, CAP_SETFCAP))
			return err_plain(
				err,
				"linux.uidMappings: mapping host uid 0 needs CAP_SETFCAP, which the runtime lacks");
		return 0;
	}
	if (is_single(uids, host->euid) && is_single(gids, host->egid)) {
		spawn->deny_setgroups = true;
		return 0;
	}
	spawn->map_how = PLAN_MAP_HELPERS;
	if (!subid_dir)
		return 0;
	if (idmap_check_owned(&idmap_uids, subid_dir, host->euid, host->euid, uids->items, uids->n, err, &delegated) <
		    0 ||
	    idmap_check_owned(&idmap_gids, subid_dir, host->euid, host->egid, gids->items, gids->n, err, &delegated) <
		    0)
		return err->code ? -err->code : -EINVAL;
	spawn->deny_setgroups = !delegated; /* newgidmap(1) denies it for the user's own gid alone */
	return 0;
}

/* The maps of the config, or an unprivileged user's own ids under the names that
 * the program wants. */
static int
take_maps(struct arena *a, const struct spec *spec, const struct host *host, struct err *err, struct map_list *ret_uids,
	  struct map_list *ret_gids)
{
	const struct spec_id_mappings *uids = &spec->linux_.uid_mappings, *gids = &spec->linux_.gid_mappings;
	bool ordinary = !has_capability(host, CAP_SETUID) || !has_capability(host, CAP_SETGID);

	if (uids->n == 0 && gids->n == 0 && ordinary) {
		*ret_uids = single_map(a, spec->process ? spec->process->user.uid : 0, host->euid);
		*ret_gids = single_map(a, spec->process ? spec->process->user.gid : 0, host->egid);
		return 0;
	}
	if (uids->n == 0)
		return err_plain(err, "linux.uidMappings: required with a new user namespace");
	if (gids->n == 0)
		return err_plain(err, "linux.gidMappings: required with a new user namespace");
	*ret_uids = copy_maps(a, uids);
	*ret_gids = copy_maps(a, gids);
	return 0;
}

/* One that is missing is told of when it is needed. */
static int
find_helper(struct plan_builder *b, const char *name, struct err *err, plan_str *ret_path)
{
	const char *path;
	int r = helper_find(name, b->arena, err, &path);

	if (r == 0)
		*ret_path = plan_string(b, path);
	return r == -ENOENT || r == -EACCES ? 0 : r;
}

int
idmap_plan(struct plan_builder *b, const struct spec *spec, const struct host *host, const char *subid_dir,
	   struct err *err)
{
	struct map_list uids, gids;
	struct plan_spawn spawn = b->spawn;
	int r = take_maps(b->arena, spec, host, err, &uids, &gids);

	if (r < 0 || (r = check_maps(&idmap_uids, &uids, err)) < 0 || (r = check_maps(&idmap_gids, &gids, err)) < 0 ||
	    (r = check_user(spec, &uids, &gids, err)) < 0 ||
	    (r = choose_writer(host, subid_dir, &uids, &gids, err, &spawn)) < 0)
		return r;
	if (spawn.map_how == PLAN_MAP_HELPERS && subid_dir &&
	    ((r = find_helper(b, idmap_uids.helper, err, &spawn.uid_helper)) < 0 ||
	     (r = find_helper(b, idmap_gids.helper, err, &spawn.gid_helper)) < 0))
		return r;
	spawn.uid_maps = plan_data(b, uids.items, uids.n * sizeof(*uids.items));
	spawn.gid_maps = plan_data(b, gids.items, gids.n * sizeof(*gids.items));
	b->spawn = spawn;
	return 0;
}
