/* Numbers on the command line. */
#ifndef KNARR_RUNTIME_NUMBER_H
#define KNARR_RUNTIME_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number in [min, max], with a sign when min allows; suffixes: k, m, g, t
 * (of 1024), with a B or iB behind or not. 0, -EINVAL or -ERANGE. */
int number_parse(const char *text, int64_t min, int64_t max, bool suffixes, int64_t *ret_value);

/* The len bytes of text: a decimal number below 2^32-1, which is "no id" to the
 * kernel; what strtoul(3) makes of "", "-1", " 1" or 2^32 would be root or another. */
bool number_parse_id(const char *text, size_t len, uint32_t *ret_id);

#endif
