/* Handing a descriptor to whoever listens on a socket in the file system: what
 * console sockets, pidfd sockets and seccomp agents have in common. */
#ifndef KNARR_BASE_UNIX_SOCKET_H
#define KNARR_BASE_UNIX_SOCKET_H

#include <stddef.h>

/* Connects to the stream socket at path, which may be longer than the 107 bytes
 * of an address. A descriptor (close-on-exec) or -errno. */
int unix_socket_connect(const char *path);

/* Sends len > 0 bytes; fd (SCM_RIGHTS) travels with the first of them. 0 or -errno;
 * a receiver that is gone is an error, not a signal. */
int unix_socket_send_fd(int socket_fd, const char *data, size_t len, int fd);

#endif
