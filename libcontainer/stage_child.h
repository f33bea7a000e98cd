/* The init's half of the stage: see stage.h. For the files of the stage only. */
#ifndef KNARR_LIBCONTAINER_STAGE_CHILD_H
#define KNARR_LIBCONTAINER_STAGE_CHILD_H

#include "libcontainer/stage.h"

/* Every message is one of these; fixed size, so nothing can overflow. */
struct stage_packet {
	uint32_t message; /* enum stage_message */
	int32_t value;
};

/* Flags for the clone that makes the init: new namespaces, less those that it
 * must unshare itself. */
uint64_t stage_child_clone_flags(const struct plan *p);

/* True when the init begins by waiting for STAGE_MAPPED. */
bool stage_child_waits(const struct plan *p);

/* Body of the init: never returns. */
void stage_child(struct plan_ctx *c, struct stage_status *status, const struct stage_options *o)
	__attribute__((noreturn));

/* Body of knarr:[join]: enters the namespaces of the plan and clones the init;
 * returns only in that (so that stage_child() follows). */
void stage_join(struct plan_ctx *c, struct stage_status *status);

/* exec, in knarr:[join]: what comes before the process is made and can be seen in
 * the container. 0 or -errno with c->err. */
int stage_enter(struct plan_ctx *c);

#endif
