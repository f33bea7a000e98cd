/* The init's side of the channel: one packet at a time, at most one descriptor with it.
 * Runs between clone and execve: nothing here allocates. The protocol is drawn in stage.h;
 * the runtime's side is stage_channel.c. */
#include "libcontainer/stage/stage_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/process.h"

static int
send_packet(int channel, const struct stage_packet *packet, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)packet, sizeof(*packet) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(channel, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int
stage_await_any(struct plan_ctx *c, enum stage_message *ret_message)
{
	struct stage_packet packet;
	ssize_t n;

	do
		n = recv(c->fds[PLAN_FD_CHANNEL], &packet, sizeof(packet), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(c->err, errno, "receive from the runtime");
	if (n == 0)
		return err_plain(c->err, "the runtime exited while the container was being set up");
	if (n != sizeof(packet) || packet.message >= STAGE_MESSAGE_COUNT)
		return err_plain(c->err, "the runtime sent an unexpected answer");
	*ret_message = (enum stage_message)packet.message;
	return 0;
}

int
stage_await(struct plan_ctx *c, enum stage_message wanted)
{
	enum stage_message message;
	int r = stage_await_any(c, &message);

	if (r == 0 && message != wanted)
		r = err_plain(c->err, "the runtime sent an unexpected answer");
	return r;
}

int
stage_ask(struct plan_ctx *c, enum stage_message message, int32_t value, int fd, enum stage_message answer)
{
	struct stage_packet packet = { .message = message, .value = value };
	int r = send_packet(c->fds[PLAN_FD_CHANNEL], &packet, fd);

	if (r < 0)
		return err_set(c->err, -r, "send to the runtime");
	return answer == STAGE_NONE ? 0 : stage_await(c, answer);
}

int
stage_send_console(struct plan_ctx *c, int master)
{
	return stage_ask(c, STAGE_CONSOLE, 0, master, STAGE_NONE);
}

/* ---- life and death ---------------------------------------------------- */

/* At its end the channel is when nobody has the other side any more. */
static int
check_runtime_is_there(struct plan_ctx *c)
{
	char byte;
	ssize_t n = recv(c->fds[PLAN_FD_CHANNEL], &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n == 0)
		return err_plain(c->err, "the runtime exited while the container was being set up");
	if (n < 0 && errno != EAGAIN) /* it has said nothing yet */
		return err_set(c->err, errno, "look whether the runtime is there");
	return 0;
}

/* The parent may have died before prctl. */
int
stage_die_with_runtime(struct plan_ctx *c)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(c->err, errno, "set the parent-death signal");
	return check_runtime_is_there(c);
}

/* The runtime may have died at any time before, and `start` is not a parent. */
int
stage_outlive_runtime(struct plan_ctx *c)
{
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_set(c->err, errno, "clear the parent-death signal");
	return check_runtime_is_there(c);
}

void
stage_fail(struct plan_ctx *c)
{
	c->status->err = *c->err;
	__atomic_store_n(&c->status->failed, 1, __ATOMIC_RELEASE);
	process_end(1);
}
