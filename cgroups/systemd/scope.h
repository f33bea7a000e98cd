/* Containers whose cgroup systemd makes: the parts of cgroup.h that differ. Inside
 * cgroups/ only. */
#ifndef KNARR_CGROUPS_SYSTEMD_SCOPE_H
#define KNARR_CGROUPS_SYSTEMD_SCOPE_H

#include "cgroups/cgroup.h"

/* cgroup_resolve() for the systemd driver; there is a cgroup2. */
int cgroup_resolve_scope(const struct host *host, const struct spec *spec, const char *id, struct arena *a,
			 struct err *err, struct cgroup *cg);

#endif
