/* malloc() and its kin count and then call glibc's own by their internal names. */
#include "tests/unit/heap_count.h"

#include <stddef.h>

bool heap_counting;
unsigned heap_calls;

#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define HEAP_IS_TAKEN
#endif
#endif
#ifdef __SANITIZE_ADDRESS__ /* gcc */
#define HEAP_IS_TAKEN
#endif

#if defined(__GLIBC__) && !defined(HEAP_IS_TAKEN)
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *
malloc(size_t size)
{
	heap_calls += heap_counting;
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	heap_calls += heap_counting;
	return __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	heap_calls += heap_counting;
	return __libc_realloc(old, size);
}
#endif
