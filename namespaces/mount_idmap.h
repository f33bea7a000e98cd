/* Id-mapped mounts: which maps a mount gets, and a user namespace that holds
 * them. config.md#mounts, mount_setattr(2). */
#ifndef KNARR_NAMESPACES_MOUNT_IDMAP_H
#define KNARR_NAMESPACES_MOUNT_IDMAP_H

#include "namespaces/rootfs_planner.h"

/* Maps of the bind mount m (property: "mounts[3]"), by its own uidMappings and
 * gidMappings, or by the options "idmap" and "ridmap" alone: then those of the
 * container's user namespace. ret->mapped stays false without any of these. An
 * ordinary user, who rules no file system of the host, gets an error. */
int mount_idmap_plan(const struct rootfs_planner *p, const char *property, const struct spec_mount *m,
		     const struct mount_options *o, struct plan_idmap *ret);

bool mount_idmap_is_same(const struct plan *p, const struct plan_idmap *a, const struct plan_idmap *b);

/* A descriptor of a user namespace with these maps. Runs in the parent.
 * -errno with err. */
int mount_idmap_open(const struct plan *p, const struct plan_idmap *m, struct err *err);

#endif
