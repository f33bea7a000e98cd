/* The flags of the host's cgroup2 hierarchy, which CRIU loses. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_CGROUP2_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_CGROUP2_H

#include "base/arena.h"

struct criu_cgroup2 {
	const char *point; /* where it is mounted; NULL: nowhere */
	const char *flags; /* "rw,nsdelegate" */
};

/* Before a call of CRIU. Memory from a. */
struct criu_cgroup2 criu_cgroup2_save(struct arena *a);

/* After it: sets the flags again when they have changed. What fails is a warning. */
void criu_cgroup2_mend(struct arena *a, const struct criu_cgroup2 *saved);

#endif
