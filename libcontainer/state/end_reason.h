/* Why a container ended, as far as the kernel counted or told it. */
#ifndef KNARR_LIBCONTAINER_STATE_END_REASON_H
#define KNARR_LIBCONTAINER_STATE_END_REASON_H

#include "base/arena.h"
#include "libcontainer/state/end_watch.h"
#include "libcontainer/state/state.h"

#define END_CODE_UNKNOWN (-1)

/* A few words without a line end: "out of memory (memory.max 64 MiB)", "no more
 * tasks (pids.max 20)", "seccomp violation (SIGSYS)"; NULL when
 * nothing points at any of these. watch: what was seen of the container's cgroup.
 * code: exit status as `run` returns it (128+N for a signal), or END_CODE_UNKNOWN.
 * Memory from a. */
const char *end_reason(const struct end_watch *watch, int code, struct arena *a);

/* The same in a sentence: "container 'web1' was killed: out of memory (…)", or
 * "container 'web1' exited with status 2: PID limit reached (…)". */
const char *end_reason_sentence(const char *id, int code, const char *reason, struct arena *a);

/* Of a container that has stopped and was not deleted yet: as kept in its state,
 * or as its cgroup has it. */
const char *end_reason_of_state(const struct state *state, int code, struct arena *a);

/* end_watch_open() for a container known by its state. */
void end_watch_of_state(struct end_watch *watch, const struct state *state);

#endif
