/* pidfd_open(2), whose errors for a number that names something else than a process become
 * one. */
#include "base/process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

int
process_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		return fd;
	/* A number outlives its process as the id of a session or a process group (EINVAL
	 * up to Linux 6.15), and may be a thread's by now (EINVAL, since then ENOENT). With
	 * these arguments neither error has another meaning. */
	return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
}

int
process_wait(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = status;
	return 0;
}

static struct {
	char *start;
	size_t len;
} arguments;

/* The kernel puts all strings into one place, one after the other. */
void
process_remember_arguments(char **argv)
{
	char *end = argv[0];

	arguments.start = end;
	for (char **p = argv; *p && *p == end; p++)
		end += strlen(end) + 1;
	for (char **p = environ; *p && *p == end; p++)
		end += strlen(end) + 1;
	arguments.len = (size_t)(end - arguments.start);
}

void
process_hide_arguments(void)
{
	if (arguments.len > 0)
		memset(arguments.start, 0, arguments.len);
}
