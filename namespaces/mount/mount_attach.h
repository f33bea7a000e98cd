/* What every mount step does with a detached mount: attributes, moving it onto
 * its place, propagation. Return -errno and fill no error: the step knows the
 * words. Allocate nothing. */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_ATTACH_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_ATTACH_H

#include <stdbool.h>

#include "plan/plan.h"

/* mount_setattr(2): sets and clears attributes of the mount of fd. Flags that a user
 * namespace may not clear (they came with the mount from a more privileged one) stay. */
int mount_set_attrs(int fd, struct plan_attrs attrs, bool recursive);

/* propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC
 * or not; 0 changes nothing. */
int mount_set_propagation(int fd, uint32_t propagation);

/* 1 when the place that dest was resolved to is inside a procfs although dest
 * does not say so: a link in the rootfs led there, and what is mounted could
 * stand in for files that the runtime's rules about /proc protect. 0, or -errno. */
int mount_place_is_hidden_proc(int place_fd, const char *dest);

/* *fd becomes the new PLAN_FD_ROOT; -1 is left. */
void mount_set_root(struct plan_ctx *c, int *fd);

/* Moves *mount_fd onto place_fd. A mount on the root itself becomes the new
 * PLAN_FD_ROOT; then *mount_fd is taken and -1 left. */
int mount_attach(struct plan_ctx *c, int *mount_fd, int place_fd);

/* Where the container's root is attached: the directory target of the host (an
 * O_PATH fd), or -1, for on top of "/", when target is NULL or this user may
 * not reach it. 0 or -errno. */
int mount_root_place(const char *target, int *ret_place);

/* Moves mount_fd there; place_fd -1: on top of "/". */
int mount_attach_place(int mount_fd, int place_fd);

/* mount_attach_place() for the container's root: *mount_fd is taken (-1 left) and
 * becomes PLAN_FD_ROOT, whose old descriptor is closed. */
int mount_attach_root(struct plan_ctx *c, int *mount_fd, int place_fd);

/* Keeps a copy of mount_fd, the procfs or sysfs that was mounted on dest, in its slot,
 * if dest is /proc or /sys ("/": both). mount_fd -1: something else covers that place
 * now, and the slot is emptied. 0 or -errno. */
int mount_keep(struct plan_ctx *c, const char *dest, int mount_fd);

/* Keeps a copy of mount_fd in that slot (0: none) for the PLAN_REMOUNT that comes later. Where
 * somebody else can rename directories (a volume), its path may lead to another mount by then.
 * 0 or -errno. */
int mount_hold(struct plan_ctx *c, uint16_t slot, int mount_fd);

/* O_PATH descriptor, or -errno, of a path that is masked or made read-only: below /proc
 * and /sys looked up from the kept mount. Whoever can write to the root file system
 * could otherwise exchange the directory /proc, with the mount on it, for another
 * while the container is made: masks of paths that are missing are skipped, and
 * the procfs would be there without them. */
int mount_open_kept(const struct plan_ctx *c, const char *path);

/* Why attaching failed with this result, where the reason is known: " (…)", else "". Static. */
const char *mount_attach_hint(int code);

#endif
