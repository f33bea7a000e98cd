/* The file has no name until it is complete
 * (O_TMPFILE), so that a runtime which is killed leaves none behind that nobody would
 * remove: `delete` does not know where pid files are. A file that is in the way is of an
 * earlier container. Where the file system has no such files, or there is no /proc, a
 * temporary name does. */
#include "libcontainer/launch/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"

/* -ENOTSUP: not to be had here. */
static int
link_unnamed(int dir, const char *name, const char *text, size_t len)
{
	auto_close int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	char path[32];
	int r;

	if (fd < 0)
		return -ENOTSUP;
	r = fd_write_all(fd, text, len);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return -ENOTSUP;
	if (unlinkat(dir, name, 0) < 0)
		return -errno;
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : -ENOTSUP;
}

int
pid_file_write(const char *path, pid_t pid, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int dir = -1;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char text[16];
	int r, len = snprintf(text, sizeof(text), "%d", (int)pid);

	if (slash && !slash[1])
		return err_set(err, EISDIR, "--pid-file '%s'", path);
	dir = open(!slash	   ? "."
		   : slash == path ? "/"
				   : arena_strndup(&a, path, (size_t)(slash - path)),
		   O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, errno, "--pid-file '%s'", path);
	r = link_unnamed(dir, name, text, (size_t)len);
	if (r == -ENOTSUP)
		r = fd_replace_file_at(dir, name, text, (size_t)len, 0644);
	return r < 0 ? err_set(err, -r, "--pid-file '%s'", path) : 0;
}
