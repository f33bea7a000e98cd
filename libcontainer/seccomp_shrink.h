/* Rewrites a seccomp program into a smaller and quicker one that decides the same. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SHRINK_H
#define KNARR_LIBCONTAINER_SECCOMP_SHRINK_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/arena.h"

/* prog: n instructions as libseccomp writes them. The result, in the arena, is
 * compared with prog on every boundary of its decisions before it is given
 * out. Returns the number of its instructions and *ret_prog, or 0 when prog
 * holds what this does not understand, or would not become smaller: then prog
 * is to be used as it is. */
size_t seccomp_shrink(const struct sock_filter *prog, size_t n, struct arena *a, struct sock_filter **ret_prog);

#endif
