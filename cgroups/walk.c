/* Theory of operation: a path is walked one directory at a time, each opened
 * relative to the last and without following links, so that no name can lead
 * out of the mount, also when the path comes from an edited state file. */
#include "cgroups/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

size_t
walk_next(const char **path, const char **ret_name)
{
	const char *name = *path + strspn(*path, "/");
	size_t len = strcspn(name, "/");

	*path = name + len;
	*ret_name = name;
	return len;
}

unsigned
walk_count(const char *path)
{
	const char *name;
	unsigned n = 0;

	while (walk_next(&path, &name))
		n++;
	return n;
}

void
walk_name(const char *path, unsigned nth, char *name)
{
	const char *start;
	size_t len;

	do
		len = walk_next(&path, &start);
	while (nth-- > 0);
	if (len > NAME_MAX)
		len = NAME_MAX;
	memcpy(name, start, len);
	name[len] = '\0';
}

/* A directory that may not be read can still be walked through. */
static int
open_one(int dirfd, const char *name, bool readable)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, (readable ? O_RDONLY : O_PATH) | flags);

	if (fd < 0 && readable && errno == EACCES)
		fd = openat(dirfd, name, O_PATH | flags);
	return fd < 0 ? -errno : fd;
}

static int
open_names(int dirfd, const char *path, unsigned count, bool readable)
{
	auto_close int fd = -1;

	for (unsigned i = 0; i < count; i++) {
		char name[NAME_MAX + 1];
		int next;

		walk_name(path, i, name);
		if (!strcmp(name, ".."))
			return -EINVAL;
		next = open_one(i == 0 ? dirfd : fd, name, readable && i + 1 == count);
		if (next < 0)
			return next;
		fd_close(fd);
		fd = next;
	}
	return count > 0 ? fd_take(&fd) : open_one(dirfd, ".", readable);
}

int
walk_open(int dirfd, const char *path, unsigned count)
{
	return open_names(dirfd, path, count, /* readable= */ false);
}

int
walk_open_readable(int dirfd, const char *path)
{
	return open_names(dirfd, path, walk_count(path), /* readable= */ true);
}
