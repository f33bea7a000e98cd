/* Steps in a new uts namespace. */
#ifndef KNARR_NAMESPACES_UTS_H
#define KNARR_NAMESPACES_UTS_H

#include "plan/plan.h"

/* SET_UTS_NAME: sethostname(2) or setdomainname(2). Allocates nothing. */
int uts_run_set_name(struct plan_ctx *c, const struct plan_step *step);

#endif
