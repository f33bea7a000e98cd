/* The container's cgroup, cgroup v2 only, through cgroupfs.
 *
 * cgroup_resolve() decides where it is (pure), cgroup_create() makes it and
 * enables controllers, cgroup_apply() writes the limits, and the rest looks
 * after it until cgroup_destroy(). A struct cgroup holds no open files but
 * `fd`, the directory itself, which is also what CLONE_INTO_CGROUP takes. Functions
 * with err return 0 or -errno with err where nothing else is said. */
#ifndef KNARR_CGROUPS_CGROUP_H
#define KNARR_CGROUPS_CGROUP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/host.h"
#include "oci-spec/spec.h"

struct settings;

enum cgroup_manager { CGROUP_CGROUPFS, CGROUP_SYSTEMD, CGROUP_DISABLED };

struct cgroup {
	char *mount;   /* mount point of cgroup2, "/sys/fs/cgroup" */
	char *path;    /* below it, "/knarr/web1"; NULL: the container has no cgroup of its own */
	unsigned made; /* how many trailing path components cgroup_create() made */
	int fd;	       /* the directory, O_PATH or O_RDONLY; -1 before create/open */

	char *owner;	/* what the directory is marked with as this container's; NULL: not to be asked */
	bool marked;	/* the mark was set: one that bears none is somebody else's */
	uint64_t inode; /* of the directory, where this process has it open: asked instead of the mark; 0: not known */

	char *unit;	     /* scope of systemd that it is in; NULL: knarr makes it alone */
	bool user_manager;   /* the unit is one of the user's systemd */
	char *slice;	     /* of a new unit */
	char *below_manager; /* of a new unit: the path below the cgroup of systemd itself */
	pid_t pid;	     /* what systemd put into the unit; while it is being made */

	/* linux.resources as writes to files, from cgroup_compile(), which comes before any
	 * function here that takes limits into account; NULL: not compiled. */
	const struct settings *settings;
};

/* True when systemd made it, or is to make it, as a scope. */
static inline bool
cgroup_is_systemd(const struct cgroup *cg)
{
	return cg->unit;
}

/* Compiles linux.resources into cg->settings. Asks nothing of the host. -EINVAL with err: a
 * value that no host takes; the settings are those in front of it then. Memory from a. */
int cgroup_compile(struct cgroup *cg, const struct spec *spec, struct arena *a, struct err *err);

/* With CGROUP_SYSTEMD linux.cgroupsPath is "slice:prefix:name" and the container gets
 * a directory in a transient scope of that name, of the system's systemd for root and
 * of the user's else; cg->unit is its name.
 * Otherwise decides the path (config-linux.md#cgroups-path): absolute: below the mount
 * point; relative: below the parent of the runtime's own cgroup; absent:
 * relative "knarr-ID". "..", "." and empty names are refused. Where there is no
 * cgroup2, or manager is CGROUP_DISABLED, or no path is given and the host says
 * that the user may not make cgroups (cgroup_writable), path becomes NULL unless
 * the config asks for limits: then it is an error that says which. A path that
 * is given counts: cgroup_create() fails where it cannot be made. cg->mount is
 * NULL when there is no cgroup2. Fills *cg, of which only the settings are there before.
 * Memory from a. Touches nothing. */
int cgroup_resolve(const struct host *host, enum cgroup_manager manager, const struct spec *spec, const char *id,
		   struct arena *a, struct err *err, struct cgroup *cg);

/* Asks systemd where its units are, which makes cg->path exact. Nothing to do without
 * a unit. Memory from a. At most SYSTEMD_TIMEOUT_MS, as cgroup_start_scope(). */
int cgroup_locate(struct cgroup *cg, struct arena *a, struct err *err);

/* Starts the unit around pid, which must then wait until cgroup_create() and
 * cgroup_apply() are through. At most SYSTEMD_TIMEOUT_MS; a bus that does not answer
 * is -ETIMEDOUT. */
int cgroup_start_scope(struct cgroup *cg, const struct spec *spec, const char *id, pid_t pid, struct err *err);

/* That the root of the hierarchy offers the controllers which linux.resources needs.
 * One that is absent: -ENOTSUP, and err names the property, the controller and where
 * it is bound instead (a v1 hierarchy, or nowhere). cpu.shares alone only warns: a
 * caller's default; so does all when path is NULL. */
int cgroup_check(const struct cgroup *cg, struct err *err);

/* Makes the directories (moves cg->pid into the last one, when there is a unit), enables all
 * available controllers on the way down (best effort; needed ones must work), opens
 * cg->fd, sets cg->made. Refuses a directory that holds processes, is frozen (itself or from
 * above) or has controllers enabled for directories below (-EBUSY), or is threaded. On failure
 * removes what it made. Marks the directory with cg->owner and sets cg->marked, where the
 * kernel has such marks. Nothing to do when path is NULL. */
int cgroup_create(struct cgroup *cg, struct err *err);

