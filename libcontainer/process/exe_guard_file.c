/* Theory of operation: both files are memfds, sealed against every change. Where
 * vm.memfd_noexec = 2 denies executable ones:
 *  - the empty file is made in a tmpfs that is mounted nowhere and becomes read-only;
 *  - the copy is a file without a name (O_TMPFILE) where programs may be executed. It
 *    cannot be sealed, but no other process of the host ever executes it, so that a
 *    container that writes to it later harms nobody.
 * A file of the second kind is known by its link in /proc: the kernel's name for one is
 * "#" and its inode. */
#include "libcontainer/process/exe_guard_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory_file.h"
#include "namespaces/mount/mount_api.h"

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* The kernel executes no file that is open for writing. */
static int
reopen_to_read(int fd)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = open(path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

/* ---- the empty file ---------------------------------------------------- */

static int
empty_in_tmpfs(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_close int context = mount_fsopen("tmpfs");
	auto_close int mount = -1, fd = -1;
	int r = context < 0 ? context : mount_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);

	if (r < 0)
		return r;
	mount = mount_fsmount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount < 0)
		return mount;
	fd = openat(mount, "knarr", O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555);
	if (fd < 0)
		return -errno;
	r = mount_setattr_fd(mount, /* recursive= */ false, &attr);
	return r < 0 ? r : fd_take(&fd);
}

int
exe_guard_open_empty(struct err *err)
{
	auto_close int rw = memory_file_executable("knarr");
	int fd;

	if (rw < 0) {
		fd = rw == -EACCES ? empty_in_tmpfs() : rw;
		return fd < 0 ? err_set(err, -fd, "make an empty file to execute") : fd;
	}
	if (fcntl(rw, F_ADD_SEALS, ALL_SEALS) < 0)
		return err_set(err, errno, "make a sealed file in memory");
	fd = reopen_to_read(rw);
	return fd < 0 ? err_set(err, -fd, "open a file in memory again") : fd;
}

/* ---- the copy ---------------------------------------------------------- */

/* O_EXCL: it cannot be given a name. */
static int
open_nameless(void)
{
	const char *places[] = { getenv("XDG_RUNTIME_DIR"), "/run", "/tmp", "/var/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct statvfs fs;
		int fd;

		if (!places[i] || !*places[i])
			continue;
		fd = open(places[i], O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0700);
		if (fd < 0)
			continue;
		if (fstatvfs(fd, &fs) == 0 && !(fs.f_flag & ST_NOEXEC))
			return fd;
		fd_close(fd);
	}
	return -EACCES;
}

static int
copy_all(int from, int to)
{
	struct stat st;
	off_t done = 0;

	if (fstat(from, &st) < 0)
		return -errno;
	while (done < st.st_size) {
		ssize_t n = sendfile(to, from, &done, (size_t)(st.st_size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

int
exe_guard_open_copy(int from, struct err *err)
{
	auto_close int to = memory_file_executable("knarr");
	bool in_memory = to >= 0;
	int r, fd;

	if (to == -EACCES) {
		to = open_nameless();
		if (to < 0)
			return err_set(
				err, EACCES,
				"make a copy of the runtime to execute: vm.memfd_noexec = 2 denies it in memory, "
				"and neither XDG_RUNTIME_DIR, /run, /tmp nor /var/tmp takes one");
	}
	if (to < 0)
		return err_set(err, -to, "make a file in memory");
	r = copy_all(from, to);
	if (r < 0)
		return err_set(err, -r, "copy the runtime's executable");
	if (fchmod(to, 0555) < 0 || (in_memory && fcntl(to, F_ADD_SEALS, ALL_SEALS) < 0))
		return err_set(err, errno, "seal the copy of the runtime's executable");
	fd = reopen_to_read(to);
	return fd < 0 ? err_set(err, -fd, "open the copy of the runtime's executable") : fd;
}

/* ---- which file is it -------------------------------------------------- */

static bool
is_nameless(int fd)
{
	char link[PATH_MAX], name[64];
	const char *base;
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) < 0 || st.st_nlink > 0)
		return false;
	len = readlink("/proc/self/exe", link, sizeof(link) - 1);
	if (len < 0)
		return false;
	link[len] = '\0';
	base = strrchr(link, '/');
	snprintf(name, sizeof(name), "/#%ju (deleted)", (uintmax_t)st.st_ino);
	return base && !strcmp(base, name);
}

bool
exe_guard_file_is_private(int fd)
{
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	if (seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS)
		return true;
	return fd >= 0 && is_nameless(fd);
}

bool
exe_guard_is_private(void)
{
	auto_close int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return exe_guard_file_is_private(fd);
}
