/* Removing a cgroup by its directory alone, whoever made it. Inside cgroups/ only. */
#ifndef KNARR_CGROUPS_CGROUP_REMOVE_H
#define KNARR_CGROUPS_CGROUP_REMOVE_H

#include "cgroups/cgroup.h"

/* cgroup_destroy() for one that has a path, without asking systemd. */
int cgroup_remove(struct cgroup *cg, int timeout_ms, struct err *err);

#endif
