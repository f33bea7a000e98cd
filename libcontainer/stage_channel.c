/* The channel between the runtime and the init, from the runtime's side: memory that
 * both share, the init's requests and their answers, and how `start` reaches the init of
 * a container that was created. Theory of operation: stage.h.
 *
 * The init is not trusted with more than its plan: once it has entered the container's
 * namespaces, what comes over the channel is checked against the set of messages
 * that the plan calls for, each once. */
#include "libcontainer/stage_channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/planrun.h"
#include "libcontainer/stage_child.h"

void
stage_init(struct stage *g)
{
	*g = (struct stage){ .pidfd = -1, .channel = -1, .status_fd = -1 };
}

int
stage_map_status(struct stage *g, bool with_fd, struct err *err)
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

/* ---- serving ---------------------------------------------------------- */

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

/* ---- start ------------------------------------------------------------ */

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
	r = stage_map_status(&g, /* with_fd= */ false, err);
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
