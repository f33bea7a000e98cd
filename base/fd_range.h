/* Closing all descriptors but a few, on any kernel. */
#ifndef KNARR_BASE_FD_RANGE_H
#define KNARR_BASE_FD_RANGE_H

#include <stdbool.h>

#include "base/err.h"

/* close_range(2): closes the descriptors from first to last, or makes them
 * close-on-exec; first > last is nothing. Allocates nothing. 0 or -errno. */
int fd_close_range(unsigned first, unsigned last, bool cloexec);

/* To be asked once before fd_close_range() is relied upon: without close_range(2),
 * no descriptor may be beyond those that it closes one by one (-ENOSYS). 0 or -errno
 * with err. */
int fd_check_range(struct err *err);

#endif
