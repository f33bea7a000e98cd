/* Theory of operation: a path is walked one folder at a time, each opened
 * relative to the last and without following links, so that no name can lead
 * out of the mount, also when the path comes from an edited state file. */
#include "cgroups/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

int
walk_open(int dirfd, const char *path, unsigned n)
{
	auto_close int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < n; i++) {
		char name[NAME_MAX + 1];
		int next;

		walk_name(path, i, name);
		if (!strcmp(name, ".."))
			return -EINVAL;
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		fd_close(fd);
		fd = next;
	}
	return fd_take(&fd);
}
