/* Statistics in Prometheus' text format, for the textfile collector of node_exporter. */
#ifndef KNARR_RUNTIME_STATS_PROMETHEUS_H
#define KNARR_RUNTIME_STATS_PROMETHEUS_H

#include <time.h>

#include "libcontainer/stats.h"

/* All metrics of n containers; now: the time of the reading. Memory from a. */
const char *stats_prometheus(struct arena *a, const struct container_stats *list, size_t n, time_t now);

/* A label's value with backslash, quote and line end escaped, and U+FFFD for what is
 * not UTF-8. In a. */
const char *stats_prometheus_escape(struct arena *a, const char *value);

#endif
