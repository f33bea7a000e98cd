/* A pidfd is readable when the process is a
 * zombie, and hung up when it was reaped. PIDFD_GET_INFO has the status from the
 * reaping on; /proc/PID/stat has it until then, but shows 0 to a reader who may not
 * know it, which is found out first. So the two are asked in turn until one of
 * them has an answer, and where the kernel has no PIDFD_INFO_EXIT and the process
 * was reaped in between, there is none. */
#include "libcontainer/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc_text.h"
#include "base/process.h"
#include "libcontainer/process/restrain.h"
#include "libcontainer/state/end_reason.h"

/* ---- the kernel's answers -------------------------------------------- */

/* <linux/pidfd.h> of Linux 6.15; older headers lack it. */
struct pidfd_exit_info {
	uint64_t mask, cgroup_id;
	uint32_t ids[11];
	int32_t exit_code; /* as of waitpid(2) */
};
#define GET_PIDFD_INFO _IOWR(0xFF, 11, struct pidfd_exit_info)
#define INFO_EXIT      ((uint64_t)1 << 3)

_Static_assert(sizeof(struct pidfd_exit_info) == 64, "PIDFD_INFO_SIZE_VER0");

/* -EAGAIN: not reaped yet. -ENOTTY: the kernel does not know. */
static int
ask_pidfd(int pidfd, int *ret_status)
{
	struct pidfd_exit_info info = { .mask = INFO_EXIT };

	if (ioctl(pidfd, GET_PIDFD_INFO, &info) < 0) {
		/* Reaped, and the kernel keeps nothing (6.13, 6.14) — or it is just being
		 * reaped, which a hung-up pidfd tells apart. */
		struct pollfd p = { .fd = pidfd };

		return errno == ESRCH && poll(&p, 1, 0) == 0 ? -EAGAIN : -ENOTTY;
	}
	if (!(info.mask & INFO_EXIT))
		return -EAGAIN;
	*ret_status = info.exit_code;
	return 0;
}

/* Links of namespaces are for those who may look into the process, as the status
 * is; a zombie has none of most any more, which is another error. */
static bool
may_look(pid_t pid)
{
	char path[64], link[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return readlink(path, link, sizeof(link)) >= 0 || (errno != EACCES && errno != EPERM);
}

/* Fields of /proc/PID/stat. */
enum { STAT_STATE = 3, STAT_EXIT_CODE = 52 };

/* -ESRCH: reaped, or not to be known. */
static int
ask_proc(const struct state *state, int *ret_status)
{
	char path[64], text[2048];
	const char *process_state, *last;
	uint64_t start_time;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)state->pid);
	if (fd_read_record_at(AT_FDCWD, path, text, sizeof(text)) < 0 || !may_look(state->pid))
		return -ESRCH;
	process_state = proc_stat_field(text, STAT_STATE);
	last = proc_stat_field(text, STAT_EXIT_CODE);
	if (!last || *process_state != 'Z')
		return -ESRCH;
	/* The pid may be another's by now. */
	if (state_pid_start_time(state->pid, &start_time) < 0 || start_time != state->pid_start_time)
		return -ESRCH;
	*ret_status = (int)strtol(last, NULL, 10);
	return 0;
}

/* As a shell has it. */
static int
exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
container_wait_known(const struct state *state)
{
	int status;

	if (state->has_exit_status)
		return (int)state->exit_status;
	return state->pid > 0 && !state->other_boot && ask_proc(state, &status) == 0 ? exit_status_of(status) : -1;
}

/* Until the pidfd has one of the events; without any: until it is hung up. */
static int
poll_for_ever(int pidfd, short events, struct end_watch *watch)
{
	for (;;) {
		struct pollfd p[1 + END_WATCH_FILES] = { { .fd = pidfd, .events = events } };
		int r;

		end_watch_poll(watch, &p[1]);
		r = poll(p, 1 + END_WATCH_FILES, -1);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0)
			end_watch_read(watch);
		if (r > 0 && p[0].revents)
			return 0;
	}
}

static int
lost(const struct state *state, struct err *err)
{
	err_plain(err,
		  "the exit status of container \"%s\" is lost: its parent reaped the process before "
		  "anybody asked (hint: run knarr wait before the container exits)",
		  state->id);
	return -ECHILD;
}

