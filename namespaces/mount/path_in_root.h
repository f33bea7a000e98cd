/* Paths below a root that the attacker owns. Symbolic links resolve inside the
 * root, magic links never; nothing outside can be named. What is made has the modes
 * that are asked for where the umask is 0, as in the processes that execute plans.
 * Allocates nothing. */
#ifndef KNARR_NAMESPACES_MOUNT_PATH_IN_ROOT_H
#define KNARR_NAMESPACES_MOUNT_PATH_IN_ROOT_H

#include <sys/types.h>

/* openat2(2) of path (absolute or not: both from the root) with O_CLOEXEC and
 * flags. mode only with O_CREAT. Returns an fd or -errno; -EAGAIN (a rename
 * raced with the resolution) is tried again a bounded number of times. */
int path_open(int rootfd, const char *path, int flags, mode_t mode);

/* Makes path and its missing parents as directories (mode for each new one) and
 * returns an O_PATH fd of it, or -errno. Existing links inside are followed
 * within the root. */
int path_make_dir(int rootfd, const char *path, mode_t mode);

/* The same, sooner, for whom path_open() has just said -ENOENT. */
int path_make_missing_dir(int rootfd, const char *path, mode_t mode);

/* As path_make_dir for the parents (0755); the last component is made as an
 * empty regular file (mode) when nothing is there; what is there is kept,
 * whatever it is. Returns an O_PATH fd or -errno. */
int path_make_file(int rootfd, const char *path, mode_t mode);

/* Opens the parent directory of path (made when missing) as O_PATH, and copies the
 * last component to name (NAME_MAX + 1 bytes). For mknodat and symlinkat.
 * Returns an fd or -errno; -EINVAL when path has no last component ("/", ".."). */
int path_open_parent(int rootfd, const char *path, mode_t mode, char *name);

#endif
