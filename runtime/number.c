/* Neither takes what strtol(3) takes without a word: blanks, "+", nothing at all, the rest of a
 * word. */
#include "runtime/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
number_parse(const char *text, int64_t min, int64_t max, bool suffixes, int64_t *ret_value)
{
	static const char units[] = "kmgt";
	const char *unit;
	long long v;
	char *end;

	if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
		return -EINVAL;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (suffixes && *end && (unit = strchr(units, tolower((unsigned char)*end)))) {
		for (ptrdiff_t i = unit - units; i >= 0; i--)
			if (__builtin_mul_overflow(v, 1024, &v))
				return -ERANGE;
		end++;
		end += *end == 'i' && (end[1] == 'b' || end[1] == 'B');
	}
	if (suffixes && (*end == 'b' || *end == 'B'))
		end++;
	if (*end || v < min || v > max)
		return -EINVAL;
	*ret_value = v;
	return 0;
}

bool
number_parse_id(const char *text, size_t len, uint32_t *ret_id)
{
	uint64_t id = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		id = id * 10 + (uint64_t)(text[i] - '0');
	}
	if (id >= UINT32_MAX)
		return false;
	*ret_id = (uint32_t)id;
	return true;
}
