/* What the files that plan the root file system share: rootfs_plan.c (order),
 * mount_plan.c (mounts[]), overlay_plan.c (layer stacks), device_plan.c (/dev). */
#ifndef KNARR_NAMESPACES_ROOTFS_PLANNER_H
#define KNARR_NAMESPACES_ROOTFS_PLANNER_H

#include "namespaces/mount_options.h"
#include "namespaces/rootfs.h"

struct rootfs_planner {
	struct plan_builder *b;
	const struct spec *s;
	const struct host *h;
	const struct rootfs_options *o;
	struct err *err;
};

/* Index of the mount that is the root: type "overlay", destination "/". Returns
 * s->n_mounts when there is none, -EINVAL with err when there are two. */
int overlay_find_root(const struct rootfs_planner *p, size_t *ret_index);

/* Plans that mount, or the layers of the command line, as the root. */
int overlay_plan_root(const struct rootfs_planner *p, size_t index);
/* Whether the options of that mount say "ro". */
int overlay_root_is_readonly(const struct rootfs_planner *p, size_t index, bool *ret);
int overlay_plan_layers(const struct rootfs_planner *p);

/* Turns the lowerdir of an overlay's data options into single layers where the
 * kernel takes them one by one, and makes relative paths absolute. */
int overlay_expand_options(const struct rootfs_planner *p, const char *property, struct mount_options *o);

/* One entry of mounts[], which is not the root. */
int mount_plan(const struct rootfs_planner *p, size_t index);

/* After the mount points in it were made, what asked for it gets read-only. */
int mount_plan_late_readonly(const struct rootfs_planner *p);

/* context=… when linux.mountLabel is set and the host has SELinux; else NULL. */
const char *mount_label_option(const struct rootfs_planner *p);

/* Default and configured devices, links of /dev. */
int device_plan(const struct rootfs_planner *p);

static inline bool
rootfs_has_mount_namespace(const struct rootfs_planner *p)
{
	return p->s->linux_.namespaces[SPEC_NS_MOUNT].listed;
}

#endif
