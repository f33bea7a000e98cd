/* The container's program: finding it, and becoming it. Steps of the init;
 * nothing here allocates. */
#ifndef KNARR_LIBCONTAINER_PROGRAM_H
#define KNARR_LIBCONTAINER_PROGRAM_H

#include "base/plan.h"

/* Each returns 0, or -errno with c->err. */

/* CLOSE_FDS: closes all descriptors, the runtime's and those that its caller
 * leaked, but 0, 1, 2, those that the program is to have, and the three by which
 * the init talks to the runtime (sockets and a memfd: no way to a folder). */
int program_run_close_fds(struct plan_ctx *c, const struct plan_step *s);

/* FIND_PROGRAM: the first candidate that is a regular file which the program's
 * user may execute, as execvp(3) searches. Puts it in c->program. */
int program_run_find(struct plan_ctx *c, const struct plan_step *s);

/* LOAD_SECCOMP: seccomp(2), the last thing before execve. With a listener: see
 * stage.h. */
int program_run_seccomp(struct plan_ctx *c, const struct plan_step *s);

/* PREPARE_EXEC: lays out argv and envp, marks what the program must not have
 * close-on-exec, lets the container outlive the runtime. */
int program_run_prepare_exec(struct plan_ctx *c, const struct plan_step *s);

/* EXEC: execve(2), and no other system call. */
int program_run_exec(struct plan_ctx *c, const struct plan_step *s);

/* WAIT_START: tells the runtime that the container is created, waits for
 * `start`, and talks to that from then on. */
int program_run_wait_start(struct plan_ctx *c, const struct plan_step *s);

#endif
