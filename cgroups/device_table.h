/* Device rules as what they come to: which accesses each device number allows. Pure. */
#ifndef KNARR_CGROUPS_DEVICE_TABLE_H
#define KNARR_CGROUPS_DEVICE_TABLE_H

#include <stdint.h>

#include "base/arena.h"
#include "cgroups/device_bpf.h"

/* From this minor number on, up to the next piece. */
struct device_minors {
	uint32_t first;
	uint32_t access; /* allowed */
};

/* The same for major numbers. The pieces of minors begin at 0 and cover all of them;
 * neighbours differ. Majors may share them. */
struct device_majors {
	uint32_t first;
	const struct device_minors *minors;
	size_t n;
};

struct device_table {
	struct device_majors *majors; /* begins at 0, covers all, neighbours differ */
	size_t n;
};

/* What rules say of devices of one type, 'c' or 'b'. Memory from a. 0, or -E2BIG: more
 * pieces than a program could have. */
int device_table_make(const struct device_rule *rules, size_t n, char type, struct arena *a,
		      struct device_table *ret_table);

bool device_table_equal(const struct device_table *left, const struct device_table *right);

#endif
