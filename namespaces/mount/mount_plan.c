/* Plans mounts[] of the config, one entry at a time.
 *
 * What an entry is follows from its options, then from its type: a remount, a
 * bind (mount_bind_plan.c), a change of propagation alone, or a new file system
 * (mount_fs_plan.c). Everything that can be known now is checked now: the parent can
 * say which property is wrong and nothing has happened yet. */
#include <string.h>

#include "namespaces/mount/mount_entry.h"

/* ---- changes of mounts that are there -------------------------------- */

static int
plan_remount(const struct rootfs_planner *planner, struct mount_entry *entry)
{
	const char *type = mount_entry_type(entry->m);
	struct plan_remount *remount;
	int r = mount_entry_check_kind(planner, entry, false, false);

	if (r < 0)
		return r;
	if (entry->o.bind)
		mount_entry_ignore_data(planner, entry, "a remount with bind");
	remount = mount_entry_add_remount(planner, entry);
	remount->attrs = entry->o.attrs;
	remount->rec_attrs = entry->o.rec_attrs;
	remount->propagation = mount_entry_propagation(entry);
	if (!entry->o.bind) {
		remount->options =
			mount_entry_fs_options(planner, entry, !type || !mount_type_shares_superblock(type), true);
		remount->superblock = remount->options.n > 0;
	}
	mount_entry_add_propagation(planner, entry, 1);
	return 0;
}

/* Nothing but propagation, on what is already mounted there. */
static bool
is_propagation_only(const struct mount_entry *entry)
{
	const struct mount_options *o = &entry->o;

	return (!entry->m->type || !*entry->m->type || !strcmp(entry->m->type, "none")) && o->n_propagation &&
	       !o->n_data && !o->sb_set && !o->sb_clear && !o->attrs.set && !o->attrs.clear && !o->rec_attrs.set &&
	       !o->rec_attrs.clear && !o->copy_up && !o->idmap && !entry->m->uid_mappings.n;
}

/* ---- one entry ------------------------------------------------------- */

int
mount_plan(const struct rootfs_planner *planner, size_t index)
{
	struct mount_entry e;
	int r = mount_entry_parse(planner, index, &e);

	if (r < 0)
		return r;
	if (e.o.remount)
		return plan_remount(planner, &e);
	if (e.o.bind)
		return mount_plan_bind(planner, &e);
	if (is_propagation_only(&e)) {
		mount_entry_add_propagation(planner, &e, 0);
		return 0;
	}
	if (!e.m->type || !*e.m->type || !strcmp(e.m->type, "none") || !strcmp(e.m->type, "bind"))
		return err_plain(planner->err, "%s: neither a file system type nor 'bind' or 'rbind' in the options",
				 e.property);
	if (!strcmp(mount_entry_type(e.m), "cgroup2"))
		return mount_plan_cgroup(planner, &e);
	return mount_plan_fs(planner, &e);
}
