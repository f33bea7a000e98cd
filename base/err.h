/* The one error type of knarr.
 *
 * An error is a value owned by the caller: never heap, no pointers, so that
 * the container's init can leave it in shared memory for the runtime to read.
 * The leaf that fails says what it tried, with its object ("mount 'proc' on
 * '/proc'"); a caller may put one prefix in front. The reason (the errno text)
 * is kept apart in `code` and is added only when the error is printed. */
#ifndef KNARR_BASE_ERR_H
#define KNARR_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

#define ERR_MSG_MAX 1016

/* err.step when the error did not come from a step of a plan. */
#define ERR_NO_STEP UINT16_MAX

struct err {
	int32_t code;  /* errno (positive); 0: the message says it all */
	uint16_t step; /* index of the plan's step, or ERR_NO_STEP */
	uint16_t reserved;
	char msg[ERR_MSG_MAX];
};

/* Empties err: no code, no step, no message. */
void err_clear(struct err *err);

/* Fills err with the formatted message, cut to ERR_MSG_MAX, and the reason `code` (a
 * positive errno); err->step stays. Allocates nothing. Returns -code. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Fills err with a message that needs no errno text (a bad value in a config, an
 * unknown container). Returns -EINVAL. */
int err_plain(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " in front of the message of err, cutting its tail if it grows
 * too long. Returns -code, or -EINVAL for a plain error. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes "message: reason" into buf (cut to size, always terminated). The
 * reason is the errno text with a small first letter, as the callers of OCI
 * runtimes match it ("no such file or directory"). Returns buf. */
const char *err_format(const struct err *err, char *buf, size_t size);

/* The errno text with a small first letter; "error N" for an unknown number.
 * The string is static, and the next call writes over it. Never allocates. */
const char *err_reason(int code);

/* Where errors go that shall not end the work, for one who wants to hear of all of them. */
struct err_sink {
	void (*take)(struct err_sink *sink, const struct err *e);
};

/* code, unless it says that err is an error and there is a sink (not NULL): then the sink takes
 * err, which is empty afterwards, and the work goes on: 0. */
int err_hand_over(struct err_sink *sink, struct err *err, int code);

#endif
