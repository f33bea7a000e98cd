/* HOME for a program whose environment has none. */
#ifndef KNARR_LIBCONTAINER_PROCESS_HOME_H
#define KNARR_LIBCONTAINER_PROCESS_HOME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What the kernel takes as one variable (MAX_ARG_STRLEN), NUL included. */
#define HOME_MAX 131072

/* Writes "HOME=<directory>" for uid into the HOME_MAX bytes at buf, from /etc/passwd of the
 * present root; "HOME=/" when that names none, or is not a regular file of an image. A file
 * that is there and cannot be read is an error, and so is a home that is too long for a
 * variable. Runs in the container; allocates nothing. 0 or -errno with err. */
int home_find(uint32_t uid, char *buf, struct err *err);

/* The same from a passwd(5) file that is open; fd -1: there is none. */
int home_find_in(int fd, uint32_t uid, char *buf, struct err *err);

#endif
