/* Theory of operation: see stage.h. This file is the runtime's half: cloning,
 * id maps, and serving the init's requests. The init's half is stage_child.c. */
#include "libcontainer/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/resctrl.h"
#include "libcontainer/credentials.h"
#include "libcontainer/planrun.h"
#include "libcontainer/stage_child.h"
#include "namespaces/idmap.h"
#include "namespaces/mount_sources.h"
#include "namespaces/net_devices.h"

/* ---- shared status --------------------------------------------------- */

static int
map_status(struct stage *g, bool with_fd, struct err *err)
{
	int flags = MAP_SHARED;
	void *mem;

	if (with_fd) {
		g->status_fd = memfd_create("knarr-status", MFD_CLOEXEC);
		if (g->status_fd < 0 || ftruncate(g->status_fd, sizeof(*g->status)) < 0)
			return err_set(err, errno, "make the shared status");
	} else {
		flags |= MAP_ANONYMOUS;
	}
	mem = mmap(NULL, sizeof(*g->status), PROT_READ | PROT_WRITE, flags, g->status_fd, 0);
	if (mem == MAP_FAILED)
		return err_set(err, errno, "map the shared status");
	g->status = mem;
	err_clear(&g->status->err);
	return 0;
}

static void
stage_init(struct stage *g)
{
	*g = (struct stage){ .pidfd = -1, .channel = -1, .status_fd = -1 };
}

void
stage_close(struct stage *g)
{
	g->pidfd = fd_close(g->pidfd);
	g->channel = fd_close(g->channel);
	g->status_fd = fd_close(g->status_fd);
	if (g->status)
		munmap(g->status, sizeof(*g->status));
	g->status = NULL;
	stage_settle(g);
}

void
stage_settle(struct stage *g)
{
	net_devices_free(g->net_devices);
	g->net_devices = NULL;
}

void
stage_kill(struct stage *g)
{
	net_devices_undo(g->net_devices);
	if (g->pid <= 0)
		return;
	kill(g->pid, SIGKILL);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
}

/* ---- spawn ----------------------------------------------------------- */

/* What the plan will ask for; everything else is refused. */
static uint32_t
expected_messages(const struct plan *p)
{
	uint32_t set = 0;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];

		if (s->kind == PLAN_ASK_HOOKS)
			set |= 1u << STAGE_HOOKS;
		if (s->kind == PLAN_OPEN_CONSOLE)
			set |= 1u << STAGE_CONSOLE;
		if (s->kind == PLAN_WAIT_START)
			set |= 1u << STAGE_READY;
		if (s->kind == PLAN_LOAD_SECCOMP && s->u.seccomp.notify && !p->stage.is_create)
			set |= 1u << STAGE_LISTENER;
	}
	return set;
}

static int
write_oom_score(const struct plan *p, pid_t pid, struct err *err)
{
	char path[64], text[16];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	snprintf(text, sizeof(text), "%d", p->stage.oom_score);
	r = fd_write_file_at(AT_FDCWD, path, text);
	if (r < 0)
		return err_set(err, -r, "process.oomScoreAdj: write %s to %s", text, path);
	return 0;
}

/* What only the runtime can do for the init, which waits for MAPPED meanwhile. */
static int
prepare_init(struct stage *g, const struct plan *p, const struct stage_options *o, struct err *err)
{
	int r = 0;

	if (p->stage.map_how != PLAN_MAP_NONE)
		r = idmap_write(p, g->pid, err);
	if (r == 0 && p->stage.has_oom_score)
		r = write_oom_score(p, g->pid, err);
	if (r == 0 && p->stage.resctrl)
		r = resctrl_join(o->resctrl, g->pid, err);
	if (r == 0 && p->stage.net_devices.n)
		r = net_devices_move(p, g->pid, err, &g->net_devices);
	if (r == 0 && stage_child_waits(p))
		credentials_raise_limits(p, g->pid);
	if (r == 0 && stage_child_waits(p) && !o->hold)
		r = stage_release(g, err);
	return r;
}

int
stage_release(struct stage *g, struct err *err)
{
	return stage_reply(g, STAGE_MAPPED, err);
}

/* knarr:[join] ends as soon as it has cloned the init, and leaves its pid in the
 * status; its own failure lies there too. */
