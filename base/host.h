/* Facts about the host that compiling a bundle depends on. host_probe() asks
 * the running system; golden tests and `knarr plan --for` use fixed ones. */
#ifndef KNARR_BASE_HOST_H
#define KNARR_BASE_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct host {
	uid_t euid;
	gid_t egid;
	bool privileged;  /* CAP_SYS_ADMIN in the present user namespace */
	bool in_userns;	  /* the present user namespace is not the initial one */
	unsigned kernel_major, kernel_minor;
	const char *cgroup_mount; /* mount point of cgroup2; NULL: none found */
	const char *cgroup_own;	  /* the runtime's own cgroup there: "/user.slice/…" */
	uint64_t capabilities;	  /* permitted set of the runtime: bit N = capability N */
	unsigned last_cap;	  /* highest capability number of the kernel */
};

/* Strings live in a. 0 or -errno with err filled (no /proc, say). */
int host_probe(struct arena *a, struct err *err, struct host *ret_host);

/* A reference host: kernel 6.18 with every feature, cgroup2 on /sys/fs/cgroup,
 * own cgroup "/", run by root or (root == false) by uid and gid 1000. */
void host_reference(bool root, struct host *ret_host);

/* True when the kernel is at least major.minor. */
bool host_kernel_at_least(const struct host *h, unsigned major, unsigned minor);

#endif
