/* The seccomp filter of a restrained runtime: the calls that are left to make. */
#ifndef KNARR_LIBCONTAINER_PROCESS_RESTRAIN_FILTER_H
#define KNARR_LIBCONTAINER_PROCESS_RESTRAIN_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "libcontainer/process/restrain.h"

#define RESTRAIN_FILTER_MAX 256

/* Lets pass what the calling process needs for options, answers EPERM to anything else, and
 * ends a process that makes a call of another architecture. The number of instructions. */
size_t restrain_filter(const struct restrain_options *options, struct sock_filter ret_program[RESTRAIN_FILTER_MAX]);

#endif
