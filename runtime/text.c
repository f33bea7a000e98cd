/* The room doubles, so that adding many small
 * pieces stays cheap. */
#include "runtime/text.h"

#include <stdio.h>
#include <stdlib.h>

void
text_add(struct text *text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if (text->len + (size_t)n + 1 > text->cap) {
		size_t cap = 2 * text->cap + (size_t)n + 256;

		text->s = arena_grow(text->arena, text->s, text->len, cap);
		text->cap = cap;
	}
	va_start(ap, fmt);
	text->len += (size_t)vsnprintf(text->s + text->len, text->cap - text->len, fmt, ap);
	va_end(ap);
}

const char *
text_get(const struct text *text)
{
	return text->s ? text->s : "";
}