static int
learn_status(struct container_wait *wait, struct err *err, int *ret_status)
{
	int r = poll_for_ever(wait->pidfd, POLLIN, &wait->watch);

	while (r == 0) {
		int asked = ask_pidfd(wait->pidfd, ret_status);

		if (asked == 0 || ask_proc(wait->state, ret_status) == 0)
			return 0;
		if (asked == -ENOTTY)
			return lost(wait->state, err);
		/* A zombie that we may not look at: until it is reaped. */
		r = poll_for_ever(wait->pidfd, 0, NULL);
	}
	return err_set(err, -r, "wait for process %d of container \"%s\"", (int)wait->state->pid, wait->state->id);
}

/* ---- keeping it -------------------------------------------------------- */

void
container_wait_keep(const struct container_env *env, const struct state *state, int exit_status, const char *reason)
{
	auto_close int lock = -1;
	struct state_dir d;
	struct state *now;
	struct err err;

	err_clear(&err);
	if (state_open(env->root, state->id, /* lock= */ false, env->arena, &err, &d) < 0)
		return;
	lock = openat(d.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Not waited for: a delete that runs this command in a hook holds it. Loaded
	 * again below it: only then nobody else changes the state. */
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 &&
	    state_load(&d, state->id, env->arena, &err, &now) == 0 && now->pid == state->pid &&
	    now->pid_start_time == state->pid_start_time) {
		now->has_exit_status = exit_status != END_CODE_UNKNOWN;
		now->exit_status = now->has_exit_status ? (uint32_t)exit_status : 0;
		now->exit_reason = reason ? arena_strdup(env->arena, reason) : NULL;
		if (state_save(&d, now, &err) < 0)
			log_debug("%s", err.msg);
	}
	state_close(&d);
}

/* ---- waiting ----------------------------------------------------------- */

/* As state_pidfd(), but a zombie is welcome. */
static int
open_init(const struct state *state)
{
	auto_close int fd = state->pid > 0 && !state->other_boot ? process_open(state->pid) : -ESRCH;
	uint64_t start_time;
	int r;

	if (fd < 0)
		return fd_take(&fd);
	r = state_pid_start_time(state->pid, &start_time);
	if (r < 0)
		return r;
	return start_time == state->pid_start_time ? fd_take(&fd) : -ESRCH;
}

int
container_wait_begin(const struct container_env *env, const char *id, struct err *err, struct container_wait *ret_wait)
{
	struct container_wait w = { .pidfd = -1, .watch = END_WATCH_NONE };
	enum container_status status;
	int r = container_state(env, id, err, &w.state, &status);

	if (r < 0)
		return r;
	if (w.state->pid <= 0 || w.state->joining) {
		err_plain(err, "container \"%s\" has no process yet", id);
		return -ESRCH;
	}
	if (!w.state->has_exit_status)
		w.pidfd = open_init(w.state);
	if (w.pidfd < 0 && w.pidfd != -ESRCH && !w.state->has_exit_status)
		return err_set(err, -w.pidfd, "open process %d of container \"%s\"", (int)w.state->pid, id);
	/* All that needs the mark of its cgroup is done before container_wait_restrain(). */
	if (w.pidfd >= 0)
		end_watch_of_state(&w.watch, w.state);
	else
		w.reason = end_reason_of_state(
			w.state, w.state->has_exit_status ? (int)w.state->exit_status : END_CODE_UNKNOWN, env->arena);
	*ret_wait = w;
	return 0;
}

int
container_wait_restrain(struct err *err)
{
	/* Its status is for those who may look into a process. The state root may be in a
	 * directory that is closed to others. */
	const struct restrain_options restraint = {
		.uses_files = true,
		.looks_into_processes = true,
		.capabilities = RESTRAIN_CAPABILITY(CAP_SYS_PTRACE) | RESTRAIN_CAPABILITY(CAP_DAC_READ_SEARCH),
	};

	return restrain_self(&restraint, err);
}

int
container_wait_finish(const struct container_env *env, struct container_wait *wait, struct err *err, int *ret_exit)
{
	int status = 0, code, r;

	if (wait->state->has_exit_status) {
		*ret_exit = (int)wait->state->exit_status;
		return 0;
	}
	if (wait->pidfd < 0)
		return lost(wait->state, err);
	r = learn_status(wait, err, &status);
	wait->pidfd = fd_close(wait->pidfd);
	end_watch_close(&wait->watch);
	code = r < 0 ? END_CODE_UNKNOWN : exit_status_of(status);
	wait->reason = end_reason(&wait->watch, code, env->arena);
	if (r == 0 || wait->reason)
		container_wait_keep(env, wait->state, code, wait->reason);
	if (r == 0)
		*ret_exit = code;
	return r;
}
