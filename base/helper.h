/* Programs of the host that the runtime executes: newuidmap, newgidmap, criu, ps. */
#ifndef KNARR_BASE_HELPER_H
#define KNARR_BASE_HELPER_H

#include "base/arena.h"
#include "base/err.h"

/* Looks for the program in the absolute directories of PATH, then in those of programs for root,
 * which PATH may lack. *ret_path is where it really is, in a. To be called once, before the
 * process changes its root or any namespace, and without err when it is not there: -ENOENT, or
 * -EACCES when the only one there is cannot be executed. With err, -EPERM: the runtime is
 * root, and the first one found, or its directory, is not root's alone to change. */
int helper_find(const char *name, struct arena *a, struct err *err, const char **ret_path);

#endif
