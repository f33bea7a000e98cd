/* The init's half of the stage: see stage.h. For the files of the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_CHILD_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_CHILD_H

#include "libcontainer/stage/stage.h"

/* Flags for the clone that makes the init: new namespaces, less those that it
 * must unshare itself. */
uint64_t stage_child_clone_flags(const struct plan *plan);

/* True when the init begins by waiting for STAGE_MAPPED. */
bool stage_child_waits(const struct plan *plan);

/* Body of the init: never returns. */
void stage_child(struct plan_ctx *c, const struct stage_options *options) __attribute__((noreturn));

/* Body of knarr:[join]: enters the namespaces of the plan and clones the init; returns only in
 * that (so that stage_child() follows). Where the pid namespace is entered last, it does the
 * init's set-up itself, and never returns. */
void stage_child_join(struct plan_ctx *c, const struct stage_options *options);

/* exec, in knarr:[join]: enters the container, all but its pid namespace, in which only
 * what is cloned will be. 0 or -errno with c->err. */
int stage_enter(struct plan_ctx *c);

#endif
