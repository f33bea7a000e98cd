/* Theory of operation: rmdir(2) is the question and the answer. It works on an
 * empty cgroup at once; only when the kernel says that something is in it does
 * cgroup_remove() wait for the last process (cgroup.events) and empty the tree
 * below, which a container with a delegated cgroup may have made as deep as it
 * liked: it is walked with a single descriptor, down and up again by "..".
 *
 * Parents go too: those that cgroup_create() made for this container, and those
 * marked as made by knarr for another that has left since; the last one out
 * removes them. One that is in use is not empty and stays. So does the cgroup
 * itself, emptied, when it was there before knarr; and as it is, when it is another
 * container's by now. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup_mark.h"
#include "cgroups/cgroup_remove.h"
#include "cgroups/events.h"
#include "cgroups/walk.h"

static bool
is_gone(int code)
{
	return code == ENOENT || code == ENODEV;
}

/* 1, 0 (also when it is gone), or -errno. */
static int
is_marked(int dirfd, const char *name)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char value;

	if (fd >= 0 && fgetxattr(fd, WALK_MARK, &value, 1) >= 0)
		return 1;
	/* Before Linux 5.7 there are no such marks; one that others own may be unreadable. */
	return is_gone(errno) || errno == ENODATA || errno == EOPNOTSUPP || errno == EACCES ? 0 : -errno;
}

/* ---- below ------------------------------------------------------------- */

/* Removes the directories in dirfd that can be; *ret_busy is the name of one that
 * cannot, or empty. */
static int
remove_children(int dirfd, char ret_busy[NAME_MAX + 1])
{
	DIR *dir = fd_open_stream(dirfd);
	struct dirent *d;
	int r = 0;

	if (!dir)
		return -errno;
	ret_busy[0] = '\0';
	while (r == 0 && (errno = 0, d = readdir(dir))) {
		if (d->d_type != DT_DIR || !strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (unlinkat(dirfd, d->d_name, AT_REMOVEDIR) == 0 || is_gone(errno))
			continue;
		if (errno != EBUSY)
			r = -errno;
		else
			memcpy(ret_busy, d->d_name, strnlen(d->d_name, NAME_MAX) + 1);
	}
	if (r == 0 && !d && errno && !is_gone(errno))
		r = -errno;
	closedir(dir);
	return r;
}

/* Removes all below dirfd; -EBUSY when processes appear in it, -ETIMEDOUT. */
static int
remove_below(int dirfd, int64_t deadline)
{
	auto_close int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char busy[NAME_MAX + 1] = "";
	unsigned depth = 0;
	int r, next;

	if (fd < 0)
		return -errno;
	for (;;) {
		r = remove_children(fd, busy);
		if (r < 0)
			return r;
		if (!busy[0] && depth == 0)
			return 0;
		if (events_clock_ms() > deadline)
			return -ETIMEDOUT;
		next = openat(fd, busy[0] ? busy : "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		depth = busy[0] ? depth + 1 : depth - 1;
		fd_close(fd);
		fd = next;
		if (busy[0] && events_read(fd, "populated") == 1)
			return -EBUSY;
	}
}

/* ---- the cgroup itself ------------------------------------------------- */

static int
still_used(const struct cgroup *cg, int dirfd, struct err *err)
{
	struct cgroup view = { .path = cg->path, .mount = cg->mount, .fd = dirfd };
	struct err ignored;
	pid_t pid = 0;
	ssize_t n = cgroup_pids(&view, &pid, 1, &ignored);

	if (n > 0)
		return err_set(err, EBUSY, "remove cgroup '%s': %zd processes are still in it (for example pid %d)",
			       cg->path, n, pid);
	return err_set(err, EBUSY, "remove cgroup '%s'", cg->path);
}

/* Makes name in parentfd empty. 0 also when it is gone. */
static int
empty_cgroup(const struct cgroup *cg, int parentfd, const char *name, int64_t deadline, struct err *err)
{
	auto_close int fd = openat(parentfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int64_t left = deadline - events_clock_ms();
	int r;

	if (fd < 0)
		return is_gone(errno) ? 0 : err_set(err, errno, "open cgroup '%s'", cg->path);
	r = events_wait(fd, "populated", 0, left > 0 ? (int)left : 0);
	if (r == -ETIMEDOUT)
		return still_used(cg, fd, err);
	if (r == 0)
		r = remove_below(fd, deadline);
	if (r == 0 || is_gone(-r) || r == -EBUSY)
		return 0;
	return err_set(err, -r, "remove the cgroups below '%s'", cg->path);
}

static int
remove_leaf(const struct cgroup *cg, int parentfd, const char *name, int64_t deadline, struct err *err)
{
	for (unsigned i = 0;; i++) {
		int r;

		if (unlinkat(parentfd, name, AT_REMOVEDIR) == 0 || is_gone(errno))
			return 0;
		if (errno != EBUSY)
			return err_set(err, errno, "remove cgroup '%s'", cg->path);
		if (i > 0 && events_clock_ms() >= deadline)
			return err_set(err, EBUSY, "remove cgroup '%s'", cg->path);
		r = empty_cgroup(cg, parentfd, name, deadline, err);
		if (r < 0)
			return r;
		/* Emptied, and busy again the moment after: someone else works here. */
		if (i > 0)
			poll(NULL, 0, 1);
	}
}

/* ---- parents ----------------------------------------------------------- */

/* depth: names in the path. Not being able to is not an error: others use it. */
static void
remove_parents(const struct cgroup *cg, int mountfd, unsigned depth)
{
	for (unsigned i = depth - 1; i-- > 0;) {
		auto_close int fd = walk_open(mountfd, cg->path, i);
		char name[NAME_MAX + 1];

		if (fd < 0)
			continue; /* gone with all above it up to where it is not */
		walk_name(cg->path, i, name);
		if (i + cg->made < depth && is_marked(fd, name) <= 0)
			return;
		if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && !is_gone(errno))
			return;
	}
}

int
cgroup_remove(struct cgroup *cg, int timeout_ms, struct err *err)
{
	int64_t deadline = events_clock_ms() + timeout_ms;
	auto_close int mountfd = -1, parentfd = -1;
	char name[NAME_MAX + 1];
	unsigned depth;
	int r;

	cg->fd = fd_close(cg->fd);
	mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mountfd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open '%s'", cg->mount);
	depth = walk_count(cg->path);
	if (depth == 0)
		return err_plain(err, "the root cgroup cannot be removed");
	walk_name(cg->path, depth - 1, name);
	parentfd = walk_open(mountfd, cg->path, depth - 1);
	if (parentfd < 0 && parentfd != -ENOENT)
		return err_set(err, -parentfd, "open the parent of cgroup '%s'", cg->path);
	r = parentfd >= 0 && cg->made == 0 ? is_marked(parentfd, name) : 1;
	if (r < 0)
		return err_set(err, -r, "look whether knarr made cgroup '%s'", cg->path);
	/* runtime.md#delete: what the container did not make stays. */
	if (r == 0) {
		auto_close int leaf = openat(parentfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		r = empty_cgroup(cg, parentfd, name, deadline, err);
		if (r == 0 && leaf >= 0)
			cgroup_mark_remove(cg, leaf);
		return r;
	}
	if (parentfd >= 0 && (r = remove_leaf(cg, parentfd, name, deadline, err)) < 0)
		return r;
	remove_parents(cg, mountfd, depth);
	return 0;
}
