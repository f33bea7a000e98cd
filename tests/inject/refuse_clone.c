/* Preloaded, it answers EAGAIN to each clone3() into a cgroup, as the kernel does when
 * pids.max is reached there, and lets a process wait a while before it opens
 * cgroup.procs for writing. Both are counted as a byte in the file KNARR_REFUSED. */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int __openat_2(int dirfd, const char *path, int flags);

static void
count(const char *byte)
{
	const char *path = getenv("KNARR_REFUSED");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0 || write(fd, byte, 1) < 0)
		abort();
	close(fd);
}

long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list list;

	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	/* knarr asks with other sizes whether there is such a call. */
	if (number == SYS_clone3 && (size_t)a[1] == sizeof(struct clone_args) &&
	    ((const struct clone_args *)a[0])->flags & CLONE_INTO_CGROUP) {
		count("r");
		errno = EAGAIN;
		return -1;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	int (*real)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat");
	const struct timespec pause = { 0, 300 * 1000 * 1000 };
	mode_t mode;
	va_list list;

	va_start(list, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	if (strcmp(path, "cgroup.procs") == 0 && (flags & O_ACCMODE) == O_WRONLY) {
		count("m");
		nanosleep(&pause, NULL);
	}
	return real(dirfd, path, flags, mode);
}

int
__openat_2(int dirfd, const char *path, int flags)
{
	return openat(dirfd, path, flags);
}
