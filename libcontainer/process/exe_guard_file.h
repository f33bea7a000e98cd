/* The two files that take the executable's place. Internal to exe_guard.h. */
#ifndef KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_FILE_H
#define KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_FILE_H

#include <stdbool.h>

#include "base/err.h"

/* An empty file that can be executed and that nobody can write to. The descriptor, for
 * reading, is the caller's; or -errno with err. Allocates nothing. */
int exe_guard_open_empty(struct err *err);

/* A copy of the file from that is nobody else's. The descriptor, for executing, is the
 * caller's; or -errno with err. */
int exe_guard_open_copy(int from, struct err *err);

/* /proc/self/exe is one of these files. This is asked of the file itself: an environment
 * variable could be anybody's. */
bool exe_guard_is_private(void);

/* The same of a descriptor of that file; -1: false. */
bool exe_guard_file_is_private(int fd);

#endif
