/* Sockets in the file system: those of consoles, pidfds and seccomp agents, who are
 * handed a descriptor (fd_pass.h). */
#ifndef KNARR_BASE_UNIX_SOCKET_H
#define KNARR_BASE_UNIX_SOCKET_H

/* Connects to the stream socket at path, which may be longer than the 107 bytes
 * of an address. A descriptor (close-on-exec) or -errno. */
int unix_socket_connect(const char *path);

#endif
