/* The device rules of a config as a program on the container's cgroup. */
#ifndef KNARR_CGROUPS_DEVICES_H
#define KNARR_CGROUPS_DEVICES_H

#include "cgroups/cgroup.h"
#include "cgroups/device_bpf.h"

/* All rules that hold for the container, in order: linux.resources.devices as
 * given, linux.devices (they may be made, no more), the default devices of
 * config-linux.md. Memory from a. Returns how many; 0 when the config has no rules
 * (then all is allowed). */
size_t devices_rules(const struct spec *s, struct arena *a, struct device_rule **ret_rules);

/* Compiles, loads and attaches them to cg->fd (bpf(2)); programs that were attached to
 * an older folder are replaced. Where bpf(2) is denied in a user namespace, to an
 * ordinary user (with a warning), or for rules that allow everything, nothing is done:
 * the former two cannot make device nodes. 0 or -errno with err. */
int devices_apply(const struct cgroup *cg, const struct spec *s, struct err *err);

#endif
