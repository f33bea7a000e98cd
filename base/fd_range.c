/* Theory of operation: without close_range(2) (Linux 5.9; old seccomp profiles
 * around knarr answer ENOSYS) the descriptors are closed one by one. Which of them
 * are open could be read in /proc/self/fd, but in a container whose root has
 * changed already that may be a procfs of anybody's or none, and a descriptor
 * that stays open leads out of the container. So all numbers up to a fixed one
 * are tried, which takes some milliseconds, and fd_check_range() makes sure at
 * the start, in the runtime's own /proc, that the caller left none open beyond.
 * The runtime's own are the lowest free numbers: MARGIN is more than it opens. */
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

int
fd_close_range(unsigned first, unsigned last, bool cloexec)
{
	if (first > last || syscall(SYS_close_range, first, last, cloexec ? CLOSE_RANGE_CLOEXEC : 0) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	for (unsigned fd = first; fd <= last && fd <= LAST_FD; fd++) {
		if (!cloexec)
			close((int)fd);
		else if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
			return -errno;
	}
	return 0;
}

int
fd_check_range(struct err *err)
{
	struct dirent *d;
	DIR *dir;

	if (syscall(SYS_close_range, UINT_MAX, 0, 0) == 0 || errno != ENOSYS)
		return 0;
	dir = opendir("/proc/self/fd");
	if (!dir)
		return err_set(err, errno, "knarr needs Linux 5.9 (close_range) or '/proc/self/fd'");
	while ((d = readdir(dir))) {
		if (strtoul(d->d_name, NULL, 10) <= LAST_FD - MARGIN)
			continue;
		err_plain(err, "descriptor %s is open: so high a number needs Linux 5.9 (close_range)", d->d_name);
		closedir(dir);
		return -ENOSYS;
	}
	closedir(dir);
	return 0;
}
