/* The flags of the host's cgroup2 hierarchy, which CRIU loses. */
#ifndef KNARR_LIBCONTAINER_CRIU_CGROUP2_H
#define KNARR_LIBCONTAINER_CRIU_CGROUP2_H

#include "base/arena.h"

/* The options of the cgroup2 mounted on point ("rw,nsdelegate"), in the arena; NULL
 * when there is none. */
const char *criu_cgroup2_flags(struct arena *a, const char *point);

/* After a restore: sets them again when they have changed. What fails is a warning. */
void criu_cgroup2_mend(struct arena *a, const char *point, const char *flags);

#endif
