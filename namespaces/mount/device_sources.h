/* Device nodes for a container in a user namespace, which cannot make any itself:
 * the runtime makes them, with the owner and mode of linux.devices, before the
 * clone; the init only places them. config-linux.md#devices. */
#ifndef KNARR_NAMESPACES_MOUNT_DEVICE_SOURCES_H
#define KNARR_NAMESPACES_MOUNT_DEVICE_SOURCES_H

#include "base/err.h"
#include "plan/plan.h"

/* Makes the nodes of all sources of the plan that are devices and puts a detached
 * tree of each into its slot of fds. Needs CAP_SYS_ADMIN and CAP_MKNOD of the
 * initial user namespace. Forks; nothing of it can be seen on the host. On failure
 * the caller closes what is in fds. 0 or -errno with err. */
int device_sources_make(const struct plan *plan, int *fds, struct err *err);

#endif
