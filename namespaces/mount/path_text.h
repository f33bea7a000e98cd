/* Paths as text: no file system is asked. What is returned is in a, or path itself. */
#ifndef KNARR_NAMESPACES_MOUNT_PATH_TEXT_H
#define KNARR_NAMESPACES_MOUNT_PATH_TEXT_H

#include <stdbool.h>

#include "base/arena.h"

/* path as an absolute one (a relative path: from "/") without empty parts, "."
 * and "..", where ".." takes away the part before it even if that is a link,
 * and stops at "/". */
char *path_clean(struct arena *a, const char *path);

/* path itself when it is absolute, else base/path. */
const char *path_absolute(struct arena *a, const char *base, const char *path);

/* True when path is below top, or top itself. Both clean. */
bool path_is_in(const char *path, const char *top);

#endif
