/* The first chunk has 16 KiB, the next 256, and from there they double; a request that
 * does not fit the newest chunk opens another. The first one is cleared as it is given away and not before: a
 * short command never touches most of it, and each page of it that is touched is a page fault. A larger one
 * calloc(3) takes from the kernel, zeroed, and does not zero it again: with chunks of sizes in between, each run
 * touched some 80 pages that nothing was in. */
#include "base/arena.h"

#include <stdbool.h>
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
	bool clean; /* what is not given away is zero */
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
	bool clean = a->chunks != NULL;
	struct arena_chunk *c;

	if (a->chunks && size < LARGEST_STEP)
		size = size < SECOND_CHUNK ? SECOND_CHUNK : size * 2;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(*c))
		abort();
	clean = clean || size > FIRST_CHUNK;
	c = clean ? calloc(1, sizeof(*c) + size) : malloc(sizeof(*c) + size);
	if (!c)
		abort();
	*c = (struct arena_chunk){ .next = a->chunks, .size = size, .clean = clean };
	a->chunks = c;
	return c;
}

/* Memory with anything in it. */
static void *
take(struct arena *a, size_t size)
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
arena_alloc(struct arena *a, size_t size)
{
	void *p = take(a, size);

	return a->chunks->clean ? p : memset(p, 0, size);
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
	char *p = take(a, n + 1);

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
	p = take(a, (size_t)n + 1);
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
	char *p = take(a, new_size);
	size_t kept = !old ? 0 : old_size < new_size ? old_size : new_size;

	if (kept > 0)
		memcpy(p, old, kept);
	if (!a->chunks->clean)
		memset(p + kept, 0, new_size - kept);
	return p;
}
