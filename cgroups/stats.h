/* What a cgroup has used, counted and waited for, from its files. */
#ifndef KNARR_CGROUPS_STATS_H
#define KNARR_CGROUPS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "cgroups/keyed.h"

/* A line of a pressure file (Documentation/accounting/psi.rst): hundredths of a
 * percent of the last 10, 60 and 300 s, and all time in microseconds. */
struct cgroup_stall {
	unsigned avg10, avg60, avg300;
	uint64_t total;
};

struct cgroup_pressure {
	bool is_there; /* false: the kernel has none, or it is switched off */
	struct cgroup_stall some, full;
};

struct cgroup_counter {
	char *key;
	uint64_t value;
};

struct cgroup_io_device {
	unsigned major, minor;
	uint64_t read_bytes, write_bytes, reads, writes; /* the last two: operations */
};

struct cgroup_hugetlb {
	char *page_size;   /* "2MB" */
	uint64_t usage;	   /* bytes */
	uint64_t failures; /* how often the limit refused some */
};

/* What is absent is 0; the has_… say of what. Limits: KEYED_MAX is none. */
struct cgroup_stats {
	bool has_cpu;				  /* the times; without the controller too */
	uint64_t cpu_usage, cpu_user, cpu_system; /* microseconds */
	bool has_cpu_controller;
	uint64_t cpu_periods, cpu_throttled_periods, cpu_throttled_time; /* microseconds */
	uint64_t cpu_quota, cpu_period;					 /* microseconds */
	struct cgroup_pressure cpu_pressure;

	bool has_memory;
	uint64_t memory_usage, memory_peak, memory_limit, memory_low; /* bytes; peak: Linux 5.19 */
	uint64_t swap_usage, swap_peak, swap_limit;		      /* without the memory */
	bool has_swap;
	struct cgroup_counter *memory_stat; /* the lines of memory.stat */
	size_t n_memory_stat;
	uint64_t events_low, events_high, events_max, events_oom, events_oom_kill, events_oom_group_kill;
	struct cgroup_pressure memory_pressure;

	bool has_pids;
	uint64_t pids, pids_limit; /* tasks, not processes */
	uint64_t pids_refused;	   /* forks that the limit refused */

	bool has_io;
	struct cgroup_io_device *io;
	size_t n_io;
	struct cgroup_pressure io_pressure;

	struct cgroup_hugetlb *hugetlb;
	size_t n_hugetlb;
};

/* Reads all that there is in the directory dirfd; memory from a. 0, or -errno when
 * the directory is gone (-ENOENT, -ENODEV) or not a cgroup. */
int cgroup_stats_read(int dirfd, struct arena *a, struct cgroup_stats *ret_stats);

/* The counter called key in memory.stat; 0 when it is not there. */
uint64_t cgroup_stats_memory(const struct cgroup_stats *stats, const char *key);

#endif
