/* The mark is a trusted attribute where the runtime
 * may set those, since a container that was given its cgroup may change the others. They
 * are there for an unprivileged user, since Linux 5.7; without either a cgroup is known by
 * its path alone. */
#include "cgroups/cgroup_mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define MARK_MAX  64
#define DEPTH_MAX 128 /* of cgroups that are looked at for a mark */

static const char *const names[] = { "trusted.knarr.owner", "user.knarr.owner" };
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* Attributes are not to be had through O_PATH (EBADF). */
static int
reopen(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return again < 0 ? -errno : again;
}

/* The length, 0: there is none; or -errno. */
static ssize_t
read_mark(int fd, const char *name, char text[MARK_MAX])
{
	ssize_t n = fgetxattr(fd, name, text, MARK_MAX - 1);

	if (n < 0) {
		/* ERANGE: none of ours. ENOENT, ENODEV: the cgroup has just been removed. */
		const int none[] = { ENODATA, EOPNOTSUPP, ERANGE, ENOENT, ENODEV };

		for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
			if (errno == none[i])
				return 0;
		return -errno;
	}
	text[n] = '\0';
	return n;
}

/* The first that is there, as read_mark(). */
static ssize_t
read_marks(int fd, char mark[MARK_MAX])
{
	ssize_t n = 0;

	for (size_t i = 0; n == 0 && i < N_NAMES; i++)
		n = read_mark(fd, names[i], mark);
	return n;
}

/* False with errno. */
static bool
set_mark(int fd, const char *owner)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (fsetxattr(fd, names[i], owner, strlen(owner), 0) == 0)
			return true;
	return false;
}

void
cgroup_mark_set(struct cgroup *cg, int fd)
{
	cg->marked = cg->owner && set_mark(fd, cg->owner);
	if (cg->owner && !cg->marked && errno == EBADF) {
		auto_close int dir = reopen(fd);

		cg->marked = dir >= 0 && set_mark(dir, cg->owner);
	}
	if (cg->owner && !cg->marked)
		log_debug("mark cgroup '%s' as the container's: %s", cg->path, err_reason(errno));
}

int
cgroup_mark_is_ours(const struct cgroup *cg, int fd)
{
	char mark[MARK_MAX];
	struct stat st;
	ssize_t n;

	if (cg->inode)
		return fstat(fd, &st) < 0 ? -errno : st.st_ino == cg->inode;
	if (!cg->owner)
		return 1;
	n = read_marks(fd, mark);
	if (n == -EBADF) { /* it may not be read: or has it changed since? */
		auto_close int dir = reopen(fd);

		if (dir < 0 && dir != -ENOENT && dir != -ENODEV && dir != -EACCES)
			return dir;
		n = dir < 0 ? 0 : read_marks(dir, mark);
	}
	if (n < 0)
		return (int)n;
	return n > 0 ? !strcmp(mark, cg->owner) : !cg->marked;
}

void
cgroup_mark_remove(const struct cgroup *cg, int fd)
{
	auto_close int dir = cg->owner ? reopen(fd) : -1;

	for (size_t i = 0; dir >= 0 && i < N_NAMES; i++)
		fremovexattr(dir, names[i]);
}

/* ---- searching --------------------------------------------------------- */

struct search {
	const char *owner, *name;
	struct arena *arena;
	char *found;
};

static int search_in(struct search *search, int fd, const char *path, unsigned depth);

static int
search_children(struct search *search, int fd, const char *path, unsigned depth)
{
	DIR *dir = fd_open_stream(fd);
	struct dirent *d;
	int r = 0;

	if (!dir)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	while (r == 0 && !search->found && (errno = 0, d = readdir(dir))) {
		auto_close int child = -1;

		if (d->d_type != DT_DIR || !strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		child = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0)
			r = search_in(search, child, arena_printf(search->arena, "%s/%s", path, d->d_name), depth + 1);
		else if (errno != ENOENT && errno != ENODEV && errno != EACCES)
			r = -errno;
	}
	if (r == 0 && !search->found && errno != 0 && errno != ENOENT && errno != ENODEV && errno != EACCES)
		r = -errno;
	closedir(dir);
	return r;
}

static int
search_in(struct search *search, int fd, const char *path, unsigned depth)
{
	char mark[MARK_MAX];
	ssize_t n = read_mark(fd, search->name, mark);

	if (n < 0)
		return (int)n;
	if (n > 0 && !strcmp(mark, search->owner)) {
		search->found = arena_strdup(search->arena, path);
		return 0;
	}
	return depth < DEPTH_MAX ? search_children(search, fd, path, depth) : 0;
}

int
cgroup_find_marked(const char *mount, const char *owner, struct arena *a, struct err *err, char **ret_path)
{
	struct search s = { .owner = owner, .arena = a };
	auto_close int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	/* One after the other over the whole tree: any container may have set the second. */
	for (size_t i = 0; r == 0 && !s.found && i < N_NAMES; i++) {
		s.name = names[i];
		r = search_in(&s, fd, "", 0);
	}
	if (r < 0)
		return err_set(err, -r, "look for the container's cgroup below '%s'", mount);
	*ret_path = s.found;
	return 0;
}
