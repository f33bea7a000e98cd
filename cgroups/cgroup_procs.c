/* Theory of operation: a cgroup's processes are all that cgroup.procs lists in it
 * and in the directories below. While it is frozen the lists stand still, so a signal
 * that must reach every process is sent between freeze and thaw; SIGKILL has a
 * file of its own since Linux 5.14, which nothing can outrun, and before that is
 * first tried without freezing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "cgroups/events.h"

#define MAX_PROCS_FILE ((size_t)64 * 1024 * 1024)
#define MAX_DEPTH      256
#define DIE_MS	       100 /* usually they are gone at once */
#define FREEZE_MS      2000

/* -ENOENT at open, -ENODEV at read and write: removed meanwhile. */
static bool
is_gone(int code)
{
	return code == -ENOENT || code == -ENODEV;
}

/* ---- pids -------------------------------------------------------------- */

struct pid_list {
	pid_t *pids;
	size_t n, cap;
};

static void
pid_list_free(struct pid_list *list)
{
	free(list->pids);
}
#define auto_pids __attribute__((cleanup(pid_list_free)))

static void
pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->pids = reallocarray(list->pids, list->cap, sizeof(*list->pids));
		if (!list->pids)
			abort();
	}
	list->pids[list->n++] = pid;
}

static int
read_procs(int dirfd, struct pid_list *list)
{
	char *text;
	size_t len;
	int r = fd_read_file_at(dirfd, "cgroup.procs", MAX_PROCS_FILE, &text, &len);

	if (r == -EOPNOTSUPP) /* threaded: the directory above lists the process */
		return 0;
	if (r < 0)
		return r;
	for (char *p = text, *end; *p; p = end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		/* 0: outside of this pid namespace; -1 would be everybody */
		if (pid > 0 && pid <= INT_MAX)
			pid_list_add(list, (pid_t)pid);
		end += *end == '\n';
	}
	free(text);
	return 0;
}

static int
read_tree(int dirfd, unsigned depth, struct pid_list *list)
{
	int r = read_procs(dirfd, list), fd;
	struct dirent *d;
	DIR *dir;

	if (r < 0)
		return depth > 0 && is_gone(r) ? 0 : r;
	if (depth == MAX_DEPTH)
		return -ELOOP;
	dir = fd_open_stream(dirfd);
	if (!dir)
		return -errno;
	while (r == 0 && (errno = 0, d = readdir(dir))) {
		if (d->d_type != DT_DIR || !strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		fd = openat(dirfd, d->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			r = read_tree(fd, depth + 1, list);
		else if (errno != ENOENT)
			r = -errno;
		fd_close(fd);
	}
	if (r == 0 && errno && errno != ENOENT) /* ENOENT: removed meanwhile */
		r = -errno;
	closedir(dir);
	return r;
}

ssize_t
cgroup_pids(const struct cgroup *cg, pid_t *pids, size_t max, struct err *err)
{
	auto_pids struct pid_list l = { 0 };
	int r = read_tree(cg->fd, 0, &l);

	if (r < 0)
		return err_set(err, -r, "read the processes of cgroup '%s'", cg->path);
	if (l.n > 0 && max > 0)
		memcpy(pids, l.pids, (l.n < max ? l.n : max) * sizeof(*pids));
	return (ssize_t)l.n;
}

/* ---- freeze ------------------------------------------------------------ */

int
cgroup_is_frozen(const struct cgroup *cg, struct err *err)
{
	int r = events_read(cg->fd, "frozen");

	if (is_gone(r))
		return 0;
	return r < 0 ? err_set(err, -r, "read 'cgroup.events' of cgroup '%s'", cg->path) : r;
}

bool
cgroup_is_thawed(const struct cgroup *cg)
{
	return cg->mount && cg->path && !strstr(cg->path, "..") && events_read_in(cg->mount, cg->path, "frozen") == 0;
}

int
cgroup_freeze(struct cgroup *cg, bool frozen, int timeout_ms, struct err *err)
{
	const char *verb = frozen ? "freeze" : "thaw";
	int r = fd_write_file_at(cg->fd, "cgroup.freeze", frozen ? "1" : "0");

	if (r == -ENOENT && events_read(cg->fd, "populated") >= 0)
		return err_set(err, ENOTSUP, "%s cgroup '%s': the kernel has no cgroup.freeze (it needs 5.2)", verb,
			       cg->path);
	if (r == 0)
		r = events_wait(cg->fd, "frozen", frozen, timeout_ms);
	if (r == -ETIMEDOUT && frozen)
		fd_write_file_at(cg->fd, "cgroup.freeze", "0"); /* not half frozen */
	if (r < 0)
		return err_set(err, -r, "%s cgroup '%s'", verb, cg->path);
	return 0;
}

/* ---- kill -------------------------------------------------------------- */

/* Sends sig once to each; returns how many there were, or -errno. */
static ssize_t
signal_all(const struct cgroup *cg, int sig)
{
	auto_pids struct pid_list l = { 0 };
	int r = read_tree(cg->fd, 0, &l);

	if (r < 0)
		return is_gone(r) ? 0 : r;
	for (size_t i = 0; i < l.n; i++)
		if (kill(l.pids[i], sig) < 0 && errno != ESRCH)
			r = -errno;
	return r < 0 ? r : (ssize_t)l.n;
}

/* Frozen, a container that is being killed would be taken for a paused one, so the
 * freezer is for those only that fork faster than they are killed. */
static bool
kill_unfrozen(const struct cgroup *cg)
{
	return signal_all(cg, SIGKILL) >= 0 && events_wait(cg->fd, "populated", 0, DIE_MS) == 0;
}

static int
signal_frozen(struct cgroup *cg, int sig, struct err *err)
{
	int was_frozen = events_read(cg->fd, "frozen");
	bool froze = false;
	struct err ignored;
	ssize_t n;

	if ((sig == SIGKILL && kill_unfrozen(cg)) || is_gone(was_frozen))
		return 0;
	if (was_frozen < 0)
		return err_set(err, -was_frozen, "read 'cgroup.events' of cgroup '%s'", cg->path);
	if (!was_frozen)
		froze = cgroup_freeze(cg, true, FREEZE_MS, &ignored) == 0;
	n = signal_all(cg, sig);
	/* Without a freezer a process may have forked meanwhile. */
	for (unsigned i = 0; sig == SIGKILL && !froze && !was_frozen && n > 0 && i < 100; i++)
		n = signal_all(cg, sig);
	if (froze)
		cgroup_freeze(cg, false, 0, &ignored);
	if (n < 0)
		return err_set(err, (int)-n, "send signal %d to the processes of cgroup '%s'", sig, cg->path);
	return 0;
}

int
cgroup_kill(struct cgroup *cg, int sig, struct err *err)
{
	int r;

	if (!cg->path)
		return 0;
	if (cg->fd < 0) {
		r = cgroup_open(cg, err);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
	}
	r = events_read(cg->fd, "populated");
	if (is_gone(r) || r == 0)
		return 0;
	if (sig != SIGKILL)
		return signal_frozen(cg, sig, err);
	r = fd_write_file_at(cg->fd, "cgroup.kill", "1");
	if (r == -ENODEV)
		return 0;
	if (r == -ENOENT || r == -EOPNOTSUPP) /* before Linux 5.14, or a threaded one */
		return signal_frozen(cg, sig, err);
	if (r < 0)
		return err_set(err, -r, "kill the processes of cgroup '%s'", cg->path);
	return 0;
}
