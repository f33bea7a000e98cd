/* Theory of operation: what a state says about its process is checked against
 * the kernel each time. A pid alone may belong to somebody else by now, so the
 * state also keeps when the process started. The order matters: a pidfd is
 * opened first, which pins the process; if then the start time under that pid is
 * the one of the state, the pidfd is the container's init and stays it. Both may
 * match by chance after a reboot: the state also says which boot it is of.
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
#include <unistd.h>

#include "base/fd.h"
#include "base/proc_text.h"
#include "base/process.h"
#include "cgroups/cgroup.h"
#include "libcontainer/state/state.h"

/* Fields of /proc/PID/stat. */
#define STAT_STATE	3
#define STAT_FLAGS	9
#define STAT_START_TIME 22

#define STAT_MAX 2048

/* Of the flags: made by fork or clone, and no execve since. */
#define FORKED_NO_EXEC 0x40 /* PF_FORKNOEXEC of the kernel */

static int
read_stat(pid_t pid, char text[STAT_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	n = fd_read_record_at(AT_FDCWD, path, text, STAT_MAX);
	return n < 0 ? (int)(n == -ENOENT ? -ESRCH : n) : 0;
}

static int
find_start_time(const char *text, uint64_t *ret_time)
{
	const char *p = proc_stat_field(text, STAT_START_TIME);

	if (!p)
		return -EBADMSG;
	*ret_time = strtoull(p, NULL, 10);
	return 0;
}

int
state_pid_start_time(pid_t pid, uint64_t *ret_time)
{
	char text[STAT_MAX];
	int r = read_stat(pid, text);

	return r < 0 ? r : find_start_time(text, ret_time);
}

static bool
has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* A filter around the runtime may answer what the kernel says of a process that is gone. */
static bool
is_listed(const struct state *state)
{
	uint64_t start_time;

	return state_pid_start_time(state->pid, &start_time) == 0 && start_time == state->pid_start_time;
}

/* As state_pidfd(); text: what /proc/PID/stat says, "" where it was not read. */
static int
open_init(const struct state *state, char text[STAT_MAX])
{
	auto_close int fd = -1;
	uint64_t start_time = 0;
	int r;

	text[0] = '\0';
	if (state->pid <= 0 || state->other_boot)
		return -ESRCH;
	fd = process_open(state->pid);
	if (fd == -ESRCH)
		return is_listed(state) ? -EIO : -ESRCH;
	if (fd < 0)
		return fd_take(&fd);
	r = read_stat(state->pid, text);
	if (r < 0)
		text[0] = '\0';
	if (r == 0)
		r = find_start_time(text, &start_time);
	if (r < 0)
		return r;
	if (start_time != state->pid_start_time || has_ended(fd))
		return -ESRCH;
	return fd_take(&fd);
}

int
state_pidfd(const struct state *state)
{
	char text[STAT_MAX];

	return open_init(state, text);
}

struct cgroup
state_cgroup(const struct state *state)
{
	if (state->other_boot)
		return (struct cgroup){ .fd = -1 };
	return (struct cgroup){
		.mount = state->cgroup_mount,
		.path = state->cgroup_path,
		.made = state->cgroup_made,
		.fd = -1,
		.owner = state->cgroup_owner,
		.marked = state->cgroup_marked,
		.unit = state->systemd_unit,
		.user_manager = state->systemd_user,
	};
}

/* 1, 0, or -errno with err. A cgroup that is gone, or another container's by now, holds
 * nothing of this one. */
static int
is_frozen(const struct state *state, struct err *err)
{
	struct cgroup cg = state_cgroup(state);
	int r;

	if (cgroup_is_thawed(&cg))
		return 0;
	r = cg.path ? cgroup_open(&cg, err) : -ENOENT;
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r == 0)
		r = cgroup_is_frozen(&cg, err);
	fd_close(cg.fd);
	return r;
}

/* 0, -ESRCH: it has ended, or another -errno: it cannot be known. text: as of open_init(). One
 * read(2) gives start time and state of the same process, so nothing has to pin it. What
 * shows as a zombie may have other threads. */
static int
look_for_init(const struct state *state, char text[STAT_MAX])
{
	uint64_t start_time;
	int r, fd;

	text[0] = '\0';
	if (state->other_boot)
		return -ESRCH;
	r = read_stat(state->pid, text);
	if (r == -ESRCH)
		return r;
	if (r == 0 && find_start_time(text, &start_time) == 0) {
		if (start_time != state->pid_start_time)
			return -ESRCH;
		if (!strchr("ZXx", *proc_stat_field(text, STAT_STATE)))
			return 0;
	}
	fd = open_init(state, text);
	fd_close(fd);
	return fd < 0 ? fd : 0;
}

