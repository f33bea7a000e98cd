/* What the files that plan the root file system share: rootfs_plan.c (order),
 * mount_plan.c (mounts[], with mount_bind_plan.c and mount_fs_plan.c), overlay_plan.c
 * (layer stacks), device_plan.c (/dev). Planning functions add steps to p->b; 0, or
 * -errno with p->err. */
#ifndef KNARR_NAMESPACES_MOUNT_ROOTFS_PLANNER_H
#define KNARR_NAMESPACES_MOUNT_ROOTFS_PLANNER_H

#include "namespaces/mount/mount_options.h"
#include "namespaces/mount/rootfs.h"

struct rootfs_planner {
	struct plan_builder *b;
	const struct spec *s;
	const struct host *h;
	const struct rootfs_options *o;
	struct err *err;
};

/* *ret_index: the mount that is the root, of type "overlay" on "/"; s->n_mounts when
 * there is none. -EINVAL when there are two, or one beside --layer. */
int overlay_find_root(const struct rootfs_planner *planner, size_t *ret_index);

/* Plans that mount, or the layers of the command line (planner->o->layers), as the root. */
int overlay_plan_root(const struct rootfs_planner *planner, size_t index);
int overlay_plan_layers(const struct rootfs_planner *planner);

/* Whether the options of that mount say "ro". */
int overlay_root_is_readonly(const struct rootfs_planner *planner, size_t index, bool *ret);

/* For an overlay elsewhere: turns the lowerdir among its data options into single
 * layers where the kernel takes them one by one, makes relative paths absolute, and
 * adds "userxattr" in a user namespace. */
int overlay_expand_options(const struct rootfs_planner *planner, const char *property, struct mount_options *options);

/* One entry of mounts[], which is not the root. */
int mount_plan(const struct rootfs_planner *planner, size_t index);

/* After the mount points in it were made, what asked for it gets read-only. */
int mount_plan_late_readonly(const struct rootfs_planner *planner);

/* "context=…" (or another kind, by annotation) when linux.mountLabel is set and the
 * host has SELinux; else NULL. In the arena of planner->b. */
const char *mount_label_option(const struct rootfs_planner *planner);

/* Default and configured devices, links of /dev. */
int device_plan(const struct rootfs_planner *planner);

static inline bool
rootfs_has_mount_namespace(const struct rootfs_planner *planner)
{
	return planner->s->linux_.namespaces[NS_MOUNT].listed;
}

#endif
