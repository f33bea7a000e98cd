/* Words of a printed plan: " name=value", in the order of the calls. For
 * plan_print.c and plan_print_step.c only. What is empty (no string, no bits, false)
 * prints nothing. */
#ifndef KNARR_PLAN_PLAN_PUT_H
#define KNARR_PLAN_PLAN_PUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "plan/bit_names.h"
#include "plan/plan.h"

struct plan_printer {
	const struct plan *p;
	FILE *out;
};

/* Text as it is: printf(3). */
void plan_put(struct plan_printer *printer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A string in quotes, with control bytes, quotes and backslashes escaped; and alone on
 * a line after prefix, without quotes. */
void plan_put_quoted(struct plan_printer *printer, const char *text);
/* The end of a line: "  # PROPERTY", in which names may be the config's. */
void plan_put_what(struct plan_printer *printer, plan_str what);

void plan_put_line(struct plan_printer *printer, const char *prefix, const char *line);

/* A string, a list of them in brackets, and a name alone. */
void plan_put_str(struct plan_printer *printer, const char *name, plan_str text);
void plan_put_list(struct plan_printer *printer, const char *name, struct plan_strv vector);
void plan_put_flag(struct plan_printer *printer, const char *name, bool on);

/* Bits by their names; those without one as a number. */
void plan_put_names(struct plan_printer *printer, const char *name, uint64_t bits, const struct bit_name *names);

/* Attributes of attrs mount, under the two names of what is set and what is cleared. */
void plan_put_attrs(struct plan_printer *printer, const char *set, const char *clear, struct plan_attrs attrs);

/* "propagation=" and MS_SHARED … by their names. */
void plan_put_propagation(struct plan_printer *printer, uint32_t flags);

/* Mode, number and owner of a device node. */
void plan_put_node(struct plan_printer *printer, const struct plan_device *device);

/* The values of sched_setattr(2). */
void plan_print_scheduler(struct plan_printer *printer, const struct plan_scheduler *scheduler);

/* The line of a step, from 1; its alternate follows on a line of its own. prefix: before
 * the number, for that second line. */
void plan_print_step(struct plan_printer *printer, const char *prefix, uint32_t number, const struct plan_step *step);

#endif
