/* What the runtime does about knarr:[join], the process that makes the init where namespaces are
 * joined. For the files of the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_JOIN_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_JOIN_H

#include "libcontainer/stage/stage.h"

/* knarr:[join], process `join`, has ended or will at once: reaps it, and stage->pid and
 * stage->pidfd are the init that it has made. 0, or -errno with err, its own where it left one. */
int stage_join_collect(struct stage *stage, const struct plan *plan, pid_t join, struct err *err);

/* The same for one that did the set-up, stage->pid, and what the init cannot do for itself:
 * the container's cgroup, if knarr:[join] had to leave it, and the scheduler. */
int stage_join_take_init(struct stage *stage, const struct plan *plan, struct err *err);

/* Moves knarr:[join] to the runtime's own cgroup. 0, or -errno with err. */
int stage_join_leave_cgroup(struct stage *stage, struct err *err);

/* Writes the process pid to the container's cgroup: cgroups(7). 0, or -errno with err. */
int stage_join_move_to_cgroup(int cgroup_fd, pid_t pid, struct err *err);

#endif
