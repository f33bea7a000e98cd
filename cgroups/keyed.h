/* Files of a cgroup that hold numbers: one alone, "key value" lines, or lines of
 * "name key=value key=value". */
#ifndef KNARR_CGROUPS_KEYED_H
#define KNARR_CGROUPS_KEYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a file with the word "max" counts as. */
#define KEYED_MAX UINT64_MAX

/* A file of one number or "max". 0; -errno; -EBADMSG when it holds neither. */
int keyed_read_number(int dirfd, const char *file, uint64_t *ret_value);

/* The value behind key in a file of "key value" lines. 0; -errno; -ENODATA when
 * there is no such key. */
int keyed_read(int dirfd, const char *file, const char *key, uint64_t *ret_value);

/* The same in a text that was read. False: no such key, or no number behind it. */
bool keyed_find(const char *text, const char *key, uint64_t *ret_value);

/* In the line at `line` ("8:0 rbytes=1 wbytes=2"), the value behind "key=" as
 * text, up to a blank or the line's end; NULL: no such key. */
const char *keyed_in_line(const char *line, const char *key);

#endif
