/* The controllers of cgroup v2 by name, as sets, and where one is when v2 lacks it. */
#ifndef KNARR_CGROUPS_CONTROLLERS_H
#define KNARR_CGROUPS_CONTROLLERS_H

#include <stddef.h>

enum controller {
	CONTROLLER_NONE, /* a core file of every cgroup */
	CONTROLLER_CPUSET,
	CONTROLLER_CPU,
	CONTROLLER_IO,
	CONTROLLER_MEMORY,
	CONTROLLER_HUGETLB,
	CONTROLLER_PIDS,
	CONTROLLER_RDMA,
	CONTROLLER_MISC,
	CONTROLLER_DMEM,
	CONTROLLER_COUNT
};

/* A set of controllers: one bit each. */
#define CONTROLLER_BIT(c) (1u << (c))

/* "memory". Static; NULL for CONTROLLER_NONE. */
const char *controller_name(enum controller controller);

/* The controller whose file key is: "memory.max" → CONTROLLER_MEMORY;
 * CONTROLLER_NONE for core files and for unknown ones. */
enum controller controller_of_file(const char *key);

/* Reads a list of names ("cgroup.controllers", "cgroup.subtree_control") in the
 * directory dirfd; unknown names are left out. 0 or -errno. */
int controllers_read(int dirfd, const char *file, unsigned *ret_set);

/* Says in buf why cgroup v2 has no controller controller: "controller 'memory' is bound
 * to cgroup v1 at '/sys/fs/cgroup/memory'". Reads mountinfo and /proc/cgroups. */
const char *controller_explain(enum controller controller, char *buf, size_t size);

#endif
