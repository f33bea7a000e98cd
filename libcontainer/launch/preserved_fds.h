/* Descriptors that the caller leaves for the container's program: --preserve-fds and
 * LISTEN_FDS. They are 3, 4, … */
#ifndef KNARR_LIBCONTAINER_LAUNCH_PRESERVED_FDS_H
#define KNARR_LIBCONTAINER_LAUNCH_PRESERVED_FDS_H

#include "base/err.h"

/* How many descriptors systemd's socket activation passes (LISTEN_FDS of
 * sd_listen_fds(3)); 0 when it passes none or means another process. */
unsigned preserved_fds_from_environment(void);

/* Keeps 3 … 3+count-1 for the program, before anything else is opened: a number that the
 * caller promised and did not open is warned of and taken by a descriptor that execve
 * closes, so that none of the runtime's own gets it. 0, or -errno with err: the runtime's
 * log has one of them, or there can be no such descriptor. */
int preserved_fds_reserve(unsigned count, struct err *err);

#endif
