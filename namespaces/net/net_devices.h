/* linux.netDevices: network devices of the host that move into the container's
 * network namespace. config-linux.md#network-devices. All of it runs in the
 * parent, between the clone of the init and its first step. */
#ifndef KNARR_NAMESPACES_NET_NET_DEVICES_H
#define KNARR_NAMESPACES_NET_NET_DEVICES_H

#include <sys/types.h>

#include "base/host.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* What was moved, to be taken back while the container is not there yet. */
struct net_devices;

/* Fills b->spawn.net_devices. An unprivileged user, who owns no device of the host,
 * gets an error. */
int net_devices_plan(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err);

/* Moves the plan's devices into the network namespace of the process pid, gives
 * them their names there, their permanent addresses of global scope back, and
 * sets them up. On failure all are back where they were. 0 or -errno with err. */
int net_devices_move(const struct plan *plan, pid_t pid, struct err *err, struct net_devices **ret_devices);

/* Moves all of them back, under their old names and with their addresses. What
 * fails is logged. devices, which may be NULL, still has to be freed. */
void net_devices_undo(struct net_devices *devices);

/* Frees devices, which may be NULL; the devices stay where they are. */
void net_devices_free(struct net_devices *devices);

#endif
