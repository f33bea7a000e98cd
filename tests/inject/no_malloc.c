/* Preloaded into knarr by the tests: any use of the allocator in a process other
 * than the one that loaded this library ends that process with a message. The
 * container's init shares the library from clone to execve, so a container that
 * runs under it proves that the init allocates nothing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static pid_t owner;

__attribute__((constructor)) static void
remember_owner(void)
{
	owner = getpid();
}

static void
check(const char *name)
{
	if (!owner || getpid() == owner)
		return;
	if (write(2, "no_malloc: the child called ", 28) < 0 || write(2, name, strlen(name)) < 0 ||
	    write(2, "\n", 1) < 0)
		_exit(98);
	_exit(99);
}

void *
malloc(size_t size)
{
	check("malloc");
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	check("calloc");
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	check("realloc");
	return __libc_realloc(p, size);
}

void
free(void *p)
{
	check("free");
	__libc_free(p);
}
