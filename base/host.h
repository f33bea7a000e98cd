/* Facts about the host that compiling a bundle depends on. host_probe() asks
 * the running system; golden tests and `knarr plan --for` use fixed ones. */
#ifndef KNARR_BASE_HOST_H
#define KNARR_BASE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* CAP_CHECKPOINT_RESTORE, Linux 5.9; knarr needs 5.12 (base/kernel.c). */
#define HOST_OLDEST_LAST_CAP 40

struct host {
	uid_t euid;
	gid_t egid;
	bool privileged; /* CAP_SYS_ADMIN in the present user namespace */
	bool in_userns;	 /* the present user namespace is not the initial one */
	unsigned kernel_major, kernel_minor;
	const char *cgroup_mount;  /* mount point of cgroup2; NULL: none found, or: */
	const char *cgroup_denied; /* one that this user may not reach; NULL: none */
	const char *cgroup_own;	   /* the runtime's own cgroup there: "/user.slice/…" */
	bool cgroup_read_only;	   /* it may not, because nobody may */
	bool cgroup_writable;	   /* it may make cgroups beside its own (root, or delegated) */
	uint64_t capabilities;	   /* permitted set of the runtime: bit N = capability N */
	unsigned last_cap;	   /* highest capability number of the kernel */
	bool apparmor, selinux;	   /* the security module is active */
	bool kcore;		   /* there is a /proc/kcore, and so a /dev/core */
};

/* Asks the running system. Strings live in a. 0 or -errno with err filled (no /proc,
 * say). */
int host_probe(struct arena *a, struct err *err, struct host *ret_host);

/* The same without the facts about cgroups (cgroup_mount NULL, cgroup_own "/"), which
 * take a table of mounts to find: for exec, whose container says where its cgroup is. */
int host_probe_process(struct err *err, struct host *ret_host);

/* True when the process is in a user namespace other than the initial one, or when /proc
 * does not tell. */
bool host_in_userns(void);

/* Where a cgroup2 is mounted, from the text of /proc/self/mountinfo. */
struct host_cgroup_mount {
	const char *point; /* mount point, unescaped; NULL: none */
	const char *root;  /* the cgroup that shows there, mostly "/" */
};
#define HOST_CGROUP_MOUNTS 3

/* Finds the cgroup2 mounts, best first: /sys/fs/cgroup, /sys/fs/cgroup/unified
 * (hybrid hosts), then the first of the others. A mount point that was covered
 * by another file system does not count. Strings live in a. Fills at most
 * HOST_CGROUP_MOUNTS and returns how many. */
size_t host_find_cgroup_mounts(struct arena *a, const char *mountinfo, struct host_cgroup_mount *ret_mounts);

/* A cgroup as /proc/self/cgroup names it ("/a/b"), seen from a mount whose root
 * is the cgroup `root` ("/a"): "/b". "/" when it lies outside. A pointer into own. */
const char *host_cgroup_below(const char *own, const char *root);

/* A reference host: kernel 6.18 with every feature, cgroup2 on /sys/fs/cgroup,
 * own cgroup "/", run by root or (root == false) by uid and gid 1000. */
void host_reference(bool root, struct host *ret_host);

/* True when the kernel is at least major.minor. */
bool host_kernel_at_least(const struct host *host, unsigned major, unsigned minor);

#endif
