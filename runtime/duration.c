/* Sums up in nanoseconds, so that fractions
 * need no floating point. */
#include "runtime/duration.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NSEC_PER_MSEC 1000000ULL
#define MAX_NSEC      (24ULL * 24 * 3600 * 1000 * NSEC_PER_MSEC)

static const struct {
	const char *name;
	uint64_t nsec;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", NSEC_PER_MSEC },
	{ "s", 1000000000ULL },
	{ "m", 60000000000ULL },
	{ "h", 3600000000000ULL },
};

/* 0: no such unit. */
static uint64_t
take_unit(const char **text)
{
	size_t len = 0;

	while (isalpha((unsigned char)(*text)[len]))
		len++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == len && !memcmp(units[i].name, *text, len)) {
			*text += len;
			return units[i].nsec;
		}
	return 0;
}

/* Digits as a number below MAX_NSEC. */
static int
take_number(const char **text, uint64_t *ret_value)
{
	uint64_t v = 0;

	for (; isdigit((unsigned char)**text); (*text)++) {
		v = v * 10 + (uint64_t)(**text - '0');
		if (v > MAX_NSEC)
			return -EINVAL;
	}
	*ret_value = v;
	return 0;
}

/* "1.5h" */
static int
take_part(const char **text, uint64_t *sum)
{
	const char *fraction = NULL, *start = *text;
	uint64_t whole, unit, part;

	if (take_number(text, &whole) < 0)
		return -EINVAL;
	if (**text == '.') {
		fraction = ++*text;
		*text += strspn(*text, "0123456789");
	}
	/* A digit somewhere: "." and "s" are none. */
	if (*text == start || (fraction && fraction - start == 1 && *text == fraction))
		return -EINVAL;
	if (!**text && !fraction && !*sum && whole > 0)
		unit = units[3].nsec;
	else
		unit = take_unit(text);
	if (unit == 0 || __builtin_mul_overflow(whole, unit, &part) || part > MAX_NSEC)
		return -EINVAL;
	*sum += part;
	for (uint64_t scale = unit / 10; fraction && isdigit((unsigned char)*fraction); scale /= 10)
		*sum += (uint64_t)(*fraction++ - '0') * scale;
	return *sum > MAX_NSEC ? -EINVAL : 0;
}

int
duration_parse(const char *text, int64_t *ret_ms)
{
	uint64_t sum = 0;

	do
		if (take_part(&text, &sum) < 0)
			return -EINVAL;
	while (*text);
	if (sum == 0)
		return -EINVAL;
	*ret_ms = sum < NSEC_PER_MSEC ? 1 : (int64_t)(sum / NSEC_PER_MSEC);
	return 0;
}
