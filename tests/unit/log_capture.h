/* Takes the place of base/log.c in a test: keeps the lines instead of printing. */
#ifndef KNARR_TESTS_UNIT_LOG_CAPTURE_H
#define KNARR_TESTS_UNIT_LOG_CAPTURE_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static char log_captured[16384]; /* the warnings, one per line */

static void __attribute__((format(printf, 1, 0))) log_capture(const char *fmt, va_list ap)
{
	size_t n = strlen(log_captured);

	if (n + 2 > sizeof(log_captured))
		return;
	vsnprintf(log_captured + n, sizeof(log_captured) - n - 1, fmt, ap);
	n = strlen(log_captured);
	log_captured[n] = '\n';
	log_captured[n + 1] = '\0';
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > LOG_LEVEL_WARNING)
		return;
	va_start(ap, fmt);
	log_capture(fmt, ap);
	va_end(ap);
}

void
log_advice(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_capture(fmt, ap);
	va_end(ap);
}

#endif
