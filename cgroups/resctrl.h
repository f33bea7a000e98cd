/* Intel RDT and what AMD and Arm have like it: shares of caches and of memory
 * bandwidth, through the file system resctrl. config-linux.md#intelrdt,
 * Documentation/filesystems/resctrl.rst of Linux.
 *
 * All functions work below a descriptor of resctrl's root, which
 * resctrl_open_mounted() finds; tests give them a directory of their own. They return 0,
 * or -errno with err. */
#ifndef KNARR_CGROUPS_RESCTRL_H
#define KNARR_CGROUPS_RESCTRL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci-spec/spec.h"

struct resctrl {
	int root_fd;	     /* of the file system; -1: not open */
	const char *group;   /* the class of service below it; "/": the default one; NULL: none is asked for */
	const char *monitor; /* name of a monitoring group in it; NULL: none */
	bool make;	     /* the group does not exist: resctrl_make() makes it */
	bool own;	     /* it is removed with the container */
	bool made, made_monitor;
};

/* Opens the root of the resctrl that is mounted; the caller closes *ret_fd. -ENOENT:
 * there is none. */
int resctrl_open_mounted(struct err *err, int *ret_fd);

/* Decides, after the rules of the spec, which group the container gets and whether
 * it must exist or must not; compares the schemata of one that exists. Touches
 * nothing. Strings are those of rdt and id. *ret_r has root_fd in it. */
int resctrl_resolve(const struct spec_intel_rdt *rdt, const char *id, int root_fd, struct err *err,
		    struct resctrl *ret_r);

/* Makes the group and the monitoring group. What was made is in resctrl, also after an
 * error: the caller then calls resctrl_remove(). */
int resctrl_make(struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct err *err);

/* Writes l3CacheSchema, memBwSchema and schemata, in this order, if the group is a
 * new one: one that existed has them already. */
int resctrl_write_schemata(const struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct err *err);

/* Writes them to a group that exists, for all that are in it: all or none. The default group,
 * in which the rest of the host is, is an error (-EINVAL). *ret_before: what they were, in a;
 * NULL: they could not be read. */
int resctrl_change_schemata(const struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct arena *a,
			    struct err *err, const char **ret_before);

/* Writes what resctrl_change_schemata() replaced. A line that is refused is warned about. */
void resctrl_put_schemata_back(const struct resctrl *resctrl, const char *before);

/* Puts a process into the group and the monitoring group; those that it forks
 * follow it. */
int resctrl_join(const struct resctrl *resctrl, pid_t pid, struct err *err);

/* Removes the monitoring group, if made_monitor, and the group if it is own. What is
 * gone already is not an error. */
int resctrl_remove(const struct resctrl *resctrl, struct err *err);

#endif
