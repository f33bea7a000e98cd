/* Processes of the container's pid namespace that hold the process which is being made. For the
 * files of the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_HOLD_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_HOLD_H

#include "libcontainer/stage/stage.h"

/* How often to look, in milliseconds, while nothing is heard of the process. */
#define STAGE_HOLD_INTERVAL 200

/* Looks once: a process that somebody stopped (SIGSTOP) is told to go on. *times: how often it
 * has been in the hands of a tracer, one time after the other; 0 at first. 0, or -errno with err:
 * it is held by a tracer for 30 seconds. */
int stage_hold_look(const struct stage *stage, unsigned *times, struct err *err);

#endif
