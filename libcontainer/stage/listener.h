/* Hands a seccomp listener to the agent at listenerPath:
 * config-linux.md#containerprocessstate. */
#ifndef KNARR_LIBCONTAINER_STAGE_LISTENER_H
#define KNARR_LIBCONTAINER_STAGE_LISTENER_H

#include <sys/types.h>

#include "base/err.h"
#include "oci-spec/spec.h"

/* One connection, one message: the container process state as JSON, and fd by
 * SCM_RIGHTS, named "seccompFd" in `fds`. state_json is the state document of
 * the container, pid the process that loaded the filter, in the runtime's pid
 * namespace. 0 or -errno with err. */
int listener_send(const struct spec_seccomp *profile, const char *state_json, pid_t pid, int fd, struct err *err);

#endif
