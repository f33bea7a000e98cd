/* The container's cgroup, cgroup v2 only, through cgroupfs.
 *
 * cgroup_resolve() decides where it is (pure), cgroup_create() makes it and
 * enables controllers, cgroup_apply() writes the limits, and the rest looks
 * after it until cgroup_destroy(). A struct cgroup holds no open files but
 * `fd`, the folder itself, which is also what CLONE_INTO_CGROUP takes. Functions
 * with err return 0 or -errno with err where nothing else is said. */
#ifndef KNARR_CGROUPS_CGROUP_H
#define KNARR_CGROUPS_CGROUP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/host.h"
#include "oci-spec/spec.h"

enum cgroup_manager { CGROUP_CGROUPFS, CGROUP_SYSTEMD, CGROUP_DISABLED };

struct cgroup {
	char *mount;   /* mount point of cgroup2, "/sys/fs/cgroup" */
	char *path;    /* below it, "/knarr/web1"; NULL: the container has no cgroup of its own */
	unsigned made; /* how many trailing path components cgroup_create() made */
	int fd;	       /* the folder, O_PATH or O_RDONLY; -1 before create/open */

	char *unit;	     /* scope of systemd that it is in; NULL: knarr makes it alone */
	bool user_manager;   /* the unit is one of the user's systemd */
	char *slice;	     /* of a new unit */
	char *below_manager; /* of a new unit: the path below the cgroup of systemd itself */
	pid_t pid;	     /* what systemd put into the unit; while it is being made */
};

/* With CGROUP_SYSTEMD linux.cgroupsPath is "slice:prefix:name" and the container gets
 * a folder in a transient scope of that name, of the system's systemd for root and
 * of the user's else; cg->unit is its name.
 * Otherwise decides the path (config-linux.md#cgroups-path): absolute: below the mount
 * point; relative: below the parent of the runtime's own cgroup; absent:
 * relative "knarr-ID". "..", "." and empty names are refused. Where there is no
 * cgroup2, or manager is CGROUP_DISABLED, or no path is given and the host says
 * that the user may not make cgroups (cgroup_writable), path becomes NULL unless
 * the config asks for limits: then it is an error that says which. A path that
 * is given counts: cgroup_create() fails where it cannot be made. cg->mount is
 * NULL when there is no cgroup2. Memory from a. Touches nothing. */
int cgroup_resolve(const struct host *h, enum cgroup_manager manager, const struct spec *s, const char *id,
		   struct arena *a, struct err *err, struct cgroup *ret_cg);

/* Asks systemd where its units are, which makes cg->path exact. Nothing to do without
 * a unit. Memory from a. At most SYSTEMD_TIMEOUT_MS, as cgroup_start_scope(). */
int cgroup_locate(struct cgroup *cg, struct arena *a, struct err *err);

/* Starts the unit around pid, which must then wait until cgroup_create() and
 * cgroup_apply() are through. At most SYSTEMD_TIMEOUT_MS; a bus that does not answer
 * is -ETIMEDOUT. */
int cgroup_start_scope(struct cgroup *cg, const struct spec *s, const char *id, pid_t pid, struct err *err);

/* That the root of the hierarchy offers the controllers which linux.resources needs.
 * One that is absent: -ENOTSUP, and err names the property, the controller and where
 * it is bound instead (a v1 hierarchy, or nowhere). cpu.shares alone only warns: a
 * caller's default; so does all when path is NULL. -EINVAL: a value that no host takes. */
int cgroup_check(const struct cgroup *cg, const struct spec *s, struct err *err);

/* Makes the folders (moves cg->pid into the last one, when there is a unit), enables all
 * available controllers on the way down (best effort; needed ones must work), opens
 * cg->fd, sets cg->made. Refuses a folder that holds processes, is frozen (itself or from
 * above) or has controllers enabled for folders below (-EBUSY), or is threaded. On failure
 * removes what it made. Nothing to do when path is NULL. */
int cgroup_create(struct cgroup *cg, const struct spec *s, struct err *err);

