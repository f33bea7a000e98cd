/* Mounts that come and go while a container runs. */
#ifndef KNARR_LIBCONTAINER_EXEC_LIVE_MOUNTS_H
#define KNARR_LIBCONTAINER_EXEC_LIVE_MOUNTS_H

#include "libcontainer/container.h"

/* Adds (or takes away) the mounts of the file, an array as `mounts` of the config ("-":
 * standard input), to the mount namespace of container id, which must have one of its
 * own. All or none: when one cannot be added, those before it are taken away again. The
 * config that is kept of the container changes with them. report is of the file; memory:
 * env->arena. 0 or -errno with err; -ESRCH: not running. */
int container_mounts(const struct container_env *env, const char *id, const char *file, bool add,
		     struct spec_report *report, struct err *err);

#endif
