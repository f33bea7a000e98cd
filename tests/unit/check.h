/* How a unit test checks, and goes on after what is false.
 *
 *    CHECK(r == 0);
 *    CHECK(r == 0, "row %zu: %s", i, e.msg);
 *
 * print file, line and the condition, with what the format says, and set `failed`.
 * main() ends with `return failed;`. Without root, or whatever else it needs, it
 * prints "SKIP: reason" and returns SKIP. */
#ifndef KNARR_TESTS_UNIT_CHECK_H
#define KNARR_TESTS_UNIT_CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SKIP 77 /* automake's word for a test that could not be made */

static int failed;

static inline void check_failed(const char *file, int line, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static inline void
check_failed(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	printf("%s:%d: %s", file, line, what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failed = 1;
}

#define CHECK(condition, ...)                                                                                          \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			check_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__);                                 \
	} while (0)

/* What the rest of a test cannot do without. */
#define NEED(condition, ...)                                                                                           \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			check_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__);                                 \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
