/* --pid-file: the pid of a process as decimal text, for the caller. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_PID_FILE_H
#define KNARR_LIBCONTAINER_LAUNCH_PID_FILE_H

#include <sys/types.h>

#include "base/err.h"

/* Writes pid to path so that a reader sees all of it or nothing, mode 0644; a file that is
 * there is replaced. A runtime that is killed meanwhile leaves nothing beside it. 0 or
 * -errno with err. */
int pid_file_write(const char *path, pid_t pid, struct err *err);

#endif
