/* Theory of operation: a memfd sealed against every change is a private copy of
 * the program that even root cannot write. The price is the copy and a second
 * start of the program. Arguments come from /proc/self/cmdline, so that no
 * caller has to carry them here. */
#include "libcontainer/exe_guard_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#ifndef MFD_EXEC /* Linux 6.3: said aloud, for hosts with vm.memfd_noexec */
#define MFD_EXEC 0x0010U
#endif

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define MAX_ARGS  ((size_t)4 * 1024 * 1024)

bool
exe_guard_is_sealed(void)
{
	auto_close int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS;
}

static int
make_copy(int from, struct err *err)
{
	auto_close int to = memfd_create("knarr", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	struct stat st;
	off_t done = 0;

	if (to < 0 && errno == EINVAL)
		to = memfd_create("knarr", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to < 0)
		return err_set(err, errno, "make a file in memory");
	if (fstat(from, &st) < 0)
		return err_set(err, errno, "stat '/proc/self/exe'");
	while (done < st.st_size) {
		ssize_t n = sendfile(to, from, &done, (size_t)(st.st_size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, n < 0 ? errno : EIO, "copy the runtime's executable");
	}
	if (fchmod(to, 0555) < 0 || fcntl(to, F_ADD_SEALS, ALL_SEALS) < 0)
		return err_set(err, errno, "seal the copy of the runtime's executable");
	return fd_take(&to);
}

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
	char **argv;

	if (from < 0)
		return err_set(err, errno, "open '/proc/self/exe'");
	copy = make_copy(from, err);
	if (copy < 0)
		return copy;
	argv = read_args(err);
	if (!argv)
		return -err->code;
	fexecve(copy, argv, environ);
	err_set(err, errno, "execute the sealed copy of the runtime");
	free(argv);
	return -err->code;
}
