/* What run and start do when the program runs, or when a hook has failed. */
#ifndef KNARR_LIBCONTAINER_POSTSTART_H
#define KNARR_LIBCONTAINER_POSTSTART_H

#include "libcontainer/container.h"

/* Runs the poststart hooks, without the lock. One that fails ends the container, which is
 * deleted then: runtime.md#lifecycle. 0 or -errno with err. */
int poststart_run(const struct container_env *env, const struct state *state, const struct spec *spec, struct err *err);

/* Deletes a container of which a hook failed after create; warns when that fails. */
void poststart_destroy(const struct container_env *env, const char *id);

#endif
