/* Theory of operation: the C library knows one other way, and takes it after ENOSYS
 * alone. A seccomp profile that is older than faccessat2(2) (Linux 5.8) answers EPERM
 * (Docker before 20.10.10), which as an answer would mean that nothing can be
 * executed. EPERM of the kernel itself is rare (writing to an immutable file), and the
 * other way says it again. */
#include "base/access.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
access_check(int dirfd, const char *path, int mode)
{
	if (syscall(SYS_faccessat2, dirfd, path, mode, AT_EACCESS) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	return syscall(SYS_faccessat, dirfd, path, mode) == 0 ? 0 : -errno;
}
