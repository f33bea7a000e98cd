/* The last steps of a container's process, which are all that others can see of it: it is made
 * (where knarr:[join] has done the rest outside of its pid namespace), takes its terminal,
 * waits for start, loads the filter and becomes the program. For the files of the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_LAST_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_LAST_H

#include "libcontainer/stage/stage.h"

/* Runs the plan's steps from first_seen on; makes_process: in a new process in the pid
 * namespace that was set for children, and ends itself. Never returns. An error lies in
 * c->status: its err, or last_failed. */
void stage_last(struct plan_ctx *c, const struct stage_options *options, bool makes_process) __attribute__((noreturn));

/* Others can see the process before it is the program: its pid namespace is theirs, or may
 * become so while it waits for start. */
bool stage_last_is_watched(const struct plan *plan);

/* signals_end_first_process() for a process that will run them, also while nothing else is
 * mapped. 0 or -errno. */
int stage_last_take_signals(struct plan_ctx *c);

/* The listener of a seccomp profile is sent in them. */
bool stage_last_has_notify(const struct plan *plan);

/* The process that knarr:[join] makes does nothing before stage_continue(): its number goes into
 * the state, its scheduler is set from outside, or what it sends goes on with its number. */
bool stage_last_waits_for_runtime(const struct plan *plan);

/* What failed in the last steps of status: 0 if none did, else its -errno with err. */
int stage_last_error(const struct stage_status *status, struct err *err);

#endif
