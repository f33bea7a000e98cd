/* Descriptors over unix sockets: unix(7), SCM_RIGHTS. */
#ifndef KNARR_BASE_FD_PASS_H
#define KNARR_BASE_FD_PASS_H

#include <stddef.h>
#include <sys/types.h>

/* Sends len bytes (at least one), and fd with the first of them. 0 or -errno; a
 * receiver that is gone is an error, not a signal. */
int fd_send(int socket, int fd, const void *data, size_t len);

/* Receives at most size bytes, and the descriptor that came with them (close-on-exec,
 * the caller's), or -1. Returns the length, 0 at the end, or -errno; -EMSGSIZE for a
 * packet that is longer. */
ssize_t fd_receive(int socket, void *buf, size_t size, int *ret_fd);

#endif
