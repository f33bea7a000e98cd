/* The system calls of the mount API, each as one thin function that returns
 * -errno. Not every C library has wrappers, and the declarations of glibc's
 * <sys/mount.h> clash with <linux/mount.h>: files that include this header use
 * MOUNT_ATTR_*, FSCONFIG_* … and MS_* from the kernel's header only. */
#ifndef KNARR_NAMESPACES_MOUNT_API_H
#define KNARR_NAMESPACES_MOUNT_API_H

#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* All descriptors are close-on-exec. */
int mount_fsopen(const char *type);
/* The superblock of the mount that fd is in, for changing its options. */
int mount_fspick(int fd);
int mount_fsconfig(int fs_fd, unsigned cmd, const char *key, const char *value, int aux);
int mount_fsmount(int fs_fd, unsigned attrs);
/* flags: OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
int mount_open_tree(int dirfd, const char *path, unsigned flags);
/* Moves the mount of from_fd onto what to_fd names. */
int mount_move(int from_fd, int to_fd);
/* Changes the mount of fd; recursive: and all below it. */
int mount_setattr_fd(int fd, bool recursive, const struct mount_attr *attr);

/* Opens a path of the runtime's own mount namespace: never one of the rootfs,
 * which goes through path_in_root.h. */
int mount_open_host(const char *path, int flags);

/* mount(2), where the new calls do not reach. */
int mount_classic(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
/* umount2(MNT_DETACH) */
int mount_detach(const char *path);
int mount_pivot_root(const char *new_root, const char *put_old);

/* What tells two places in the mount tree apart. */
struct mount_place {
	uint64_t mount_id, inode;
};
int mount_place_of(int fd, struct mount_place *ret_place);

#endif
