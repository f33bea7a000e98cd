/* The executor: walks a sealed plan in the container's init. */
#ifndef KNARR_LIBCONTAINER_PLANRUN_H
#define KNARR_LIBCONTAINER_PLANRUN_H

#include "base/plan.h"
#include "libcontainer/stage.h"

/* exec, in knarr:[join]: runs the steps that belong before it enters the
 * container. 0 or -errno with c->err filled as by plan_run(). */
int plan_run_outside(struct plan_ctx *c);

/* Runs the steps (but those for plan_run_outside()) in order. Does not return when the
 * last one is PLAN_EXEC and it succeeds; else returns -errno with c->err filled: message,
 * reason and the step's index. Allocates nothing. */
int plan_run(struct plan_ctx *c, struct stage_status *status);

/* Runs all steps of a plan that starts no program. 0 or -errno as by plan_run(). */
int plan_run_all(struct plan_ctx *c);

/* Words of advice for a failed step ("the kernel lacks …"), or NULL. For the
 * parent, which prints the error. Static. */
const char *plan_hint(const struct plan *p, const struct err *e);

#endif
