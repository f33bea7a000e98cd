/* The executor: walks a sealed plan in the container's init. */
#ifndef KNARR_LIBCONTAINER_STAGE_PLANRUN_H
#define KNARR_LIBCONTAINER_STAGE_PLANRUN_H

#include "libcontainer/stage/stage.h"
#include "plan/plan.h"

/* exec, in knarr:[join]: runs the steps that belong before it enters the
 * container. 0 or -errno with c->err filled as by planrun_unseen(). */
int planrun_outside(struct plan_ctx *c);

/* Runs the steps that come before the process can be seen in its pid namespace, but for those of
 * planrun_outside(), in order. 0, or -errno with c->err. */
int planrun_unseen(struct plan_ctx *c);

/* Runs the hooks among the last steps. 0, or -errno with c->err. */
int planrun_hooks(struct plan_ctx *c);

/* Puts the property of the plan's step `index`, from which the error in c->err comes, in front of
 * it, unless it names one itself: "mounts[3]: mount 'proc' on '/proc'". */
void planrun_name_step(struct plan_ctx *c, uint32_t index);

/* Runs all steps of a plan that starts no program. 0 or -errno as by planrun_unseen(). */
int planrun_all(struct plan_ctx *c);

/* Words of advice for a failed step ("the kernel lacks …"), or NULL. For the
 * parent, which prints the error. Static. */
const char *planrun_hint(const struct plan *plan, const struct err *err);

#endif
