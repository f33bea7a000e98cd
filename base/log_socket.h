/* Log lines for the journal and for syslog: one datagram each, without a library. */
#ifndef KNARR_BASE_LOG_SOCKET_H
#define KNARR_BASE_LOG_SOCKET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum log_socket_kind { LOG_SOCKET_JOURNALD, LOG_SOCKET_SYSLOG };

/* True when path is "journald:ID" or "syslog:ID"; *ret_id points into it. */
bool log_socket_match(const char *path, enum log_socket_kind *ret_kind, const char **ret_id);

/* A connected datagram socket (close-on-exec), or -errno with err. */
int log_socket_open(enum log_socket_kind kind, struct err *err);

/* Sends msg under the name id, with memory from a. priority: that of syslog(3), 3 (error)
 * to 7 (debug). What is lost on the way is lost: a message must not turn a success into a
 * failure. */
void log_socket_write(int fd, enum log_socket_kind kind, const char *id, int priority, const char *msg,
		      struct arena *a);

#endif
