/* One entry of mounts[] while it is planned: what the files share that turn it
 * into steps. mount_plan.c decides what kind of mount it is; mount_bind_plan.c and
 * mount_fs_plan.c plan two of the kinds. config.md#mounts. Strings are in the
 * arena of the plan's builder; errors go to p->err and name the property. */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_ENTRY_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "namespaces/mount/mount_options.h"
#include "namespaces/mount/rootfs_planner.h"

struct mount_entry {
	const struct spec_mount *m;
	size_t index;
	const char *property; /* "mounts[3]" */
	const char *dest;     /* clean */
	struct mount_options o;
};

/* Fills *entry from mounts[index]. 0, or -EINVAL with planner->err. */
int mount_entry_parse(const struct rootfs_planner *planner, size_t index, struct mount_entry *entry);

/* The file system type, in which "cgroup" means cgroup2; NULL: none. */
const char *mount_entry_type(const struct spec_mount *mount);

/* On /proc nothing but procfs, below it but a few files. bind_source: what will be
 * seen there, NULL for a new file system. 0, or -EINVAL with planner->err. */
int mount_entry_check_proc(const struct rootfs_planner *planner, const struct mount_entry *entry,
			   const char *bind_source);

/* Refuses options that only make sense on binds, and takes "tmpcopyup" away, with a
 * warning, where there is no tmpfs. 0, or -EINVAL with planner->err. */
int mount_entry_check_kind(const struct rootfs_planner *planner, struct mount_entry *entry, bool bind, bool tmpfs);

/* Takes away the options of a file system, with one warning: what ("a bind mount") has
 * none. mount(2) ignores them too. */
void mount_entry_ignore_data(const struct rootfs_planner *planner, struct mount_entry *entry, const char *what);

/* The first propagation that the options ask for (MS_*); 0: none. */
uint32_t mount_entry_propagation(const struct mount_entry *entry);

/* A PLAN_REMOUNT of what the steps until now mounted at the entry's destination, which stays
 * open for it, or of what is there otherwise. To be filled before the next step. */
struct plan_remount *mount_entry_add_remount(const struct rootfs_planner *planner, const struct mount_entry *entry);

/* A step for each propagation from number `from` on. */
void mount_entry_add_propagation(const struct rootfs_planner *planner, const struct mount_entry *entry, size_t from);

/* Superblock flags (with_superblock; remount: those that are cleared, too) and data
 * for fsconfig(2). */
struct plan_strv mount_entry_fs_options(const struct rootfs_planner *planner, const struct mount_entry *entry,
					bool with_superblock, bool remount);

/* One superblock for all mounts (or all of one namespace): its flags are not this
 * container's to choose. */
bool mount_type_shares_superblock(const char *type);

/* The steps of a bind, of a new file system, and of a cgroup2. *entry is changed. 0 or
 * -errno with planner->err. */
int mount_plan_bind(const struct rootfs_planner *planner, struct mount_entry *entry);
int mount_plan_fs(const struct rootfs_planner *planner, struct mount_entry *entry);
int mount_plan_cgroup(const struct rootfs_planner *planner, struct mount_entry *entry);

/* Whether s is one of list, which ends with NULL. */
static inline bool
mount_is_listed(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

#endif
