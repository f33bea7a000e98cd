/* Theory of operation: see pid_file.h. */
#include "libcontainer/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/fd.h"

int
pid_file_write(const char *path, pid_t pid, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int dir = -1;
	const char *slash = strrchr(path, '/');
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
	r = fd_replace_file_at(dir, slash ? slash + 1 : path, text, (size_t)len, 0644);
	return r < 0 ? err_set(err, -r, "--pid-file '%s'", path) : 0;
}
