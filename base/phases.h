/* Where the time of a command goes (--trace-phases): the phases of the runtime, one after the
 * other, and the steps of a plan in its child. Without phases_begin() nothing is noted, and each
 * call is a look at a pointer. */
#ifndef KNARR_BASE_PHASES_H
#define KNARR_BASE_PHASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t phases_clock(void);

/* From now on it is noted; began: when the first phase, "command line", did. Children made by
 * clone or fork note in the same memory. 0, or -errno with err. */
int phases_begin(uint64_t began, struct err *err);

/* The phase before ends, and this one begins. name: not copied; what the reader is told. */
void phases_enter(const char *name);

/* In the child: what phases_step_end() is to be given; 0 if nothing is noted. */
uint64_t phases_step_begin(void);

/* In the child: step `index` of the plan, which began then, has ended. */
void phases_step_end(uint32_t index, uint64_t began);

/* Whether steps should be named. */
bool phases_are_noted(void);

/* names: of the n steps of the plan; not copied. */
void phases_name_steps(const char *const *names, size_t n);

/* Ends the last phase and prints all on standard error. */
void phases_print(void);

#endif
