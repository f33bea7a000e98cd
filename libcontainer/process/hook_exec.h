/* One hook: start it, feed it the state, wait for it. Shared by the runtime and
 * by the container's init, so nothing here allocates. */
#ifndef KNARR_LIBCONTAINER_PROCESS_HOOK_EXEC_H
#define KNARR_LIBCONTAINER_PROCESS_HOOK_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

struct hook_exec {
	const char *path;
	const char *dir;	   /* working directory; NULL: the caller's */
	const char **argv, **envp; /* end with NULL */
	struct iovec state[3];	   /* pieces of the text for stdin; used up by the call */
	unsigned n_state;
	int64_t timeout;    /* seconds; 0: none */
	int init_pidfd;	    /* the hook is killed when this process ends; -1: none */
	int output, errors; /* its stdout and stderr; 0: the caller's stderr */
	bool no_new_privileges;
	bool sets_umask;       /* to 0022, which the caller's is not */
	const void *filter;    /* struct sock_filter[], or NULL */
	size_t filter_len;     /* bytes */
	uint32_t filter_flags; /* SECCOMP_FILTER_FLAG_* */
};

/* Runs hook to its end. A hook that does not read its stdin is not an error. A status
 * other than 0, a signal, a timeout or the init's end (its process group is killed) are
 * -EINVAL; what kept it from being started is -errno. err names the path. */
int hook_exec(struct hook_exec *hook, struct err *err);

#endif
