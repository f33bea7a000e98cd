/* What CRIU's service worker sends: a notification or the response to the call. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_REPLY_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_REPLY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct criu_reply {
	uint64_t type, success;	     /* type: enum criu_request */
	pid_t pid;		     /* 0: it names none */
	const char *event, *message; /* of a notification; of an error. NULL: none */
	int fd;			     /* came along, or -1 */
};

/* Fills *reply, but for fd, from a packet. Memory from a. 0, or -EBADMSG: it is not a message of
 * CRIU's. */
int criu_reply_parse(struct arena *a, const unsigned char *data, size_t len, struct criu_reply *reply);

#endif
