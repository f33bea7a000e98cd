/* The bind sources that the runtime opens for the init (struct plan_source). */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_SOURCES_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_SOURCES_H

#include "plan/plan.h"

/* Opens every source of the plan as a detached tree, maps its ids where the plan
 * says so, and puts it into its slot of fds. On failure the caller closes what
 * was opened. 0 or -errno with err. */
int mount_sources_open(const struct plan *plan, int *fds, struct err *err);

/* Closes them and leaves -1 in their slots. */
void mount_sources_close(const struct plan *plan, int *fds);

#endif
