/* The decimal is cut and not rounded, so
 * that what stands there is never more than there is. */
#include "base/size_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *
size_text(uint64_t bytes, char *buf)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned u = 0;
	uint64_t unit = 1, tenths;

	while (bytes / unit >= 1024) {
		unit *= 1024;
		u++;
	}
	/* Below 2^60, so the product fits. */
	tenths = bytes % unit * 10 / unit;
	if (tenths == 0)
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 " %s", bytes / unit, units[u]);
	else
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 ".%" PRIu64 " %s", bytes / unit, tenths, units[u]);
	return buf;
}
