/* Kernels before 6.3 refuse the two flags with
 * EINVAL; then all such files can be executed. */
#include "base/memory_file.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC	0x0010U
#endif

static int
make(const char *name, unsigned flag)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flag);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

int
memory_file(const char *name)
{
	return make(name, MFD_NOEXEC_SEAL);
}

int
memory_file_executable(const char *name)
{
	return make(name, MFD_EXEC);
}
