/* A stream may take a message in parts: the descriptor travels with the first of them. */
#include "base/fd_pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head;
};

static ssize_t
send_some(int socket, const struct msghdr *msg)
{
	ssize_t n;

	do
		n = sendmsg(socket, msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int
fd_send(int socket, int fd, const void *data, size_t len)
{
	union control control = { { 0 } };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	/* A stream may take the data in parts; the descriptor went with the first. */
	while (iov.iov_len > 0) {
		ssize_t n = send_some(socket, &msg);

		if (n < 0)
			return (int)n;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

static int
take_fd(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

ssize_t
fd_receive(int socket, void *buf, size_t size, int *ret_fd)
{
	union control control;
	struct iovec iov = { buf, size };
	/* Not the size of control: its padding has room for a second descriptor, which nobody would close. */
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))
	};
	ssize_t n;
	int fd;

	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	fd = take_fd(&msg);
	if (msg.msg_flags & MSG_TRUNC) {
		fd_close(fd);
		return -EMSGSIZE;
	}
	*ret_fd = fd;
	return n;
}
