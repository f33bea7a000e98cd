/* The lines of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
#ifndef KNARR_BASE_MOUNTINFO_H
#define KNARR_BASE_MOUNTINFO_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct mountinfo_line {
	uint64_t id;
	char *root, *point, *type, *options; /* unescaped; options: of the superblock */
};

struct mountinfo {
	struct mountinfo_line *lines;
	size_t n;
};

/* pid 0: of the calling process. Memory from a. 0 or -errno with err. */
int mountinfo_read(pid_t pid, struct arena *a, struct err *err, struct mountinfo *ret_info);

/* NULL: none. */
const struct mountinfo_line *mountinfo_find(const struct mountinfo *m, uint64_t id);

#endif
