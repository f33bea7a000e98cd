/* Where the runtime's executable, and every other file, is mapped. For exe_guard.c and the
 * stage. */
#ifndef KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_MAPS_H
#define KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_MAPS_H

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

#define EXE_FILES_MAX 160

/* Fills ranges[EXE_FILES_MAX] with all mappings of files, the C library's among them, but
 * the one that begins at except. Allocates nothing. Returns how many, or -errno with err. */
int exe_guard_find_files(const void *except, struct exe_range *ranges, struct err *err);

/* Puts anonymous memory with the same bytes in place of the n mappings, so that they lead
 * to no file. Allocates nothing else. 0 or -errno with err. */
int exe_guard_make_private(const struct exe_range *ranges, size_t n, struct err *err);

#endif
