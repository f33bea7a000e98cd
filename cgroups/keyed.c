/* The formats are those of the kernel's
 * Documentation/admin-guide/cgroup-v2.rst, "Format". Keys may be added by later
 * kernels anywhere, so nothing here counts lines. */
#include "cgroups/keyed.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

/* memory.stat, the longest one, has some 2 KB. */
#define FILE_MAX 8192

static int
parse_number(const char *text, uint64_t *ret_value)
{
	if (!strncmp(text, "max", 3)) {
		*ret_value = KEYED_MAX;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EBADMSG;
	*ret_value = strtoull(text, NULL, 10);
	return 0;
}

int
keyed_read_number(int dirfd, const char *file, uint64_t *ret_value)
{
	char text[64];
	ssize_t n = fd_read_record_at(dirfd, file, text, sizeof(text));

	return n < 0 ? (int)n : parse_number(text, ret_value);
}

bool
keyed_find(const char *text, const char *key, uint64_t *ret_value)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, key, n) && line[n] == ' ')
			return parse_number(line + n + 1, ret_value) == 0;
	return false;
}

int
keyed_read(int dirfd, const char *file, const char *key, uint64_t *ret_value)
{
	char text[FILE_MAX];
	ssize_t n = fd_read_record_at(dirfd, file, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return keyed_find(text, key, ret_value) ? 0 : -ENODATA;
}

const char *
keyed_in_line(const char *line, const char *key)
{
	size_t n = strlen(key);

	while (*line && *line != '\n') {
		size_t word = strcspn(line, " \n");

		if (word > n && !strncmp(line, key, n) && line[n] == '=')
			return line + n + 1;
		line += word;
		line += strspn(line, " ");
	}
	return NULL;
}
