/* Texts of /proc/PID that several modules read. Nothing here allocates. */
#ifndef KNARR_BASE_PROC_TEXT_H
#define KNARR_BASE_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The field of /proc/PID/stat with that number, counted as in proc(5), from 3 on; NULL: there are not
 * so many. The second is the name in parentheses, which may hold blanks and parentheses itself. */
const char *proc_stat_field(const char *text, unsigned number);

/* The path of cgroup v2 in /proc/PID/cgroup, the line "0::/a/b", as a pointer into text with
 * *ret_len; NULL: none. */
const char *proc_cgroup(const char *text, size_t *ret_len);

/* What uid_map or gid_map, lines of "INSIDE OUTSIDE COUNT", makes of an id inside. False: it
 * is not mapped. */
bool proc_map_id(const char *text, uint32_t inside, uint32_t *ret_outside);

#endif
