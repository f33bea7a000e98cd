/* The name of a process is its own choice: what follows it is found from the last parenthesis
 * on, since nothing behind the name has one. */
#include "base/proc_text.h"

#include <stdlib.h>
#include <string.h>

#define STAT_AFTER_NAME 3

const char *
proc_stat_field(const char *text, unsigned number)
{
	const char *p = strrchr(text, ')');

	for (unsigned field = STAT_AFTER_NAME; p && field <= number; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p;
}

const char *
proc_cgroup(const char *text, size_t *ret_len)
{
	const char *line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");

	if (!line)
		return NULL;
	line += *line == '\n' ? 4 : 3;
	if (*line != '/')
		return NULL;
	*ret_len = strcspn(line, "\n");
	return line;
}

bool
proc_map_id(const char *text, uint32_t inside, uint32_t *ret_outside)
{
	for (;;) {
		unsigned long v[3];
		char *end;

		for (int i = 0; i < 3; i++) {
			v[i] = strtoul(text, &end, 10);
			if (end == text)
				return false;
			text = end;
		}
		if (inside >= v[0] && inside - v[0] < v[2]) {
			*ret_outside = (uint32_t)(v[1] + (inside - v[0]));
			return true;
		}
	}
}
