/* The second way of exe_guard.h: run from a sealed copy. Internal to it. */
#ifndef KNARR_LIBCONTAINER_EXE_GUARD_COPY_H
#define KNARR_LIBCONTAINER_EXE_GUARD_COPY_H

#include <stdbool.h>

#include "base/err.h"

/* /proc/self/exe is a file in memory that nobody can write any more. This is
 * asked of the file itself: an environment variable could be anybody's. */
bool exe_guard_is_sealed(void);

/* Copies the executable to a sealed memfd and executes it with the same
 * arguments and environment. Returns only on failure: -errno with err. */
int exe_guard_copy(struct err *err);

#endif
