/* A text that is put together piece by piece in an arena. */
#ifndef KNARR_RUNTIME_TEXT_H
#define KNARR_RUNTIME_TEXT_H

#include <stddef.h>

#include "base/arena.h"

struct text {
	struct arena *arena;
	char *s; /* NUL-terminated; NULL: nothing was added yet */
	size_t len, cap;
};

/* Appends what printf(3) makes of it. */
void text_add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text, valid until the next text_add(); "" when nothing was added. */
const char *text_get(const struct text *text);

#endif