/* text: as of open_init(). */
static int
read_status(const struct state *state, char text[STAT_MAX], struct err *err, enum container_status *ret_status)
{
	int frozen;

	text[0] = '\0';
	if (state->pid <= 0) {
		*ret_status = STATUS_CREATING;
		return 0;
	}
	/* Any other error (no descriptor left, say) is not proof of an end, and
	 * `delete` must not take a live container for a stopped one. */
	if (look_for_init(state, text) == -ESRCH) {
		*ret_status = STATUS_STOPPED;
		return 0;
	}
	frozen = is_frozen(state, err);
	if (frozen < 0)
		return frozen;
	*ret_status = frozen ? STATUS_PAUSED : state->started ? STATUS_RUNNING : STATUS_CREATED;
	return 0;
}

int
state_status(const struct state *state, struct err *err, enum container_status *ret_status)
{
	char text[STAT_MAX];

	return read_status(state, text, err, ret_status);
}

/* The lock is taken for a moment, on an open file of its own. */
static bool
is_locked(const struct state_dir *dir)
{
	auto_close int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* What cannot be asked for the moment is not proof that the creator has died. */
	if (fd < 0)
		return errno != ENOENT;
	return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno != ENOENT;
}

static bool
has_name(const char *text, const char *name)
{
	const char *p = strchr(text, '(');

	if (!p || strncmp(p + 1, name, strlen(name)) != 0 || p + 1 + strlen(name) != strrchr(text, ')'))
		return false;
	p = proc_stat_field(text, STAT_FLAGS);
	return p && (strtoul(p, NULL, 10) & FORKED_NO_EXEC);
}

int
state_init_has_name(pid_t pid, const char *name, struct err *err)
{
	char text[STAT_MAX];
	int r = read_stat(pid, text);

	if (r == -ESRCH)
		return 0;
	return r < 0 ? err_set(err, -r, "read '/proc/%d/stat'", (int)pid) : has_name(text, name);
}

/* Its init is not in the state yet, whose process, if any, ends before it is. */
static bool
awaits_init(const struct state *state)
{
	return !state->other_boot && (state->pid <= 0 || state->joining);
}

/* 1, 0, or -errno with err. The pid is in the state before hooks run. */
static int
is_being_set_up(const struct state *state, enum container_status status, const char *text, struct err *err)
{
	if (status == STATUS_STOPPED || status == STATUS_CREATING)
		return awaits_init(state);
	return text[0] ? has_name(text, STATE_NAME_INIT) : state_init_has_name(state->pid, STATE_NAME_INIT, err);
}

int
state_unlocked_status(const struct state *state, struct err *err, enum container_status *ret_status)
{
	enum container_status status;
	char text[STAT_MAX];
	int r = read_status(state, text, err, &status);

	if (r == 0)
		r = is_being_set_up(state, status, text, err);
	if (r == 0 && status == STATUS_CREATING)
		status = STATUS_STOPPED; /* by whom it was made is gone with its kernel */
	if (r >= 0)
		*ret_status = status;
	return r;
}

int
state_dir_status(const struct state_dir *dir, const struct state *state, struct err *err,
		 enum container_status *ret_status)
{
	enum container_status status;
	int r = dir->lock_fd < 0 ? state_unlocked_status(state, err, &status) : state_status(state, err, &status);

	if (r < 0)
		return r;
	if (r > 0 && is_locked(dir))
		status = STATUS_CREATING;
	else if (status == STATUS_CREATING)
		status = STATUS_STOPPED;
	*ret_status = status;
	return 0;
}

int
state_load_status(const struct state_dir *dir, const char *id, struct arena *a, struct err *err,
		  struct state **ret_state, enum container_status *ret_status)
{
	enum container_status status = STATUS_STOPPED;
	struct state *state = NULL;
	bool is_final = false;

	/* The lock was looked at after the state was read: the second time, what there is of the
	 * container is in it. */
	for (unsigned times = 0; !is_final && times < 2; times++) {
		int r = state_load(dir, id, a, err, &state);

		if (r == 0)
			r = state_dir_status(dir, state, err, &status);
		if (r < 0)
			return r;
		is_final = status != STATUS_STOPPED || !awaits_init(state);
	}
	*ret_state = state;
	*ret_status = status;
	return 0;
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
