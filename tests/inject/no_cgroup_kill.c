/* Preloaded, it hides cgroup.kill, as before Linux 5.14, and appends a byte to the file
 * KNARR_HIDDEN, if that is set, each time. Both names under which a program may have
 * openat() are exchanged. */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __openat_2(int dirfd, const char *path, int flags);

int
__openat_2(int dirfd, const char *path, int flags)
{
	return openat(dirfd, path, flags);
}

static void
count(void)
{
	const char *path = getenv("KNARR_HIDDEN");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (write(fd, ".", 1) < 0)
		abort();
	close(fd);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	int (*real)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat");
	mode_t mode;
	va_list list;

	va_start(list, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	if (strcmp(path, "cgroup.kill") == 0) {
		count();
		errno = ENOENT;
		return -1;
	}
	return real(dirfd, path, flags, mode);
}
