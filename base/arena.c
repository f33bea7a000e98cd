/* The first chunk has 16 KiB, the next 256, and from there they double; a request that
 * does not fit the newest chunk opens another. The C library takes so large a chunk from the
 * kernel, zeroed, and does not zero it again, so that only the pages that are used cost something:
 * with chunks in between, each run touched some 80 pages that nothing was in. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK  ((size_t)16 * 1024)
#define SECOND_CHUNK ((size_t)256 * 1024)
#define LARGEST_STEP ((size_t)1024 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	max_align_t data[];
};

void
arena_free(struct arena *a)
{
	struct arena_chunk *c = a->chunks;

	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
	a->chunks = NULL;
}

static struct arena_chunk *
add_chunk(struct arena *a, size_t need)
{
	size_t size = a->chunks ? a->chunks->size : FIRST_CHUNK;
	struct arena_chunk *c;

	if (a->chunks && size < LARGEST_STEP)
		size = size < SECOND_CHUNK ? SECOND_CHUNK : size * 2;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(*c))
		abort();
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		abort();
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *c = a->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + align - 1) / align * align;
	if (!c || c->size - c->used < size)
		c = add_chunk(a, size);
	p = (char *)c->data + c->used;
	c->used += size;
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	return arena_alloc(a, total);
}

char *
arena_strndup(struct arena *a, const char *text, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, text, n);
	p[n] = '\0';
	return p;
}

char *
arena_strdup(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strlen(text));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *
arena_grow(struct arena *a, const void *old, size_t old_size, size_t new_size)
{
	void *p = arena_alloc(a, new_size);

	if (old)
		memcpy(p, old, old_size < new_size ? old_size : new_size);
	return p;
}
