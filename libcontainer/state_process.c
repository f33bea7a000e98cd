/* Theory of operation: what a state says about its process is checked against
 * the kernel each time. A pid alone may belong to somebody else by now, so the
 * state also keeps when the process started. The order matters: a pidfd is
 * opened first, which pins the process; if then the start time under that pid is
 * the one of the state, the pidfd is the container's init and stays it.
 *
 * Whether it is alive is asked of the pidfd (readable: every thread has ended)
 * and not of the state letter in /proc: a program whose first thread has ended
 * while others run shows as a zombie there. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "libcontainer/stage.h"
#include "libcontainer/state.h"

/* Fields of /proc/PID/stat, counted as in proc(5). The second is the name in
 * parentheses, which may hold blanks and parentheses itself. */
#define STAT_AFTER_NAME 3
#define STAT_START_TIME 22

/* -ESRCH: there is no such process. Any other error tells nothing about it. */
static int
read_start_time(pid_t pid, uint64_t *ret_time)
{
	char path[64], text[2048];
	const char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	n = fd_read_small_at(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return -EBADMSG;
	p += 2;
	for (unsigned field = STAT_AFTER_NAME; field < STAT_START_TIME; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EBADMSG;
		p++;
	}
	*ret_time = strtoull(p, NULL, 10);
	return 0;
}

uint64_t
state_pid_start_time(pid_t pid)
{
	uint64_t t = 0;

	return pid > 0 && read_start_time(pid, &t) == 0 ? t : 0;
}

static bool
has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int
state_pidfd(const struct state *s)
{
	auto_close int fd = -1;
	uint64_t start_time;
	int r;

	if (s->pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	if (fd < 0)
		return -errno;
	r = read_start_time(s->pid, &start_time);
	if (r < 0)
		return r;
	if (start_time != s->pid_start_time || has_ended(fd))
		return -ESRCH;
	return fd_take(&fd);
}

static bool
is_frozen(const struct state *s)
{
	struct cgroup cg = { .mount = s->cgroup_mount, .path = s->cgroup_path, .fd = -1 };
	struct err ignored;
	bool frozen;

	if (!s->cgroup_path || cgroup_open(&cg, &ignored) < 0)
		return false;
	frozen = cgroup_is_frozen(&cg);
	fd_close(cg.fd);
	return frozen;
}

enum container_status
state_status(const struct state *s)
{
	auto_close int pidfd = -1;

	if (s->pid <= 0)
		return STATUS_CREATING;
	pidfd = state_pidfd(s);
	/* Any other error (no descriptor left, say) is no proof of an end, and
	 * `delete` must not take a live container for a stopped one. */
	if (pidfd == -ESRCH)
		return STATUS_STOPPED;
	if (is_frozen(s))
		return STATUS_PAUSED;
	return s->started ? STATUS_RUNNING : STATUS_CREATED;
}

/* The lock is taken for a moment, on an open file of its own. */
static bool
is_locked(const struct state_dir *d)
{
	auto_close int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

bool
state_process_has_name(pid_t pid, const char *name)
{
	char path[64], comm[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return fd_read_small_at(AT_FDCWD, path, comm, sizeof(comm)) >= 0 && !strcmp(comm, name);
}

/* The pid is in the state before hooks run. */
static bool
is_set_up(const struct state *s)
{
	return !state_process_has_name(s->pid, STAGE_NAME_INIT);
}

enum container_status
state_dir_status(const struct state_dir *d, const struct state *s)
{
	enum container_status status = state_status(s);

	if (status == STATUS_STOPPED || (status != STATUS_CREATING && is_set_up(s)))
		return status;
	if (d->lock_fd < 0 && is_locked(d))
		return STATUS_CREATING;
	return status == STATUS_CREATING ? STATUS_STOPPED : status;
}

const char *
state_status_name(enum container_status status)
{
	static const char *const names[] = {
		[STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
		[STATUS_PAUSED] = "paused",	[STATUS_STOPPED] = "stopped",
	};

	return names[status];
}