/* Writes linux.resources: memory (limit, reservation, swap arithmetic,
 * checkBeforeUpdate), cpu (shares → weight, quota/period, burst, idle), pids,
 * io (weight, bfq, max per device), cpuset, hugetlb (rsvd first), rdma and
 * unified. With a unit, the scope gets the same limits, and a running one is told them as
 * properties. Errors name property, file and value; the caller then calls cgroup_destroy(). */
int cgroup_apply(struct cgroup *cg, const struct spec *spec, struct err *err);

/* cgroup_apply() for a container that runs: all or nothing. When one of the files is refused,
 * the others hold again what could be read of them before; what cannot be put back is warned
 * about. */
int cgroup_update(struct cgroup *cg, const struct spec *spec, struct err *err);

/* The device rules as an eBPF program on cg->fd: those of the config in order, then
 * linux.devices (may be made) and the default devices; what no rule names is denied. A
 * config without rules denies the use of all but the default devices. Programs that were
 * attached to an older directory are replaced. Where bpf(2) is denied in a user namespace,
 * to an unprivileged user (with a warning about rules that were given), or for rules that
 * allow everything, nothing is done: the former two cannot make device nodes. Nothing to do
 * when path is NULL. */
int cgroup_devices_apply(const struct cgroup *cg, const struct spec *spec, struct err *err);

/* What cgroup_apply() and cgroup_devices_apply() would do, a line for people each: *ret_lines, in a.
 * How many they are. Touches nothing. */
size_t cgroup_describe(const struct cgroup *cg, const struct spec *spec, struct arena *a, const char ***ret_lines);

/* How many directories at the end of cg->path do not exist yet: what cgroup_create()
 * would make. To be saved before it, so that a runtime that is killed in it leaves
 * nothing that nobody owns. */
unsigned cgroup_count_missing(const struct cgroup *cg);

/* Opens an existing cgroup (from a state) into cg->fd; nothing to do when that is
 * open. -ENOENT when gone, when it is another container's by now (cg->owner), or when
 * path is NULL. */
int cgroup_open(struct cgroup *cg, struct err *err);

/* Opens the directory of the scope above it, which has the same limits, for the caller to
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

/* What cgroup.events says: 1 or 0, or -errno with err. 0 also when it is gone. cg->fd must be
 * open. */
int cgroup_is_frozen(const struct cgroup *cg, struct err *err);

/* True when the cgroup of that path is there and not frozen, whosever it is by now: then cg's is not frozen,
 * either. False tells nothing. It need not be open, and is not opened: one look instead of four. */
bool cgroup_is_thawed(const struct cgroup *cg);

/* Pids in it and below: fills at most max, returns how many there are, or -errno with
 * err (-ENODEV: it is gone). cg->fd must be open. */
ssize_t cgroup_pids(const struct cgroup *cg, pid_t *pids, size_t max, struct err *err);

/* Waits (poll on cgroup.events, no sleep loop) until it is empty, then removes it
 * and all below, and its parents while they are empty and were made by knarr
 * (cg->made, or for a container that has left since). A cgroup that knarr did
 * not make is emptied and stays. Closes cg->fd. 0 when already gone, another
 * container's by now, or path is NULL; -EBUSY when it still holds processes after
 * timeout_ms. */
int cgroup_destroy(struct cgroup *cg, int timeout_ms, struct err *err);

/* For a container whose state is lost: looks below mount for the cgroup that is marked with
 * owner. *ret_path is its path, in a; NULL: there is none. 0 or -errno with err. */
int cgroup_find_marked(const char *mount, const char *owner, struct arena *a, struct err *err, char **ret_path);

/* The command that starts another in a cgroup of its own, for hints, for whom euid is. */
const char *cgroup_delegation_command(uid_t euid);

/* After a container failed to start in a new cgroup: adds to err's message which
 * limit the kernel refused something for, if it counted that. init_was_moved: one refusal
 * of a task did no harm, the init was moved into the cgroup after it. */
void cgroup_add_hint(const struct cgroup *cg, bool init_was_moved, struct err *err);

/* True when the config gives the container's cgroup to its user: it mounts the
 * cgroup file system read-write in a new cgroup namespace
 * (config-linux.md#cgroup-ownership). */
bool cgroup_is_delegated(const struct spec *spec);

/* Gives the directory and the files that /sys/kernel/cgroup/delegate lists, nothing
 * else, to uid (as this process sees ids); groups stay as they are. cg->fd must
 * be open. -EPERM for an unprivileged user who is not uid. */
int cgroup_delegate(const struct cgroup *cg, uid_t uid, struct err *err);

/* Makes the cgroup `name` (one component) below cg, with the owner that cg has, and opens its
 * cgroup.procs for writing (close-on-exec). A descriptor, or -errno with err. cgroup_destroy()
 * removes it with cg. */
int cgroup_make_sub(const struct cgroup *cg, const char *name, struct err *err);

#endif
