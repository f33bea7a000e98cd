/* Calls that take a string path and resolve it the kernel's default way, banned
 * in files that handle paths of a rootfs: the attacker owns that tree and may
 * turn any component into a symbolic link. What stays are the forms relative to
 * a descriptor (openat2 through path_in_root.h, mkdirat, mknodat, fsmount and
 * move_mount), which the caller has resolved below the root.
 *
 * Include it last: the system headers declare these names. tests/lint.sh checks
 * the same words in every file of namespaces/ that runs in the child, so that a
 * file which forgets this include is found too. */
#ifndef KNARR_NAMESPACES_MOUNT_POISON_H
#define KNARR_NAMESPACES_MOUNT_POISON_H

#pragma GCC poison mount umount
#pragma GCC poison mkdir mknod symlink link unlink rmdir rename chmod chown lchown
#pragma GCC poison open creat fopen opendir realpath
/* The child allocates nothing between clone and execve. */
#pragma GCC poison malloc calloc realloc free strdup strndup asprintf vasprintf

#endif
