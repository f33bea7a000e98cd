/* How the runtime makes the init's process, directly or through knarr:[join]. For the
 * files of the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_CLONE_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_CLONE_H

#include "libcontainer/stage/stage.h"

/* Clones the init into the cgroup options->cgroup_fd. Where the kernel makes no process there,
 * or kills it at birth, the init is cloned outside and moved there: *ret_held is true then,
 * and the init does nothing before stage_continue(). Sets stage->pid and stage->pidfd. 0, or
 * -errno with err: stage->pid is what is left to be killed; -ECHILD: the process was killed. */
int stage_clone(struct stage *stage, const struct plan *plan, const struct stage_options *options, struct plan_ctx *c,
		struct err *err, bool *ret_held);

#endif
