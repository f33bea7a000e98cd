/* Why the program could not be executed. */
#ifndef KNARR_LIBCONTAINER_STAGE_EXEC_ERROR_H
#define KNARR_LIBCONTAINER_STAGE_EXEC_ERROR_H

#include "plan/plan.h"

/* Fills c->err for the errno (positive) that execve(2) gave for c->program, c->argv and
 * c->envp. Makes no system call: the container's filter is loaded. Returns -code. */
int exec_error(struct plan_ctx *c, int code);

#endif
