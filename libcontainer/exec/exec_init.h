/* What exec must know of a running container: where its init is. */
#ifndef KNARR_LIBCONTAINER_EXEC_EXEC_INIT_H
#define KNARR_LIBCONTAINER_EXEC_EXEC_INIT_H

#include "cgroups/cgroup.h"
#include "libcontainer/state/state.h"

struct exec_init {
	int pidfd;
	int root_fd;	      /* when the mount namespace is the runtime's own; else -1 */
	uint64_t enter_flags; /* CLONE_NEW* of the namespaces that are not the runtime's own */
	bool deny_setgroups;
};

/* Looks at the init of state, whose config is spec. 0 and descriptors for the caller to
 * close; -errno with err; -ESRCH: it has ended, and err may say nothing. */
int exec_init_find(const struct state *state, const struct spec *spec, struct err *err, struct exec_init *ret_init);

/* True when the init has ended, or has begun to: then it is among the last of its
 * pid namespace, and waits for the others. Waits at most timeout_ms for it. */
bool exec_init_ended(const struct exec_init *init, const struct state *state, int timeout_ms);

/* Opens the cgroup for a new process: sub below the container's own when that is
 * given (a path without ".."), else the container's own. If that passes controllers on,
 * which an init system in the container makes it do, the kernel takes no process
 * there: then it is the one that the init is in now. ret_cg->path NULL: the container has
 * none, and the process stays in the runtime's. The caller closes ret_cg->fd; memory from
 * a. 0 or -errno with err. */
int exec_init_cgroup(const struct state *state, const char *sub, struct arena *a, struct err *err,
		     struct cgroup *ret_cg);

#endif
