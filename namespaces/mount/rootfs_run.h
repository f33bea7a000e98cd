/* What the executors of rootfs.h share among their files. */
#ifndef KNARR_NAMESPACES_ROOTFS_RUN_H
#define KNARR_NAMESPACES_ROOTFS_RUN_H

#include "base/plan.h"

/* A string that the plan always has; "" if it has none all the same. */
static inline const char *
rootfs_text(const struct plan *p, plan_str s)
{
	const char *text = plan_text(p, s);

	return text ? text : "";
}

/* Copies everything below the folder src_fd into dst_fd, a fresh tmpfs that
 * nobody else can see yet. dest: for messages. 0 or -errno with err. */
int copy_up_tree(int src_fd, int dst_fd, const char *dest, struct err *err);

/* Mounts with mount(2) onto place_fd what fsconfig(2) cannot take: option
 * strings of more than 255 bytes. 0 or -errno with err. */
int mount_fs_classic(struct plan_ctx *c, const struct plan_mount_fs *m, int place_fd, int *ret_mount_fd);

/* Moves the container's root onto "/" (without pivot_root) after taking the
 * host's procfs and sysfs mounts away. 0 or -errno with err. */
int root_move(struct plan_ctx *c);

#endif
