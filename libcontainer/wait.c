/* Theory of operation: see wait.h. A pidfd is readable when the process is a
 * zombie, and hung up when it was reaped. PIDFD_GET_INFO has the status from the
 * reaping on; /proc/PID/stat has it until then, but shows 0 to a reader who may not
 * know it, which is found out first. So the two are asked in turn until one of
 * them has an answer, and where the kernel has no PIDFD_INFO_EXIT and the process
 * was reaped in between, there is none. */
#include "libcontainer/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/end_reason.h"

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

/* Field 52 of /proc/PID/stat, the last one; -ESRCH: reaped, or not to be known. */
static int
ask_proc(const struct state *s, int *ret_status)
{
	char path[64], text[2048], *name_end, *last;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)s->pid);
	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0 || !may_look(s->pid))
		return -ESRCH;
	text[strcspn(text, "\n")] = '\0';
	name_end = strrchr(text, ')');
	last = strrchr(text, ' ');
	if (!name_end || strncmp(name_end, ") Z ", 4) || !last)
		return -ESRCH;
	/* The pid may be another's by now. */
	if (state_pid_start_time(s->pid) != s->pid_start_time)
		return -ESRCH;
	*ret_status = (int)strtol(last + 1, NULL, 10);
	return 0;
}

/* As a shell has it. */
static int
exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
container_wait_known(const struct state *s)
{
	int status;

	if (s->has_exit_status)
		return (int)s->exit_status;
	return s->pid > 0 && ask_proc(s, &status) == 0 ? exit_status_of(status) : -1;
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
lost(const struct state *s, struct err *err)
{
	err_plain(err,
		  "the exit status of container \"%s\" cannot be known: its process was reaped by its parent before "
		  "anybody asked; let `knarr wait` run before the container ends",
		  s->id);
	return -ECHILD;
}

static int
learn_status(struct container_wait *w, struct err *err, int *ret_status)
{
	int r = poll_for_ever(w->pidfd, POLLIN, &w->watch);

	while (r == 0) {
		int asked = ask_pidfd(w->pidfd, ret_status);

		if (asked == 0 || ask_proc(w->state, ret_status) == 0)
			return 0;
		if (asked == -ENOTTY)
			return lost(w->state, err);
		/* A zombie that we may not look at: until it is reaped. */
		r = poll_for_ever(w->pidfd, 0, NULL);
	}
	return err_set(err, -r, "wait for process %d of container \"%s\"", (int)w->state->pid, w->state->id);
}

/* ---- keeping it -------------------------------------------------------- */

void
container_wait_keep(const struct container_env *env, const struct state *s, int exit_status, const char *reason)
{
	auto_close int lock = -1;
	struct state_dir d;
	struct state *now;
	struct err err;

	err_clear(&err);
	if (state_open(env->root, s->id, /* lock= */ false, env->arena, &err, &d) < 0)
		return;
	lock = openat(d.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Not waited for: a delete that runs this command in a hook holds it. Loaded
	 * again below it: only then nobody else changes the state. */
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 && state_load(&d, s->id, env->arena, &err, &now) == 0 &&
	    now->pid == s->pid && now->pid_start_time == s->pid_start_time) {
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
open_init(const struct state *s)
{
	auto_close int fd = s->pid > 0 ? (int)syscall(SYS_pidfd_open, s->pid, 0) : -1;

	if (s->pid <= 0 || (fd < 0 && errno == ESRCH))
		return -ESRCH;
	if (fd < 0)
		return -errno;
	return state_pid_start_time(s->pid) == s->pid_start_time ? fd_take(&fd) : -ESRCH;
}

int
container_wait_begin(const struct container_env *env, const char *id, struct err *err, struct container_wait *ret_wait)
{
	struct container_wait w = { .pidfd = -1, .watch = END_WATCH_NONE };
	enum container_status status;
	int r = container_state(env, id, err, &w.state, &status);

	if (r < 0)
		return r;
	if (w.state->pid <= 0) {
		err_plain(err, "container \"%s\" has no process yet", id);
		return -ESRCH;
	}
	if (!w.state->has_exit_status)
		w.pidfd = open_init(w.state);
	if (w.pidfd < 0 && w.pidfd != -ESRCH && !w.state->has_exit_status)
		return err_set(err, -w.pidfd, "open process %d of container \"%s\"", (int)w.state->pid, id);
	if (w.pidfd >= 0)
		end_watch_of_state(&w.watch, w.state);
	*ret_wait = w;
	return 0;
}

int
container_wait_finish(const struct container_env *env, struct container_wait *w, struct err *err, int *ret_exit)
{
	int status = 0, code, r;

	if (w->state->has_exit_status) {
		*ret_exit = (int)w->state->exit_status;
		w->reason = end_reason_of_state(w->state, *ret_exit, env->arena);
		return 0;
	}
	if (w->pidfd < 0) {
		w->reason = end_reason_of_state(w->state, END_CODE_UNKNOWN, env->arena);
		return lost(w->state, err);
	}
	r = learn_status(w, err, &status);
	w->pidfd = fd_close(w->pidfd);
	end_watch_close(&w->watch);
	code = r < 0 ? END_CODE_UNKNOWN : exit_status_of(status);
	w->reason = end_reason(&w->watch, code, env->arena);
	if (r == 0 || w->reason)
		container_wait_keep(env, w->state, code, w->reason);
	if (r == 0)
		*ret_exit = code;
	return r;
}
