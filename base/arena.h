/* A region of memory that is freed at once. The parsed spec and the plan under
 * construction live in one; nothing in it is freed alone. Out of memory aborts:
 * arenas exist in the parent only, before anything outside was touched. */
#ifndef KNARR_BASE_ARENA_H
#define KNARR_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first; NULL: empty */
};

/* `auto_arena struct arena a = { 0 };` frees itself at the end of the scope. */
void arena_free(struct arena *a);
#define auto_arena __attribute__((cleanup(arena_free)))

/* size zeroed bytes, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2)));

/* n zeroed objects of size bytes; aborts when n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(2, 3)));

/* Copies n bytes, which all must be readable (not as strndup(3)), and adds a NUL. */
char *arena_strndup(struct arena *a, const char *text, size_t n) __attribute__((malloc, returns_nonnull));
/* Copies a string. */
char *arena_strdup(struct arena *a, const char *s) __attribute__((malloc, returns_nonnull));

/* printf(3) into the arena. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0), returns_nonnull));

/* Copies an old block of old_size bytes into a new one of new_size bytes, whose rest
 * is zero (for arrays that grow by doubling). old may be NULL; it is not freed. */
void *arena_grow(struct arena *a, const void *old, size_t old_size, size_t new_size)
	__attribute__((malloc, returns_nonnull));

#endif
