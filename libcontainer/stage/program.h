/* The container's program: finding it, and becoming it. Steps of the init;
 * nothing here allocates. */
#ifndef KNARR_LIBCONTAINER_STAGE_PROGRAM_H
#define KNARR_LIBCONTAINER_STAGE_PROGRAM_H

#include <linux/filter.h>

#include "plan/plan.h"

/* Each returns 0, or -errno with c->err. */

/* CLOSE_FDS: closes all descriptors, the runtime's and those that its caller
 * leaked, but 0, 1, 2, those that the program is to have, and the three by which
 * the init talks to the runtime (sockets and a memfd: no way to a directory). */
int program_run_close_fds(struct plan_ctx *c, const struct plan_step *step);

/* FIND_PROGRAM: the first candidate that is a regular file which the program's
 * user may execute, as execvp(3) searches. Puts it in c->program. */
int program_run_find(struct plan_ctx *c, const struct plan_step *step);

/* FIND_HOME: HOME of the user, from the container's /etc/passwd. Puts it in c->home. */
int program_run_find_home(struct plan_ctx *c, const struct plan_step *step);

/* The filter of a LOAD_SECCOMP, for seccomp(2). */
struct sock_fprog program_filter(const struct plan_ctx *c, const struct plan_step *step);

/* LOAD_SECCOMP of a profile without a listener: seccomp(2). */
int program_load_filter(struct plan_ctx *c, const struct plan_step *step);

/* LOAD_SECCOMP of a profile with a listener: loads the filter and hands the listener to the
 * runtime, or to start, as STAGE_LISTENER. Until execve no other system call may follow, for
 * any of them may have to wait for the agent. */
int program_load_with_listener(struct plan_ctx *c, const struct plan_step *step);

/* PREPARE_EXEC: lays out argv and envp, marks what the program must not have
 * close-on-exec. */
int program_run_prepare_exec(struct plan_ctx *c, const struct plan_step *step);

#endif
