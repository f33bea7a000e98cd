/* Plans mounts[] of the config, one entry at a time.
 *
 * What an entry is follows from its options, then from its type: a remount, a
 * bind (mount_bind_plan.c), a change of propagation alone, or a new file system
 * (mount_fs_plan.c). Everything that can be known now is checked now: the parent can
 * say which property is wrong and nothing has happened yet. */
#include <string.h>

#include "namespaces/mount_entry.h"

/* ---- changes of mounts that are there -------------------------------- */

static int
plan_remount(const struct rootfs_planner *p, struct mount_entry *e)
{
	const char *type = mount_entry_type(e->m);
	struct plan_step *st;
	int r = mount_entry_check_kind(p, e, false, false);

	if (r < 0)
		return r;
	if (e->o.bind && e->o.n_data)
		return err_plain(
			p->err,
			"%s.options: '%s' is an option of a file system, which a remount with bind cannot change",
			e->property, e->o.data[0]);
	st = plan_add(p->b, PLAN_REMOUNT, "%s", e->property);
	st->u.remount = (struct plan_remount){
		.dest = plan_string(p->b, e->dest),
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = mount_entry_propagation(e),
	};
	if (!e->o.bind) {
		st->u.remount.options =
			mount_entry_fs_options(p, e, !type || !mount_type_shares_superblock(type), true);
		st->u.remount.superblock = st->u.remount.options.n > 0;
	}
	mount_entry_add_propagation(p, e, 1);
	return 0;
}

/* Nothing but propagation, on what is already mounted there. */
static bool
is_propagation_only(const struct mount_entry *e)
{
	const struct mount_options *o = &e->o;

	return (!e->m->type || !*e->m->type || !strcmp(e->m->type, "none")) && o->n_propagation && !o->n_data &&
	       !o->sb_set && !o->sb_clear && !o->attrs.set && !o->attrs.clear && !o->rec_attrs.set &&
	       !o->rec_attrs.clear && !o->copy_up && !o->idmap && !e->m->uid_mappings.n;
}

/* ---- one entry ------------------------------------------------------- */

int
mount_plan(const struct rootfs_planner *p, size_t index)
{
	struct mount_entry e;
	int r = mount_entry_parse(p, index, &e);

	if (r < 0)
		return r;
	if (e.o.remount)
		return plan_remount(p, &e);
	if (e.o.bind)
		return mount_plan_bind(p, &e);
	if (is_propagation_only(&e)) {
		mount_entry_add_propagation(p, &e, 0);
		return 0;
	}
	if (!e.m->type || !*e.m->type || !strcmp(e.m->type, "none") || !strcmp(e.m->type, "bind"))
		return err_plain(p->err, "%s: neither a file system type nor 'bind' or 'rbind' in the options",
				 e.property);
	if (!strcmp(mount_entry_type(e.m), "cgroup2"))
		return mount_plan_cgroup(p, &e);
	return mount_plan_fs(p, &e);
}
