/* Signals by the names that people and callers give them. */
#ifndef KNARR_RUNTIME_SIGNAL_NAME_H
#define KNARR_RUNTIME_SIGNAL_NAME_H

#include "base/err.h"

/* "KILL", "SIGKILL", "kill", "9", "RTMIN", "SIGRTMIN+3", "RTMAX-1"; 0 asks only
 * whether the process is there. -EINVAL with err, which names the nearest one. */
int signal_from_name(const char *name, struct err *err, int *ret_signal);

#endif
