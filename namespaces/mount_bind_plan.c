/* Plans bind mounts: mounts[] with "bind" or "rbind" in the options.
 *
 * The source is a path of the host, relative to the bundle. It must exist, and what
 * it is (folder or not) decides what the container's init makes where the
 * destination is missing. The init opens the source itself, unless it could not or
 * would get something else: in a user namespace of its own, for an id-mapped mount,
 * or for a volume that is to stay in the host's peer group the runtime opens it
 * before the clone (struct plan_source). */
#include "namespaces/mount_entry.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "namespaces/mount_idmap.h"
#include "namespaces/path_text.h"

static int
stat_source(const struct rootfs_planner *p, const struct mount_entry *e, const char *source, bool *ret_is_dir)
{
	struct stat st;

	if ((e->o.source_nofollow ? lstat(source, &st) : stat(source, &st)) < 0)
		return err_set(p->err, errno, "%s.source: '%s', to be bound on '%s'", e->property, source, e->dest);
	*ret_is_dir = S_ISDIR(st.st_mode);
	return 0;
}

/* With linux.rootfsPropagation "shared", a shared volume stays in the host's
 * peer group, so that what is mounted in it is seen on both sides. Only a tree
 * opened outside, before all mounts become slaves, is still in that group. */
static bool
stays_host_peer(const struct rootfs_planner *p, const struct mount_entry *e)
{
	return p->s->linux_.rootfs_propagation == SPEC_PROP_SHARED && p->h->privileged && !p->o->in_userns &&
	       (mount_entry_propagation(e) & MS_SHARED);
}

static bool
is_sys_read_only(const struct mount_entry *e, const char *source)
{
	return e->o.recursive && (e->o.attrs.set & MOUNT_ATTR_RDONLY) && strcmp(source, "/sys") == 0;
}

static void
add_bind(const struct rootfs_planner *p, const struct mount_entry *e, const char *source, bool is_dir,
	 const struct plan_idmap *idmap)
{
	bool host_peer = stays_host_peer(p, e);
	struct plan_step *st = plan_add(p->b, PLAN_MOUNT_BIND, "%s", e->property);

	st->u.mount_bind = (struct plan_mount_bind){
		.dest = plan_string(p->b, e->dest),
		.source = plan_string(p->b, source),
		.recursive = e->o.recursive,
		.source_is_dir = is_dir,
		.source_nofollow = e->o.source_nofollow,
		/* Behind a link in the rootfs it would be somewhere else. */
		.dest_nofollow = e->o.dest_nofollow || !strcmp(e->dest, "/proc") || !strcmp(e->dest, "/sys"),
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = mount_entry_propagation(e),
		.host_peer = host_peer,
	};
	/* The configs for ordinary users bind /sys with "rbind,ro": ro for
	 * /sys/fs/cgroup below it as well (CVE-2023-25809). */
	if (p->o->in_userns && is_sys_read_only(e, source))
		st->u.mount_bind.rec_attrs.set |= MOUNT_ATTR_RDONLY;
	if (p->o->parent_opens || host_peer || idmap->mapped) {
		st->u.mount_bind.slot = plan_add_source(p->b, source, e->o.recursive, e->o.source_nofollow, st->what);
		p->b->sources[p->b->n_sources - 1].idmap = *idmap;
	}
	mount_entry_add_propagation(p, e, 1);
}

int
mount_plan_bind(const struct rootfs_planner *p, struct mount_entry *e)
{
	struct plan_idmap idmap = { 0 };
	const char *source;
	bool is_dir = false;
	int r = mount_entry_check_kind(p, e, true, false);

	if (r < 0)
		return r;
	if (!e->m->source || !*e->m->source)
		return err_plain(p->err, "%s.source: required for a bind mount", e->property);
	if (e->o.n_data)
		return err_plain(p->err,
				 "%s.options: '%s' is an option of a file system, which a bind mount cannot change",
				 e->property, e->o.data[0]);
	if (e->o.sb_set & ~(unsigned)MOUNT_SB_RDONLY)
		log_debug("%s.options: superblock flags have no effect on a bind mount", e->property);
	source = path_absolute(p->b->arena, p->o->bundle, e->m->source);
	r = stat_source(p, e, source, &is_dir);
	if (r == 0)
		r = mount_entry_check_proc(p, e, source);
	if (r == 0)
		r = mount_idmap_plan(p, e->property, e->m, &e->o, &idmap);
	if (r == 0)
		add_bind(p, e, source, is_dir, &idmap);
	return r;
}
