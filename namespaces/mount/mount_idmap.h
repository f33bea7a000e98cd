/* Id-mapped mounts: which maps a mount gets, and a user namespace that holds
 * them. config.md#mounts, mount_setattr(2). */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_IDMAP_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_IDMAP_H

#include "namespaces/mount/rootfs_planner.h"

/* Maps of the bind mount mount (property: "mounts[3]"), by its own uidMappings and
 * gidMappings, by what follows "idmap=" or "ridmap=", or by the options "idmap" and "ridmap"
 * alone: then those of the container's user namespace. Without any of these *ret is left alone. 0, or -EINVAL
 * with planner->err: no maps, or an unprivileged user, who rules no file system of the host. */
int mount_idmap_plan(const struct rootfs_planner *planner, const char *property, const struct spec_mount *mount,
		     const struct mount_options *options, struct plan_idmap *ret);

/* What follows "idmap=": ranges of uids and gids. Memory from the arena of planner->b. 0, or
 * -EINVAL with planner->err. */
int mount_idmap_parse_option(const struct rootfs_planner *planner, const char *property, const char *maps,
			     struct spec_id_mappings *ret_uids, struct spec_id_mappings *ret_gids);

/* Whether both are the same maps, or the same namespace to join. */
bool mount_idmap_is_same(const struct plan *plan, const struct plan_idmap *first, const struct plan_idmap *second);

/* A descriptor of a user namespace with these maps, the caller's. Runs in the parent;
 * forks unless there is a namespace to join. -errno with err. */
int mount_idmap_open(const struct plan *plan, const struct plan_idmap *idmap, struct err *err);

#endif
