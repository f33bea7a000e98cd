/* Counts what a test allocates: malloc() and its kin, in the place of libc's. With another
 * libc than glibc, or an address sanitizer, which has its own, nothing is counted. */
#ifndef KNARR_TESTS_UNIT_HEAP_COUNT_H
#define KNARR_TESTS_UNIT_HEAP_COUNT_H

#include <stdbool.h>

extern bool heap_counting; /* set it around what is to be counted */
extern unsigned heap_calls;

#endif
