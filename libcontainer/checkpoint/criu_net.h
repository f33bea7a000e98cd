/* The contents of a container's own network namespace: CRIU can make them again as long
 * as all of it is the container's. A device that others put there, such as one end of
 * a veth pair, is theirs to put there again, by the hooks that did it. */
#ifndef KNARR_LIBCONTAINER_CHECKPOINT_CRIU_NET_H
#define KNARR_LIBCONTAINER_CHECKPOINT_CRIU_NET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci-spec/spec.h"

/* A new namespace that belongs to the container. */
bool criu_net_is_own(const struct spec *spec);

/* Is there any other device than lo in the namespace of the process? */
bool criu_net_has_devices(pid_t pid);

/* Was an image made without the contents of the network namespace? */
bool criu_net_is_left_out(int image_fd);

/* Sets lo up in the namespace of the process, as for a new container; the caller enters
 * it for that (setns(2)). 0 or -errno with err. */
int criu_net_loopback_up(int pidfd, struct err *err);

#endif
