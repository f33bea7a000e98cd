/* Statistics of several containers as a table for people. */
#ifndef KNARR_RUNTIME_STATS_TABLE_H
#define KNARR_RUNTIME_STATS_TABLE_H

#include "libcontainer/stats.h"

/* previous: an earlier reading, for CPU use; a container that is not in it has a
 * dash there. Memory from a. */
const char *stats_table(struct arena *a, const struct container_stats *now, size_t n,
			const struct container_stats *previous, size_t n_previous);

#endif
