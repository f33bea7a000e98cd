/* The second way of exe_guard.h: run from a private copy. Internal to it. */
#ifndef KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_COPY_H
#define KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_COPY_H

#include "base/err.h"

/* Copies the executable to a file of its own and executes it with the same
 * arguments and environment. Returns only on failure: -errno with err. */
int exe_guard_copy(struct err *err);

#endif
