/* Where the runtime's executable is mapped. Internal to exe_guard.h. */
#ifndef KNARR_LIBCONTAINER_EXE_GUARD_MAPS_H
#define KNARR_LIBCONTAINER_EXE_GUARD_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct exe_range {
	uintptr_t start;
	size_t len;
	uint64_t offset; /* in the file */
	int prot;	 /* PROT_* */
	bool as_in_file; /* nothing was ever written there */
};

#define EXE_RANGES_MAX 16

/* Fills ranges[EXE_RANGES_MAX] with the mappings of the file that /proc/self/exe
 * names. Allocates nothing. Returns how many, or -errno with err. */
int exe_guard_find_ranges(const char *exe, struct exe_range *ranges, struct err *err);

#endif
