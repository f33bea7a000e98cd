/* A stack of overlay layers, read from mount options, and what the kernel takes of it.
 *
 * In a config the layers are one string: "lowerdir=TOP:…:BOTTOM", in which a
 * backslash takes the meaning from ':', ',' and '\', and "::" begins the layers
 * that only hold data. Since Linux 6.8 they may be given one by one as well ("lowerdir+=",
 * "datadir+=", not escaped). Either way the result is plain absolute paths, topmost
 * first. Documentation/filesystems/overlayfs.rst of the kernel.
 *
 * Lists and paths are in the arena of the plan's builder. Errors go to p->err and name
 * property ("mounts[3]"). */
#ifndef KNARR_NAMESPACES_MOUNT_OVERLAY_STACK_H
#define KNARR_NAMESPACES_MOUNT_OVERLAY_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "namespaces/mount/rootfs_planner.h"

struct overlay_list {
	const char **items;
	size_t n, cap;
};

/* An overlay's options, taken apart. */
struct overlay_stack {
	struct overlay_list lower, data; /* plain absolute paths, topmost first */
	const char *upper, *work;
	struct overlay_list rest; /* other options, as they are */
	bool one_string;	  /* lowerdir= was used */
	bool one_by_one;	  /* lowerdir+ or datadir+ was used */
	struct plan_idmap idmap;  /* of each of lower */
};

/* Appends item, which is not copied. */
void overlay_push(const struct rootfs_planner *planner, struct overlay_list *list, const char *item);

/* Whether one of the items is name. */
bool overlay_list_has(const struct overlay_list *list, const char *name);

/* Fills *stack, which is empty, from the data options of options. 0 or -EINVAL. */
int overlay_stack_read(const struct rootfs_planner *planner, const char *property, const struct mount_options *options,
		       struct overlay_stack *stack);

/* That path is a directory; role names it in the message. 0 or -errno. */
int overlay_check_directory(const struct rootfs_planner *planner, const char *property, const char *role,
			    const char *path);

/* That all layers are directories, no more than the kernel takes, and that the work directory
 * can be used. 0 or -errno. */
int overlay_stack_check(const struct rootfs_planner *planner, const char *property, const struct overlay_stack *stack);

/* That the kernel takes data layers, if there are any, and their paths. 0 or -EINVAL. */
int overlay_stack_check_data(const struct rootfs_planner *planner, const char *property,
			     const struct overlay_stack *stack);

/* Whether the layers can be given one by one: if the kernel can, and each path is
 * short enough for fsconfig(2). */
bool overlay_stack_can_append(const struct rootfs_planner *planner, const struct overlay_stack *stack);

/* If not: that they fit into the one page of mount(2). 0, or -EINVAL. */
int overlay_stack_check_page(const struct rootfs_planner *planner, const char *property,
			     const struct overlay_stack *stack);

#endif
