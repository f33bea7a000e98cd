/* Plans bind mounts: mounts[] with "bind" or "rbind" in the options.
 *
 * The source is a path of the host, relative to the bundle. It must exist, unless an entry
 * before this one makes it in the container's root, and what it is (directory or not) decides what
 * the container's init makes where the destination is missing. The init opens the source itself, unless it could not or
 * would get something else: in a user namespace of its own, for an id-mapped mount,
 * or for a volume that is to stay in the host's peer group the runtime opens it
 * before the clone (struct plan_source). */
#include "namespaces/mount/mount_entry.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "namespaces/mount/mount_idmap.h"
#include "namespaces/mount/path_text.h"

/* The path in the container of a source that lies in its root, in what an earlier entry mounts
 * there or makes as a mount point: only the init can see that. NULL: it is elsewhere. */
static const char *
find_made_earlier(const struct rootfs_planner *planner, const struct mount_entry *entry, const char *source)
{
	const struct spec_root *root = planner->s->root;
	struct arena *a = planner->b->arena;
	const char *top, *inside;

	if (!root || !root->path || !rootfs_has_mount_namespace(planner))
		return NULL;
	top = path_clean(a, path_absolute(a, planner->o->bundle, root->path));
	source = path_clean(a, source);
	if (!path_is_in(source, top) || !strcmp(source, top))
		return NULL;
	inside = source + (strcmp(top, "/") ? strlen(top) : 0);
	for (size_t i = 0; i < entry->index; i++) {
		const char *dest = path_clean(a, planner->s->mounts[i].destination);

		if (strcmp(dest, "/") && (path_is_in(inside, dest) || path_is_in(dest, inside)))
			return inside;
	}
	return NULL;
}

static int
stat_source(const struct rootfs_planner *planner, const struct mount_entry *entry, const char *source, bool *ret_is_dir)
{
	struct stat st;

	if (planner->o->sink)
		return 0;
	if ((entry->o.source_nofollow ? lstat(source, &st) : stat(source, &st)) < 0)
		return err_set(planner->err, errno, "%s.source: '%s', to be bound on '%s'", entry->property, source,
			       entry->dest);
	*ret_is_dir = S_ISDIR(st.st_mode);
	return 0;
}

/* With linux.rootfsPropagation "shared", a shared volume stays in the host's
 * peer group, so that what is mounted in it is seen on both sides. Only a tree
 * opened outside, before all mounts become slaves, is still in that group. */
static bool
stays_host_peer(const struct rootfs_planner *planner, const struct mount_entry *entry)
{
	return planner->s->linux_.rootfs_propagation == SPEC_PROP_SHARED && planner->h->privileged &&
	       !planner->o->in_userns && (mount_entry_propagation(entry) & MS_SHARED);
}

static bool
is_sys_read_only(const struct mount_entry *entry, const char *source)
{
	return entry->o.recursive && (entry->o.attrs.set & MOUNT_ATTR_RDONLY) && strcmp(source, "/sys") == 0;
}

static void
add_bind(const struct rootfs_planner *planner, const struct mount_entry *entry, const char *source, bool is_dir,
	 const char *inside, const struct plan_idmap *idmap)
{
	bool host_peer = stays_host_peer(planner, entry);
	struct plan_step *st = plan_add(planner->b, PLAN_MOUNT_BIND, "%s", entry->property);

	st->u.mount_bind = (struct plan_mount_bind){
		.dest = plan_string(planner->b, entry->dest),
		.source = plan_string(planner->b, source),
		.inside = plan_string(planner->b, inside),
		.recursive = entry->o.recursive,
		.source_is_dir = is_dir,
		.source_nofollow = entry->o.source_nofollow,
		/* Behind a link in the rootfs it would be somewhere else. */
		.dest_nofollow =
			entry->o.dest_nofollow || !strcmp(entry->dest, "/proc") || !strcmp(entry->dest, "/sys"),
		.attrs = entry->o.attrs,
		.rec_attrs = entry->o.rec_attrs,
		.propagation = mount_entry_propagation(entry),
		.host_peer = host_peer,
	};
	/* The configs for unprivileged users bind /sys with "rbind,ro": ro for
	 * /sys/fs/cgroup below it as well (CVE-2023-25809). */
	if (planner->o->in_userns && is_sys_read_only(entry, source))
		st->u.mount_bind.rec_attrs.set |= MOUNT_ATTR_RDONLY;
	if ((planner->o->parent_opens && !inside) || host_peer || idmap->mapped) {
		st->u.mount_bind.slot =
			plan_add_source(planner->b, source, entry->o.recursive, entry->o.source_nofollow, st->what);
		planner->b->sources[planner->b->n_sources - 1].idmap = *idmap;
	}
	mount_entry_add_propagation(planner, entry, 1);
}

int
mount_plan_bind(const struct rootfs_planner *planner, struct mount_entry *entry)
{
	struct plan_idmap idmap = { 0 };
	const char *source, *inside;
	bool is_dir = true;
	int r = mount_entry_check_kind(planner, entry, true, false);

	if (r < 0)
		return r;
	if (!entry->m->source || !*entry->m->source)
		return err_plain(planner->err, "%s.source: required for a bind mount", entry->property);
	mount_entry_ignore_data(planner, entry, "a bind mount");
	if (entry->o.sb_set & ~(unsigned)MOUNT_SB_RDONLY)
		log_debug("%s.options: superblock flags have no effect on a bind mount", entry->property);
	source = path_absolute(planner->b->arena, planner->o->bundle, entry->m->source);
	inside = find_made_earlier(planner, entry, source);
	r = inside ? 0 : stat_source(planner, entry, source, &is_dir);
	if (r == 0)
		r = mount_entry_check_proc(planner, entry, source);
	if (r == 0)
		r = mount_idmap_plan(planner, entry->property, entry->m, &entry->o, &idmap);
	/* A tree that the runtime opens has no locked flags: the kernel locks those of
	 * mounts that a new user namespace gets with its mount namespace. */
	mount_options_name_all_flags(&entry->o, planner->o->parent_opens && planner->o->in_userns,
				     host_kernel_at_least(planner->h, 5, 14));
	if (r == 0)
		add_bind(planner, entry, source, is_dir, inside, &idmap);
	return r;
}
