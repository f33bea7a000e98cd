/* Which namespace a step is about to change. */
#ifndef KNARR_NAMESPACES_NAMESPACE_H
#define KNARR_NAMESPACES_NAMESPACE_H

#include "plan/plan.h"

/* That the namespace which was joined is not the runtime's own (inode 0: nothing to be asked).
 * Only before the root is changed: it asks the runtime's /proc. 0 or -errno with c->err.
 * Allocates nothing. */
int namespace_check_foreign(struct plan_ctx *c, const struct plan_own_namespace *own);

#endif
