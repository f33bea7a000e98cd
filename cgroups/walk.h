/* Steps along a path below the mount of cgroup2. */
#ifndef KNARR_CGROUPS_WALK_H
#define KNARR_CGROUPS_WALK_H

#include <stddef.h>

/* Marks a directory as made by knarr for a container's cgroup or on the way to one,
 * so that whoever leaves it last removes it, also after a crash. */
#define WALK_MARK "user.knarr.made"

/* Cuts the next name off *path (which may begin with '/'); its length, or 0 at
 * the end; *ret_name points into the path, not terminated. */
size_t walk_next(const char **path, const char **ret_name);

/* How many names path has. */
unsigned walk_count(const char *path);

/* Opens the directory of the first count names of path below dirfd (O_PATH). Follows no
 * symbolic link and no "..". fd or -errno. */
int walk_open(int dirfd, const char *path, unsigned count);

/* The same of all names; its attributes can be read through it, if the directory may be. */
int walk_open_readable(int dirfd, const char *path);

/* Copies the nth name (from 0) to name, NAME_MAX + 1 bytes. */
void walk_name(const char *path, unsigned nth, char *name);

#endif
