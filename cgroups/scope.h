/* Containers whose cgroup systemd makes: the parts of cgroup.h that differ. Inside
 * cgroups/ only. */
#ifndef KNARR_CGROUPS_SCOPE_H
#define KNARR_CGROUPS_SCOPE_H

#include "cgroups/cgroup.h"

/* cgroup_resolve() for the systemd driver; there is a cgroup2. */
int scope_resolve(const struct host *h, const struct spec *s, const char *id, struct arena *a, struct err *err,
		  struct cgroup *ret_cg);

/* cgroup_destroy() for one with a unit. */
int scope_destroy(struct cgroup *cg, int timeout_ms, struct err *err);

/* For one with a unit and without a path: whoever asked for the scope died before it had
 * an answer. Stops one that is empty, since that has no end of its own; one with
 * processes ends with them, or is somebody else's. Warns when systemd cannot be asked. */
void scope_forget(const struct cgroup *cg);

#endif
