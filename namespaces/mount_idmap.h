/* Id-mapped mounts: which maps a mount gets, and a user namespace that holds
 * them. config.md#mounts, mount_setattr(2). */
#ifndef KNARR_NAMESPACES_MOUNT_IDMAP_H
#define KNARR_NAMESPACES_MOUNT_IDMAP_H

#include "namespaces/rootfs_planner.h"

/* Maps of the bind mount m (property: "mounts[3]"), by its own uidMappings and
 * gidMappings, or by the options "idmap" and "ridmap" alone: then those of the
 * container's user namespace. Without any of these *ret is left alone. 0, or -EINVAL
 * with p->err: no maps, or an ordinary user, who rules no file system of the host. */
int mount_idmap_plan(const struct rootfs_planner *p, const char *property, const struct spec_mount *m,
		     const struct mount_options *o, struct plan_idmap *ret);

/* Whether both are the same maps, or the same namespace to join. */
bool mount_idmap_is_same(const struct plan *p, const struct plan_idmap *a, const struct plan_idmap *b);

/* A descriptor of a user namespace with these maps, the caller's. Runs in the parent;
 * forks unless there is a namespace to join. -errno with err. */
int mount_idmap_open(const struct plan *p, const struct plan_idmap *m, struct err *err);

#endif
