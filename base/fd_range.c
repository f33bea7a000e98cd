/* Theory of operation: without close_range(2) (Linux 5.9; old seccomp profiles
 * around knarr answer ENOSYS or EPERM, which the call itself never does) the descriptors are closed one by one. Which
 * of them are open could be read in /proc/self/fd, but in a container whose root has changed already that may be a
 * procfs of anybody's or none, and a descriptor that stays open leads out of the container. So all numbers up to a
 * fixed one are tried, which takes some milliseconds, and fd_check_range() makes sure at the start, in the runtime's
 * own /proc, that the caller left none open beyond. The runtime's own are the lowest free numbers: MARGIN is more than
 * it opens. */
#include "base/fd_range.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_FD 16383U
#define MARGIN	4096U

/* 0 when fd is closed now, or was: close(2) says after it that data could not be written. */
static int
close_one(int fd)
{
	static const int closed[] = { EBADF, EINTR, EIO, ENOSPC, EDQUOT };

	if (close(fd) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		if (errno == closed[i])
			return 0;
	return -errno;
}

int
fd_close_range(unsigned first, unsigned last, bool cloexec)
{
	if (first > last || syscall(SYS_close_range, first, last, cloexec ? CLOSE_RANGE_CLOEXEC : 0) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	for (unsigned fd = first; fd <= last && fd <= LAST_FD; fd++) {
		int r = !cloexec ? close_one((int)fd) : fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;

		if (r < 0 && r != -EBADF)
			return r;
	}
	return 0;
}

int
fd_check_range(struct err *err)
{
	struct dirent *d;
	DIR *dir;

	if (syscall(SYS_close_range, UINT_MAX, 0, 0) == 0 || (errno != ENOSYS && errno != EPERM))
		return 0;
	dir = opendir("/proc/self/fd");
	if (!dir)
		return err_set(err, errno, "knarr needs Linux 5.9 (close_range) or '/proc/self/fd'");
	while ((d = readdir(dir))) {
		if (strtoul(d->d_name, NULL, 10) <= LAST_FD - MARGIN)
			continue;
		err_plain(err, "descriptor %s is open: a number that high needs Linux 5.9 (close_range)", d->d_name);
		closedir(dir);
		return -ENOSYS;
	}
	closedir(dir);
	return 0;
}
