/* CPU weights of cgroup v1 in the units of cgroup v2. */
#ifndef KNARR_CGROUPS_CPU_WEIGHT_H
#define KNARR_CGROUPS_CPU_WEIGHT_H

/* cpu.shares of cgroup v1 (2 … 262144) as a cpu.weight (1 … 10000). Values outside
 * become the nearest end. */
unsigned cpu_weight(unsigned long long shares);

#endif
