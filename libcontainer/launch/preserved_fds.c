/* The init closes what it does not pass on before it looks at anything of the
 * container's, and tells its own descriptors from the caller's by their number
 * alone. A gap among the caller's would therefore be filled by one of the
 * runtime's, which the container could then reach through /proc/self/fd. Callers
 * that pass more than they opened exist (crun lets them): their gaps are filled
 * with descriptors that lead nowhere. */
#include "libcontainer/launch/preserved_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

enum { FIRST = 3, MAX_LISTEN_FDS = 1024 };

unsigned
preserved_fds_from_environment(void)
{
	/* sd_listen_fds(3): meant for us only when LISTEN_PID is ours. runc's callers
	 * set LISTEN_FDS alone. */
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	char *end;
	unsigned long n;

	if (!fds || !*fds || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	n = strtoul(fds, &end, 10);
	return *end || n > MAX_LISTEN_FDS ? 0 : (unsigned)n;
}

static int
fill_gap(int fd, struct err *err)
{
	int null = open("/dev/null", O_PATH | O_CLOEXEC);

	if (null == fd)
		return 0;
	if (null < 0 || dup3(null, fd, O_CLOEXEC) < 0) {
		int code = errno;

		fd_close(null);
		return err_set(err, code, "preserved descriptor %d", fd);
	}
	fd_close(null);
	return 0;
}

/* What closes on execve was opened here. */
static void
empty_gaps(int end)
{
	for (int fd = FIRST; fd < end; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && (flags & FD_CLOEXEC))
			close(fd);
	}
}

int
preserved_fds_reserve(unsigned count, struct err *err)
{
	unsigned missing = 0;
	int first_missing = -1;

	for (unsigned i = 0; i < count; i++) {
		int fd = (int)(FIRST + i), r;
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && (flags & FD_CLOEXEC))
			return err_set(err, EBADF, "preserved descriptor %d is not open, and now the runtime's log",
				       fd);
		if (flags >= 0)
			continue;
		r = fill_gap(fd, err);
		if (r < 0) {
			empty_gaps(fd);
			return r;
		}
		if (missing++ == 0)
			first_missing = fd;
	}
	if (missing)
		log_warning("%u of %u preserved descriptors are not open, the first is %d", missing, count,
			    first_missing);
	return 0;
}
