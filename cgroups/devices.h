/* The device rules of a config as a program on the container's cgroup. */
#ifndef KNARR_CGROUPS_DEVICES_H
#define KNARR_CGROUPS_DEVICES_H

#include "cgroups/cgroup.h"
#include "cgroups/device_bpf.h"

/* All rules that hold for the container, in order: linux.resources.devices as
 * given, the default devices of config-linux.md, linux.devices. Memory from a.
 * Returns how many; 0 when the config has no rules (then all is allowed). */
size_t devices_rules(const struct spec *s, struct arena *a, struct device_rule **ret_rules);

/* Compiles, loads and attaches them to cg->fd; programs that were attached to
 * an older folder are replaced. Where bpf(2) is denied because of a user
 * namespace nothing is done: no device node can be made there. */
int devices_apply(const struct cgroup *cg, const struct spec *s, struct err *err);

#endif
