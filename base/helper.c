/* What root executes must be root's, as sudo(8) and sshd(8) hold it: whoever can write to the file, or
 * to its directory, has root's privileges. The next one in PATH is not taken instead: a
 * caller who sees another program run than PATH says would not find out why. In a user
 * namespace root is somebody's, and the files of the host's root are nobody's; there the
 * caller decides. */
#include "base/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/access.h"
#include "base/host.h"

#define MORE_DIRS "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"

static bool
is_roots_alone(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int
check_owner(const char *name, const char *path, struct arena *a, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *dir = slash > path ? arena_strndup(a, path, (size_t)(slash - path)) : "/";

	if (getuid() != 0 || host_in_userns() || (is_roots_alone(path) && is_roots_alone(dir)))
		return 0;
	return err_set(err, EPERM,
		       "the program '%s' for %s, or its directory, belongs to another user than root or may be written "
		       "to by others, and is not executed as root (hint: check PATH, or its owner and mode)",
		       path, name);
}

/* 0, -ENOENT, or -EACCES: there, but not to be executed. */
static int
look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -ENOENT;
	return S_ISREG(st.st_mode) && access_check(AT_FDCWD, path, X_OK) == 0 ? 0 : -EACCES;
}

int
helper_find(const char *name, struct arena *a, struct err *err, const char **ret_path)
{
	const char *path = getenv("PATH");
	char *dirs = arena_printf(a, "%s:" MORE_DIRS, path ? path : ""), *dir;
	int result = -ENOENT;

	while ((dir = strsep(&dirs, ":"))) {
		char *file = arena_printf(a, "%s/%s", dir, name), *real;
		int r = dir[0] == '/' ? look(file) : -ENOENT;

		if (r == -EACCES)
			result = r;
		real = r == 0 ? realpath(file, NULL) : NULL;
		if (!real)
			continue;
		*ret_path = arena_strdup(a, real);
		free(real);
		return check_owner(name, *ret_path, a, err);
	}
	return result;
}
