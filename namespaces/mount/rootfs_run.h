/* What the executors of rootfs.h share among their files. */
#ifndef KNARR_NAMESPACES_MOUNT_ROOTFS_RUN_H
#define KNARR_NAMESPACES_MOUNT_ROOTFS_RUN_H

#include "plan/plan.h"

/* A string that the plan always has; "" if it has none all the same. */
static inline const char *
rootfs_text(const struct plan *plan, plan_str string)
{
	const char *text = plan_text(plan, string);

	return text ? text : "";
}

/* Copies everything below the directory src_fd into dst_fd, a fresh tmpfs that
 * nobody else can see yet. dest: for messages. 0 or -errno with err. */
int copy_up_tree(int src_fd, int dst_fd, const char *dest, struct err *err);

/* Makes with mount(2) what fsconfig(2) cannot take, options of more than 255 bytes: a
 * detached mount, with the content of dest_fd if it is to be copied up. 0 or -errno with
 * err. */
int mount_fs_classic(struct plan_ctx *c, const struct plan_mount_fs *mount, int dest_fd, int *ret_mount_fd);

/* Moves the container's root onto "/" (without pivot_root) after taking the
 * host's procfs and sysfs mounts away. 0 or -errno with err. */
int root_move(struct plan_ctx *c);

#endif
