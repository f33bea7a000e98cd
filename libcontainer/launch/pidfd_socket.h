/* Handing the pidfd of a new process to the caller, who then has a name of it that
 * no other process will ever get. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_PIDFD_SOCKET_H
#define KNARR_LIBCONTAINER_LAUNCH_PIDFD_SOCKET_H

#include "base/err.h"

/* Sends pidfd to the socket at path; text goes along (never empty). property is what gave the
 * path ("--pidfd-socket"), for messages. 0 or -errno with err. */
int pidfd_socket_send(const char *property, const char *path, const char *text, int pidfd, struct err *err);

#endif
