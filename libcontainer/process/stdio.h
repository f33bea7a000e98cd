/* Standard input, output and error of the program belong to its user. A program opens
 * /dev/stdout or /proc/self/fd/1 anew (nginx, and shells in `echo >/dev/stdout`), and a
 * pipe or FIFO that the caller made, as root mostly, would be closed to it. */
#ifndef KNARR_LIBCONTAINER_PROCESS_STDIO_H
#define KNARR_LIBCONTAINER_PROCESS_STDIO_H

#include "oci-spec/spec.h"
#include "plan/plan.h"

/* Adds PLAN_GIVE_STDIO, before the change of ids. enters_userns: exec into a container
 * with a user namespace. */
void stdio_plan(struct plan_builder *b, const struct spec *spec, bool enters_userns);

/* The parent's part, with a user namespace: gives the three to the program's uid as the
 * runtime sees it. A process in the namespace may not, where the owner is unknown in it.
 * pid: any process in that namespace. 0 or -errno with err. */
int stdio_give(const struct plan *plan, pid_t pid, struct err *err);

/* The step: fchown(2). Child; allocates nothing. */
int stdio_run_give(struct plan_ctx *c, const struct plan_step *step);

#endif
