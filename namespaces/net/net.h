/* Steps in a new network namespace. */
#ifndef KNARR_NAMESPACES_NET_NET_H
#define KNARR_NAMESPACES_NET_NET_H

#include "plan/plan.h"

/* LOOPBACK_UP: sets IFF_UP on lo; the kernel then gives it 127.0.0.1 and ::1.
 * netdevice(7). Allocates nothing. */
int net_run_loopback_up(struct plan_ctx *c, const struct plan_step *step);

/* The same in the caller's network namespace. 0 or -errno with err. */
int net_loopback_up(struct err *err);

#endif
