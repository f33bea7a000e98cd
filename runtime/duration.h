/* Durations on the command line. */
#ifndef KNARR_RUNTIME_DURATION_H
#define KNARR_RUNTIME_DURATION_H

#include <stdint.h>

/* As Go's time.ParseDuration takes them: "5s", "1m30s", "1.5h", "250ms" (units h, m,
 * s, ms, us, ns), or a whole number of seconds. 0 and *ret_ms, at least 1, cut to
 * milliseconds; -EINVAL when it is none, or not above 0, or more than 24 days. */
int duration_parse(const char *text, int64_t *ret_ms);

#endif
