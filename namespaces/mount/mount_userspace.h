/* Options of mount(8) that the kernel never sees ("nofail", "x-systemd.…"). */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_USERSPACE_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_USERSPACE_H

#include <stdint.h>

enum mount_userspace {
	MOUNT_USERSPACE_NONE,	/* not such an option: it belongs to the file system */
	MOUNT_USERSPACE_DROP,	/* advice for mount(8), fstab or systemd: no effect here */
	MOUNT_USERSPACE_REFUSE, /* mount(8) would do real work for it (loop, verity, helper) */
};

/* *ret_implied: MOUNT_ATTR_* that mount(8) sets for it ("user": nosuid, nodev, noexec); 0
 * mostly. */
enum mount_userspace mount_userspace_kind(const char *option, uint64_t *ret_implied);

#endif