/* Writes linux.resources: memory (limit, reservation, swap arithmetic,
 * checkBeforeUpdate), cpu (shares → weight, quota/period, burst, idle), pids,
 * io (weight, bfq, max per device), cpuset, hugetlb (rsvd first), rdma,
 * unified, and the device rules as an eBPF program: those of the config in
 * order, then linux.devices (may be made) and the default devices; what no rule names
 * is denied. Without linux.resources.devices all devices are allowed. With a unit, the
 * scope gets the same limits, and a running one is told them as properties. Errors name
 * property, file and value; the caller then calls cgroup_destroy(). */
int cgroup_apply(struct cgroup *cg, const struct spec *s, struct err *err);

/* What cgroup_apply() would write, a line for people each, in that order. Touches
 * nothing; errors are those of a value that no host takes. Memory from a. */
int cgroup_describe(const struct spec *s, struct arena *a, struct err *err, const char ***ret_lines, size_t *ret_n);

/* How many folders at the end of cg->path do not exist yet: what cgroup_create()
 * would make. To be saved before it, so that a runtime that is killed in it leaves
 * nothing that nobody owns. */
unsigned cgroup_count_missing(const struct cgroup *cg);

/* Opens an existing cgroup (from a state) into cg->fd; nothing to do when that is
 * open. -ENOENT when gone, or when path is NULL. */
int cgroup_open(struct cgroup *cg, struct err *err);

/* Opens the folder of the scope above it, which has the same limits, for the caller to
 * close. *ret_fd is -1 when there is none: no unit, or no sub-cgroup. 0 or -errno with
 * err. */
int cgroup_open_scope(const struct cgroup *cg, struct err *err, int *ret_fd);

/* Sends sig to every process in it and below: cgroup.kill for SIGKILL, else each pid
 * in cgroup.procs while frozen. Before Linux 5.14 SIGKILL goes to each pid, and only if
 * that was not the end of all once more while frozen. 0 also when it is gone or empty,
 * or path is NULL. Opens cg->fd when it is not. */
int cgroup_kill(struct cgroup *cg, int sig, struct err *err);

/* cgroup.freeze; waits until cgroup.events says so, at most timeout_ms: then
 * -ETIMEDOUT, and a freeze is undone. -ENOTSUP before Linux 5.2. cg->fd must be open. */
int cgroup_freeze(struct cgroup *cg, bool frozen, int timeout_ms, struct err *err);

/* True when cgroup.events says frozen 1; false also when cg->fd is not open. */
bool cgroup_is_frozen(const struct cgroup *cg);

/* Pids in it and below: fills at most max, returns how many there are, or -errno with
 * err (-ENODEV: it is gone). cg->fd must be open. */
ssize_t cgroup_pids(const struct cgroup *cg, pid_t *pids, size_t max, struct err *err);

/* Waits (poll on cgroup.events, no sleep loop) until it is empty, then removes it
 * and all below, and its parents while they are empty and were made by knarr
 * (cg->made, or for a container that has left since). A cgroup that knarr did
 * not make is emptied and stays. Closes cg->fd. 0 when already gone or path is
 * NULL; -EBUSY when it still holds processes after timeout_ms. */
int cgroup_destroy(struct cgroup *cg, int timeout_ms, struct err *err);

/* After a container failed to start in a new cgroup: adds to err's message which
 * limit the kernel refused something for, if it counted that. */
void cgroup_add_hint(const struct cgroup *cg, struct err *err);

/* True when the config gives the container's cgroup to its user: it mounts the
 * cgroup file system read-write in a new cgroup namespace
 * (config-linux.md#cgroup-ownership). */
bool cgroup_is_delegated(const struct spec *s);

/* Gives the folder and the files that /sys/kernel/cgroup/delegate lists, nothing
 * else, to uid (as this process sees ids); groups stay as they are. cg->fd must
 * be open. -EPERM for an ordinary user who is not uid. */
int cgroup_delegate(const struct cgroup *cg, uid_t uid, struct err *err);

/* Makes the cgroup `name` (one component) below cg, with the owner that cg has, and opens its
 * cgroup.procs for writing (close-on-exec). A descriptor, or -errno with err. cgroup_destroy()
 * removes it with cg. */
int cgroup_make_sub(const struct cgroup *cg, const char *name, struct err *err);

#endif
