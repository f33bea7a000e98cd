/* Theory of operation: a private copy of the program that even root cannot write to
 * (exe_guard_file.c). The price is the copy and a second start of the program. Arguments
 * come from /proc/self/cmdline, so that no caller has to carry them here. */
#include "libcontainer/process/exe_guard_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/process/exe_guard_file.h"

#define MAX_ARGS ((size_t)4 * 1024 * 1024)

/* The strings of /proc/self/cmdline behind an array of pointers to them, in one
 * block. NULL with err. */
static char **
read_args(struct err *err)
{
	char *data, *copy, **argv;
	size_t len, n = 0, i = 0;
	int r = fd_read_file_at(AT_FDCWD, "/proc/self/cmdline", MAX_ARGS, &data, &len);

	if (r < 0) {
		err_set(err, -r, "read '/proc/self/cmdline'");
		return NULL;
	}
	for (char *p = data; p < data + len; p += strlen(p) + 1)
		n++;
	argv = calloc(1, (n + 1) * sizeof(*argv) + len + 1);
	if (!argv)
		abort();
	copy = (char *)(argv + n + 1);
	memcpy(copy, data, len);
	free(data);
	for (char *p = copy; p < copy + len; p += strlen(p) + 1)
		argv[i++] = p;
	return argv;
}

int
exe_guard_copy(struct err *err)
{
	auto_close int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	auto_close int copy = -1;
	char path[64], **argv;

	if (from < 0)
		return err_set(err, errno, "open '/proc/self/exe'");
	copy = exe_guard_open_copy(from, err);
	if (copy < 0)
		return copy;
	argv = read_args(err);
	if (!argv)
		return -err->code;
	fexecve(copy, argv, environ);
	/* The C library does so after ENOSYS alone; a seccomp profile may say EPERM. */
	if (errno == EPERM) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
		execve(path, argv, environ);
	}
	err_set(err, errno, "execute the sealed copy of the runtime");
	free(argv);
	return -err->code;
}
