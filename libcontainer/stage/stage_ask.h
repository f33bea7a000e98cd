/* What the init says to the runtime, and waits for: the init's side of the channel. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_ASK_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_ASK_H

#include "libcontainer/stage/stage.h"

/* Every message is one of these; fixed size, so nothing can overflow. */
struct stage_packet {
	uint32_t message; /* enum stage_message */
	int32_t value;
};

/* Sends message (and fd, if not -1) over PLAN_FD_CHANNEL; answer: the message to
 * wait for, or STAGE_NONE. Allocates nothing. 0 or -errno with c->err. */
int stage_ask(struct plan_ctx *c, enum stage_message message, int32_t value, int fd, enum stage_message answer);

/* Sends the master of the console to the runtime. */
int stage_send_console(struct plan_ctx *c, int master);

/* Waits for the message `wanted` of the runtime; its end, or any other message, is an
 * error. 0 or -errno with c->err. */
int stage_await(struct plan_ctx *c, enum stage_message wanted);

/* The same for any message. */
int stage_await_any(struct plan_ctx *c, enum stage_message *ret_message);

/* The init dies with the runtime from here on, and ends if that is gone already. What
 * changes ids takes this back. 0 or -errno with c->err. */
int stage_die_with_runtime(struct plan_ctx *c);

/* The init outlives the runtime (or start) from here on. For the last moment before the
 * program: an error when that is gone already. 0 or -errno with c->err. */
int stage_outlive_runtime(struct plan_ctx *c);

/* Tells the runtime that the set-up failed with c->err, and exits. Until then nobody else reads
 * that error, which a step may be allowed. */
void stage_fail(struct plan_ctx *c) __attribute__((noreturn));

#endif
