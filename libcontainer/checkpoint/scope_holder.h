/* A process that does nothing but stand in a scope of systemd. Such a unit exists only
 * around a process, and CRIU wants the cgroup of those that it makes before it
 * makes them. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_SCOPE_HOLDER_H
#define KNARR_LIBCONTAINER_CHECKPOINT_SCOPE_HOLDER_H

#include <sys/types.h>

#include "base/err.h"

struct scope_holder {
	pid_t pid; /* 0: none */
	int end;   /* of a pipe: closed, also by the runtime's death, it lets the process end */
};

/* Forks that process, in the runtime's own cgroup. 0 or -errno with err. */
int scope_holder_start(struct scope_holder *holder, struct err *err);

/* Ends it and waits until it is gone. Nothing to do when there is none. */
void scope_holder_end(struct scope_holder *holder);

#endif
