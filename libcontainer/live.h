/* A container that runs, for the commands that change it: locked, its cgroup open. */
#ifndef KNARR_LIBCONTAINER_LIVE_H
#define KNARR_LIBCONTAINER_LIVE_H

#include "libcontainer/container.h"

struct live {
	struct state_dir dir;
	struct state *state;
	enum container_status status;
	struct cgroup cgroup;
};

/* With the lock, so that none of the commands meets a delete half-way. verb is for messages
 * ("cannot pause container …"). 0: live_close() gives it back; -errno with err, -ESRCH when it
 * does not run. */
int live_open(const struct container_env *env, const char *id, const char *verb, struct err *err,
	      struct live *ret_live);

/* Closes the cgroup and gives the lock back. */
void live_close(struct live *live);

#endif
