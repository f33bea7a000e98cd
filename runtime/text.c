/* Theory of operation: see text.h. The room doubles, so that adding many small
 * pieces stays cheap. */
#include "runtime/text.h"

#include <stdio.h>
#include <stdlib.h>

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if (t->len + (size_t)n + 1 > t->cap) {
		size_t cap = 2 * t->cap + (size_t)n + 256;

		t->s = arena_grow(t->arena, t->s, t->len, cap);
		t->cap = cap;
	}
	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->s + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
}

const char *
text_get(const struct text *t)
{
	return t->s ? t->s : "";
}
