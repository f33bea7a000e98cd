/* The exit status of a container whose parent is somebody else.
 *
 * knarr leaves no process behind, so nobody of ours is the parent of a container
 * that `create` or `run --detach` made: its caller, a subreaper or pid 1 reaps it.
 * The status can still be learnt by whoever holds a pidfd of the init from before
 * its end (PIDFD_INFO_EXIT, Linux 6.15), and by whoever reads /proc/PID/stat
 * before it is reaped (any kernel). A status that was learnt is kept in the state,
 * so that the next one who asks gets it, too. When nobody looked, it is lost: that
 * is an error and not a zero. */
#ifndef KNARR_LIBCONTAINER_WAIT_H
#define KNARR_LIBCONTAINER_WAIT_H

#include "libcontainer/container.h"
#include "libcontainer/state/end_watch.h"

struct container_wait {
	struct state *state; /* memory: env->arena */
	int pidfd;	     /* of the init, also when that is a zombie; -1: it is gone */
	struct end_watch watch;
	const char *reason; /* of the end, once that is known: see end_reason() */
};

/* Gets hold of the container as it is now. Several waits are begun before the first is
 * finished: a container that ends meanwhile is not missed. 0 or -errno with err. */
int container_wait_begin(const struct container_env *env, const char *id, struct err *err,
			 struct container_wait *ret_wait);

/* When all waits have begun: gives up what they do not need (restrain.h). 0 or -errno with err. */
int container_wait_restrain(struct err *err);

/* Waits for the end of the container (for ever), closes wait, keeps the status in the
 * container's state and sets *ret_exit: the program's status, or 128+N for signal N;
 * and wait->reason, which may be known when the status is not.
 * 0 or -errno with err; -ECHILD: it has ended, and its status cannot be known. */
int container_wait_finish(const struct container_env *env, struct container_wait *wait, struct err *err, int *ret_exit);

/* For who reaped the init himself: keeps status (or END_CODE_UNKNOWN) and reason (or
 * NULL) in the state, unless another command has the container's lock (then it is
 * being deleted) or it is gone. */
void container_wait_keep(const struct container_env *env, const struct state *state, int exit_status,
			 const char *reason);

/* What is known now of how state ended, without waiting: the status as above; -1: it
 * runs, or its status is lost. */
int container_wait_known(const struct state *state);

#endif
