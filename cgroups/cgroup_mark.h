/* Whose a cgroup is: an extended attribute of its directory. Inside cgroups/ only.
 *
 * A path alone does not say it: two containers with the same id in different state roots
 * have the same one, and the second may use the cgroup that the first has left empty. */
#ifndef KNARR_CGROUPS_CGROUP_MARK_H
#define KNARR_CGROUPS_CGROUP_MARK_H

#include "cgroups/cgroup.h"

/* Marks the open cgroup (O_PATH will do) with cg->owner; sets cg->marked. Not to be able
 * to is not an error. */
void cgroup_mark_set(struct cgroup *cg, int fd);

/* Whether the cgroup that is open (O_PATH will do) is cg's: 1, 0, or -errno when that
 * cannot be read. Without cg->owner it is. */
int cgroup_mark_is_ours(const struct cgroup *cg, int fd);

/* From a cgroup that stays. */
void cgroup_mark_remove(const struct cgroup *cg, int fd);

#endif
