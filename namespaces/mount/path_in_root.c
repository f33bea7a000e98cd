/* Paths below a root that the attacker owns.
 *
 * Every look-up is one openat2(2) from the root with RESOLVE_IN_ROOT, so the
 * kernel itself keeps "..", absolute links and races inside. Text is never
 * resolved here and then used by name: a directory is made by mkdirat() in a
 * parent that is held open, and what was made is opened again from the root.
 * When a component is a link that leads nowhere, its target is put into the
 * path (still as text below the root) and the walk begins again; the worst a
 * racing attacker gets is a directory somewhere else inside their own root.
 * (CVE-2021-30465, CVE-2024-45310: resolve first, create by name later.)
 *
 * Modes are the caller's: the umask of a process that makes something here is 0. */
#include "namespaces/mount/path_in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* A rename anywhere on the system can make one look-up fail with EAGAIN. */
#define MAX_TRIES 128
/* As many links as the kernel follows in one path. */
#define MAX_LINKS 40

int
path_open(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	for (unsigned i = 0; i < MAX_TRIES; i++) {
		long fd = syscall(SYS_openat2, rootfd, *path ? path : ".", &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

/* What to make where something is missing. */
struct want {
	mode_t dir_mode, file_mode;
	bool file; /* the last component is a file */
};

/* Makes an empty file or a directory called name. 1: something is already there
 * (and left alone), 0: made, or -errno. */
static int
make_entry(int parent, const char *name, const struct want *want, bool file)
{
	int r = 0;

	if (file) {
		int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, want->file_mode);

		if (fd < 0)
			r = -errno;
		fd_close(fd);
	} else if (mkdirat(parent, name, want->dir_mode) < 0) {
		r = -errno;
	}
	return r == -EEXIST ? 1 : r;
}

/* Replaces the component path[start..end) by the target of the link of that
 * name in parent. 1: done, 0: it is not a link (any more), or -errno. */
static int
splice_link(int parent, char *path, size_t start, size_t end)
{
	char target[PATH_MAX], saved = path[end];
	size_t keep, rest = strlen(path + end);
	ssize_t len;

	path[end] = '\0';
	len = readlinkat(parent, path + start, target, sizeof(target));
	path[end] = saved;
	if (len < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	keep = len > 0 && target[0] == '/' ? 0 : start;
	if (keep + (size_t)len + rest >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(path + keep + len, path + end, rest + 1);
	memcpy(path + keep, target, (size_t)len);
	return 1;
}

/* Opens path[0..end) from the root; its last component path[start..end) is made
 * in parent when it is missing. 0 and *ret_fd; 1: a link that leads nowhere was
 * put into path, begin again; or -errno. */
static int
enter(int rootfd, int parent, char *path, size_t start, size_t end, const struct want *want, bool file, int *ret_fd)
{
	char saved = path[end];

	for (unsigned i = 0; i < MAX_TRIES; i++) {
		int fd, r = 0;

		path[end] = '\0';
		fd = path_open(rootfd, path, O_PATH | (file ? 0 : O_DIRECTORY), 0);
		if (fd == -ENOENT)
			r = make_entry(parent, path + start, want, file);
		path[end] = saved;
		if (fd >= 0)
			*ret_fd = fd;
		if (fd != -ENOENT)
			return fd < 0 ? fd : 0;
		if (r == 1)
			r = splice_link(parent, path, start, end);
		if (r != 0)
			return r;
	}
	return -EAGAIN;
}

/* One walk over path. Returns as enter(). */
static int
walk(int rootfd, char *path, const struct want *want, int *ret_fd)
{
	auto_close int here = path_open(rootfd, "/", O_PATH | O_DIRECTORY, 0);
	size_t start, end = 0;

	if (here < 0)
		return here;
	for (;;) {
		bool last;
		int fd, r;

		start = end + strspn(path + end, "/");
		end = start + strcspn(path + start, "/");
		if (start == end)
			break;
		last = path[end + strspn(path + end, "/")] == '\0';
		r = enter(rootfd, here, path, start, end, want, want->file && last, &fd);
		if (r != 0)
			return r;
		fd_close(here);
		here = fd;
	}
	*ret_fd = fd_take(&here);
	return 0;
}

static bool
is_name(const char *text)
{
	return *text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* Mostly all but the last component is there. -ENOENT: it must be walked to, since more is missing,
 * or a link that leads nowhere is there, or it is gone again. */
static int
make_last(int rootfd, char *path, const struct want *want)
{
	char *last = strrchr(path, '/');
	auto_close int parent = -1;
	int r;

	if (!last || !is_name(last + 1))
		return -ENOENT;
	*last = '\0';
	parent = path_open(rootfd, path[0] ? path : "/", O_PATH | O_DIRECTORY, 0);
	*last = '/';
	if (parent < 0)
		return -ENOENT;
	r = make_entry(parent, last + 1, want, want->file);
	return r < 0 ? r : path_open(rootfd, path, O_PATH | (want->file ? 0 : O_DIRECTORY), 0);
}

/* Something of path is missing. */
static int
make_missing(int rootfd, const char *path, const struct want *want)
{
	char buf[PATH_MAX];
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof(buf))
		return -ENAMETOOLONG;
	memcpy(buf, path, len + 1);
	fd = make_last(rootfd, buf, want);
	if (fd != -ENOENT)
		return fd;
	for (unsigned links = 0; links < MAX_LINKS; links++) {
		int r = walk(rootfd, buf, want, &fd);

		if (r <= 0)
			return r < 0 ? r : fd;
	}
	return -ELOOP;
}

static int
make_path(int rootfd, const char *path, const struct want *want)
{
	int fd = path_open(rootfd, path, O_PATH | (want->file ? 0 : O_DIRECTORY), 0);

	return fd == -ENOENT ? make_missing(rootfd, path, want) : fd;
}

int
path_make_dir(int rootfd, const char *path, mode_t mode)
{
	return make_path(rootfd, path, &(struct want){ .dir_mode = mode });
}

int
path_make_missing_dir(int rootfd, const char *path, mode_t mode)
{
	return make_missing(rootfd, path, &(struct want){ .dir_mode = mode });
}

int
path_make_file(int rootfd, const char *path, mode_t mode)
{
	return make_path(rootfd, path, &(struct want){ .dir_mode = 0755, .file_mode = mode, .file = true });
}

int
path_open_parent(int rootfd, const char *path, mode_t mode, char *name)
{
	char parent[PATH_MAX];
	size_t start, end = strlen(path);

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (end - start > NAME_MAX || start >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	memcpy(parent, path, start);
	parent[start] = '\0';
	return path_make_dir(rootfd, parent, mode);
}
