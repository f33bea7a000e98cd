/* The channel between the runtime and the init, from the runtime's side: memory that
 * both share, the init's requests and their answers, and how `start` reaches the init of
 * a container that was created. Theory of operation: stage.h.
 *
 * The init is not trusted with more than its plan: once it has entered the container's
 * namespaces, what comes over the channel is checked against the set of messages
 * that the plan calls for, each once. */
#include "libcontainer/stage/stage_channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory_file.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/stage_error.h"
#include "libcontainer/stage/stage_hold.h"
#include "libcontainer/stage/stage_join.h"

void
stage_init(struct stage *stage)
{
	*stage = (struct stage){ .pidfd = -1, .channel = -1, .status_fd = -1, .cgroup_fd = -1 };
}

int
stage_map_status(struct stage *stage, bool with_fd, struct err *err)
{
	int flags = MAP_SHARED;
	void *mem;

	if (with_fd) {
		int fd = memory_file("knarr-status");

		if (fd < 0)
			return err_set(err, -fd, "make the shared status");
		stage->status_fd = fd;
		if (ftruncate(stage->status_fd, sizeof(*stage->status)) < 0)
			return err_set(err, errno, "make the shared status");
	} else {
		flags |= MAP_ANONYMOUS;
	}
	mem = mmap(NULL, sizeof(*stage->status), PROT_READ | PROT_WRITE, flags, stage->status_fd, 0);
	if (mem == MAP_FAILED)
		return err_set(err, errno, "map the shared status");
	stage->status = mem;
	return 0;
}

/* ---- serving ---------------------------------------------------------- */

/* The end of the channel: execve, a failed step, or a death. */
static int
channel_ended(struct stage *stage, const struct plan *plan, struct err *err, enum stage_message *ret_message)
{
	int r = stage_error(stage, plan, err);

	if (r < 0)
		return r;
	if (!__atomic_load_n(&stage->status->at_exec, __ATOMIC_ACQUIRE))
		return stage_error_killed(plan, err);
	*ret_message = STAGE_EXECED;
	return 0;
}

static ssize_t
receive(int channel, struct stage_packet *ret_packet, int *ret_fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { ret_packet, sizeof(*ret_packet) };
	/* Not the size of control: its padding has room for a second descriptor, which nobody would close. */
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))
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

static bool
carries_fd(uint32_t message)
{
	return message == STAGE_CONSOLE || message == STAGE_STATUS || message == STAGE_LISTENER;
}

/* Until there is something on the channel, or knarr:[join] has ended: 1 then, 0 else. */
static int
await_event(const struct stage *stage, struct err *err)
{
	struct pollfd p[] = { { stage->channel, POLLIN, 0 }, { stage->is_joining ? stage->pidfd : -1, POLLIN, 0 } };
	unsigned times_held = 0;
	int n, r = 0;

	while (r == 0 && (n = poll(p, 2, STAGE_HOLD_INTERVAL)) <= 0) {
		if (n < 0 && errno != EINTR)
			r = err_set(err, errno, "wait for the container's init");
		else if (n == 0)
			r = stage_hold_look(stage, &times_held, err);
	}
	return r < 0 ? r : p[1].revents != 0;
}

int
stage_next(struct stage *stage, const struct plan *plan, struct err *err, enum stage_message *ret_message, int *ret_fd)
{
	struct stage_packet packet = { 0 };
	auto_close int fd = -1;
	ssize_t n;
	int r;

	*ret_fd = -1;
	if (stage->is_seen && (r = await_event(stage, err)) != 0) {
		*ret_message = STAGE_BORN;
		return r < 0 ? r : stage_join_take_init(stage, plan, err);
	}
	n = receive(stage->channel, &packet, &fd);
	/* It has closed its side, and is about to end. */
	if (n == 0 && stage->is_joining) {
		*ret_message = STAGE_BORN;
		return stage_join_take_init(stage, plan, err);
	}
	if (n < 0)
		return err_set(err, (int)-n, "receive from the container's init");
	if (n == 0)
		return channel_ended(stage, plan, err, ret_message);
	if (n != sizeof(packet) || packet.message >= STAGE_MESSAGE_COUNT || !(stage->expected & (1u << packet.message)))
		return err_plain(err, "the container's init sent a message that its plan does not call for (%u)",
				 packet.message);
	stage->expected &= ~(1u << packet.message);
	if (packet.message == STAGE_LEAVE) {
		r = stage_join_leave_cgroup(stage, err);
		if (r == 0)
			r = stage_reply(stage, STAGE_LEFT, err);
		return r < 0 ? r : stage_next(stage, plan, err, ret_message, ret_fd);
	}
	if (carries_fd(packet.message) && fd < 0)
		return err_plain(err, "the container's init sent no descriptor with message %u", packet.message);
	*ret_fd = fd_take(&fd);
	*ret_message = (enum stage_message)packet.message;
	return 0;
}

int
stage_reply(struct stage *stage, enum stage_message message, struct err *err)
{
	struct stage_packet packet = { .message = message };
	ssize_t n = send(stage->channel, &packet, sizeof(packet), MSG_NOSIGNAL);

	if (n < 0) {
		enum stage_message ignored;
		int code = errno;

		/* It is gone: its own words are better than EPIPE. */
		int r = code == EPIPE ? channel_ended(stage, NULL, err, &ignored) : 0;

		return r < 0 ? r : err_set(err, code, "answer the container's init");
	}
	return 0;
}
