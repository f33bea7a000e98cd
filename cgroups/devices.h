/* The device rules of a config as a program on the container's cgroup. */
#ifndef KNARR_CGROUPS_DEVICES_H
#define KNARR_CGROUPS_DEVICES_H

#include "cgroups/cgroup.h"
#include "cgroups/device_bpf.h"

/* All rules that hold for the container, in order: linux.resources.devices as
 * given, linux.devices (they may be made, no more), the default devices of
 * config-linux.md. Where the config gives none, all devices can be made and the default
 * ones used. Memory from a. Returns how many. */
size_t cgroup_devices_rules(const struct spec *spec, struct arena *a, struct device_rule **ret_rules);

/* The config gives no rules. */
bool cgroup_devices_are_default(const struct spec *spec);

#endif
