/* The lines of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
#ifndef KNARR_BASE_MOUNTINFO_H
#define KNARR_BASE_MOUNTINFO_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct mountinfo_line {
	uint64_t id; /* of the mount, as statx(2) and fdinfo have it (mnt_id) */
	char *root;  /* what of the file system is mounted: "/" or a path in it */
	char *point; /* where, from the root of the process */
	char *type;
	char *options; /* of the superblock, not of the mount */
};

struct mountinfo {
	struct mountinfo_line *lines;
	size_t n;
};

/* All mounts that the process sees; pid 0: the calling one. root and point are
 * unescaped. Memory from a. 0 or -errno with err. */
int mountinfo_read(pid_t pid, struct arena *a, struct err *err, struct mountinfo *ret_info);

/* The same from a text, which is cut into pieces that the lines point at. */
void mountinfo_parse(char *text, struct arena *a, struct mountinfo *ret_info);

/* A path as the kernel writes it there, "\\040" for a blank, becomes the path itself, in place.
 * A backslash without three octal digits stays one. Allocates nothing. */
void mountinfo_unescape(char *text);

/* The mount of that id; NULL: none. */
const struct mountinfo_line *mountinfo_find(const struct mountinfo *info, uint64_t id);

#endif