static int
collect_join(struct stage *g, pid_t join, struct err *err)
{
	int status;

	while (waitpid(join, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for the process that joins namespaces");
	if (g->status->err.msg[0]) {
		*err = g->status->err;
		return err->code ? -err->code : -EINVAL;
	}
	g->pid = g->status->init_pid;
	if (g->pid <= 0)
		return err_plain(err, "the process that joins namespaces ended with wait status %#x", (unsigned)status);
	g->pidfd = (int)syscall(SYS_pidfd_open, g->pid, 0);
	if (g->pidfd < 0)
		return err_set(err, errno, "open a pidfd of the container's init");
	return 0;
}

static int
clone_error(const struct plan *p, int code, struct err *err)
{
	const char *hint = "";

	if (p->stage.enters)
		return err_set(
			err, code, "make a process in the container's cgroup%s",
			code == EACCES && geteuid() != 0
				? " (hint: an ordinary user must call knarr from a cgroup that is delegated to him)"
				: "");
	if (code == ENOSPC || code == EUSERS)
		hint = " (a limit in /proc/sys/user/max_*_namespaces is reached)";
	else if (code == EPERM && (p->stage.clone_flags & CLONE_NEWUSER))
		hint = " (user namespaces are forbidden here: see /proc/sys/kernel/unprivileged_userns_clone, "
		       "/proc/sys/user/max_user_namespaces and AppArmor's restriction)";
	else if (code == EAGAIN)
		hint = " (a limit on processes is reached: RLIMIT_NPROC, or pids.max of a cgroup)";
	else if (code == EPERM)
		hint = " (new namespaces need root or a user namespace in linux.namespaces)";
	return err_set(err, code, "linux.namespaces: create the container's first process%s", hint);
}

static int
clone_child(struct stage *g, const struct plan *p, const struct stage_options *o, struct plan_ctx *c, struct err *err)
{
	bool joins = p->stage.n_joins > 0 || p->stage.enters;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&g->pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (!joins)
		args.flags |= stage_child_clone_flags(p);
	if (o->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)o->cgroup_fd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return clone_error(p, errno, err);
	if (pid == 0) {
		/* Before it is in a pid namespace where a container may look at it
		 * (CVE-2016-9962). */
		if (o->not_dumpable)
			prctl(PR_SET_DUMPABLE, 0);
		if (joins)
			stage_join(c, g->status, o);
		stage_child(c, g->status, o);
	}
	if (joins) {
		g->pidfd = fd_close(g->pidfd);
		return collect_join(g, pid, err);
	}
	g->pid = pid;
	return 0;
}

int
stage_spawn(const struct plan *p, const struct stage_options *o, struct err *err, struct stage *ret_stage)
{
	static struct plan_ctx ctx; /* 4 KiB of slots: too large for the stack, and one container per process */
	static const char *vectors[2][STAGE_MAX_VECTOR];
	struct stage g;
	int pair[2] = { -1, -1 };
	int r;

	stage_init(&g);
	ctx = (struct plan_ctx){ .plan = p, .argv = vectors[0], .envp = vectors[1], .max_vector = STAGE_MAX_VECTOR };
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		ctx.fds[i] = -1;

	r = map_status(&g, p->stage.is_create, err);
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		r = err_set(err, errno, "make the channel to the container's init");
	if (r == 0)
		r = mount_sources_open(p, ctx.fds, err);
	if (r == 0) {
		g.channel = pair[0];
		ctx.err = &g.status->err;
		ctx.fds[PLAN_FD_CHANNEL] = pair[1];
		ctx.fds[PLAN_FD_START] = o->start_fd;
		ctx.fds[PLAN_FD_STATUS] = g.status_fd;
		ctx.fds[PLAN_FD_HOOK_STDOUT] = o->hook_stdout > 0 ? o->hook_stdout : -1;
		ctx.fds[PLAN_FD_HOOK_STDERR] = o->hook_stderr > 0 ? o->hook_stderr : -1;
		if (p->stage.enters) {
			ctx.fds[PLAN_FD_INIT] = o->init_pidfd;
			ctx.fds[PLAN_FD_ROOT] = o->root_fd;
		}
		g.expected = expected_messages(p);
		r = clone_child(&g, p, o, &ctx, err);
	}
	fd_close(pair[1]);
	mount_sources_close(p, ctx.fds);
	if (r == 0)
		r = prepare_init(&g, p, o, err);
	if (r < 0) {
		stage_kill(&g);
		if (g.channel < 0)
			fd_close(pair[0]);
		stage_close(&g);
		return r;
	}
	*ret_stage = g;
	return 0;
}

/* ---- serving --------------------------------------------------------- */

/* The end of the channel: execve, a failed step, or a death. */
static int
channel_ended(struct stage *g, const struct plan *p, struct err *err, enum stage_message *ret_message)
{
	if (g->status->err.msg[0]) {
		const char *hint;

		*err = g->status->err;
		err->msg[ERR_MSG_MAX - 1] = '\0';
		hint = p ? plan_hint(p, err) : NULL;
		if (hint) {
			size_t n = strlen(err->msg);

			snprintf(err->msg + n, sizeof(err->msg) - n, " (%s)", hint);
		}
		return err->code ? -err->code : -EINVAL;
	}
	if (!__atomic_load_n(&g->status->at_exec, __ATOMIC_ACQUIRE)) {
		err_plain(err, "the %s was killed while it was being set up",
			  p && p->stage.enters ? "process" : "container's init");
		return -ECHILD;
	}
	*ret_message = STAGE_EXECED;
	return 0;
}

/* The init announced the number that its listener will have: wait for it to be
 * there and take it. The init spins until listener_taken, it cannot run away. */
static int
take_listener(struct stage *g, int number, struct err *err, int *ret_fd)
{
	const struct timespec pause = { 0, 50 * 1000 };

	for (;;) {
		int fd = (int)syscall(SYS_pidfd_getfd, g->pidfd, number, 0);

		if (fd >= 0) {
			__atomic_store_n(&g->status->listener_taken, 1, __ATOMIC_RELEASE);
			*ret_fd = fd;
			return 0;
		}
		if (errno != EBADF)
			return err_set(err, errno, "linux.seccomp: take the listener from the container's init");
		if (g->status->err.msg[0])
			return channel_ended(g, NULL, err, NULL);
		nanosleep(&pause, NULL);
	}
}

static ssize_t
receive(int channel, struct stage_packet *ret_packet, int *ret_fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { ret_packet, sizeof(*ret_packet) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*ret_fd = -1;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	return n;
}

int
stage_next(struct stage *g, const struct plan *p, struct err *err, enum stage_message *ret_message, int *ret_fd)
{
	struct stage_packet packet;
	auto_close int fd = -1;
	ssize_t n = receive(g->channel, &packet, &fd);

	*ret_fd = -1;
	if (n < 0)
		return err_set(err, (int)-n, "receive from the container's init");
	if (n == 0)
		return channel_ended(g, p, err, ret_message);
	if (n != sizeof(packet) || packet.message >= STAGE_MESSAGE_COUNT || !(g->expected & (1u << packet.message)))
		return err_plain(err, "the container's init sent a message that its plan does not call for (%u)",
				 packet.message);
	g->expected &= ~(1u << packet.message);
	if ((packet.message == STAGE_CONSOLE || packet.message == STAGE_STATUS) && fd < 0)
		return err_plain(err, "the container's init sent no descriptor with message %u", packet.message);
	if (packet.message == STAGE_LISTENER) {
		int r = take_listener(g, packet.value, err, ret_fd);

		if (r < 0)
			return r;
	} else {
		*ret_fd = fd_take(&fd);
	}
	*ret_message = (enum stage_message)packet.message;
	return 0;
}

int
stage_reply(struct stage *g, enum stage_message message, struct err *err)
{
	struct stage_packet packet = { .message = message };
	ssize_t n = send(g->channel, &packet, sizeof(packet), MSG_NOSIGNAL);

	if (n < 0) {
		enum stage_message ignored;
		int code = errno;

		/* It is gone: its own words are better than EPIPE. */
		int r = code == EPIPE ? channel_ended(g, NULL, err, &ignored) : 0;

		return r < 0 ? r : err_set(err, code, "answer the container's init");
	}
	return 0;
}

/* ---- start ----------------------------------------------------------- */

static void
start_address(int dirfd, struct sockaddr_un *ret_addr)
{
	/* Through /proc, since <root>/<id> may be longer than sun_path. */
	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_addr->sun_path, sizeof(ret_addr->sun_path), "/proc/self/fd/%d/start.sock", dirfd);
}

int
stage_listen(int dirfd, struct err *err, int *ret_fd)
{
	struct sockaddr_un addr;
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	start_address(dirfd, &addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_set(err, errno, "make start.sock in the state directory");
	*ret_fd = fd_take(&fd);
	return 0;
}

static int
receive_status(struct stage *g, struct err *err)
{
	enum stage_message message;
	void *mem;
	int r = stage_next(g, NULL, err, &message, &g->status_fd);

	if (r < 0)
		return r;
	mem = mmap(NULL, sizeof(*g->status), PROT_READ | PROT_WRITE, MAP_SHARED, g->status_fd, 0);
	if (mem == MAP_FAILED)
		return err_set(err, errno, "map the status of the container's init");
	munmap(g->status, sizeof(*g->status));
	g->status = mem;
	return 0;
}

int
stage_connect(int dirfd, pid_t pid, bool expects_listener, struct err *err, struct stage *ret_stage)
{
	struct sockaddr_un addr;
	struct stage g;
	int r;

	stage_init(&g);
	g.pid = pid;
	g.expected = 1u << STAGE_STATUS | (expects_listener ? 1u << STAGE_LISTENER : 0);
	start_address(dirfd, &addr);
	r = map_status(&g, /* with_fd= */ false, err);
	if (r == 0) {
		g.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		g.channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		if (g.pidfd < 0 || g.channel < 0 || connect(g.channel, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			r = err_set(err, errno, "connect to the container's init");
	}
	if (r == 0)
		r = receive_status(&g, err);
	if (r < 0) {
		stage_close(&g);
		return r;
	}
	*ret_stage = g;
	return 0;
}
