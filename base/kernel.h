/* Which system calls the kernel must have. */
#ifndef KNARR_BASE_KERNEL_H
#define KNARR_BASE_KERNEL_H

#include "base/err.h"

enum kernel_need {
	KERNEL_NOTHING,	   /* none: prints or checks texts */
	KERNEL_PROCESSES,  /* looks at, signals or waits for processes of containers */
	KERNEL_CONTAINERS, /* makes containers, processes or mounts in them, or reads their files */
};

/* Asks the kernel for every system call without which that cannot be done: 0, or
 * -ENOSYS with an err that names the call and the first Linux that has it; for
 * KERNEL_CONTAINERS also what fd_check_range() says. Changes nothing. */
int kernel_check(enum kernel_need need, struct err *err);

#endif
