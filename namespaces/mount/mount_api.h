/* The system calls of the mount API, each as one thin function that returns a
 * descriptor (close-on-exec, the caller's) or 0, or -errno. Not every C library has
 * wrappers, and the declarations of glibc's <sys/mount.h> clash with <linux/mount.h>:
 * files that include this header use MOUNT_ATTR_*, FSCONFIG_* … and MS_* from the
 * kernel's header only. */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_API_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_API_H

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

/* fsopen(2): the context of a new file system. */
int mount_fsopen(const char *type);

/* fspick(2): the superblock of the mount that fd is in, for changing its options. */
int mount_fspick(int fd);

/* fsconfig(2). cmd: FSCONFIG_*. */
int mount_fsconfig(int fs_fd, unsigned cmd, const char *key, const char *value, int aux);

/* fsmount(2): a detached mount with these MOUNT_ATTR_*. */
int mount_fsmount(int fs_fd, unsigned attrs);

/* open_tree(2). flags: OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
int mount_open_tree(int dirfd, const char *path, unsigned flags);

/* move_mount(2): the mount of from_fd onto what to_fd names. */
int mount_move(int from_fd, int to_fd);

/* mount_setattr(2) of the mount of fd; recursive: and all below it. */
int mount_setattr_fd(int fd, bool recursive, const struct mount_attr *attr);

/* openat(2) of a path of the runtime's own mount namespace: never one of the rootfs,
 * which goes through path_in_root.h. */
int mount_open_host(const char *path, int flags);

/* mount(2), where the new calls do not reach. */
int mount_classic(const char *source, const char *target, const char *type, unsigned long flags, const char *data);

/* umount2(2) with MNT_DETACH. */
int mount_detach(const char *path);

/* pivot_root(2). */
int mount_pivot_root(const char *new_root, const char *put_old);

/* What tells two places in the mount tree apart. */
struct mount_place {
	uint64_t mount_id, inode;
};

/* The place that fd is open at, by statx(2). */
int mount_place_of(int fd, struct mount_place *ret_place);

#endif
