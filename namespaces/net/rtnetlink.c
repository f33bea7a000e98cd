/* A socket belongs for good to the network namespace that it was made in, so the
 * runtime enters another one only for the moment of socket(2). Every request
 * asks for an acknowledgement, or is a dump, which ends by itself: what comes
 * before the end is the answer. */
#include "namespaces/net/rtnetlink.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fd.h"

#define ALIGN(n)    (((n) + (size_t)3) & ~(size_t)3)
#define BUFFER_SIZE 65536 /* the kernel fills at most 32 KiB at once */

int
rtnetlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

int
rtnetlink_open_in(int ns_fd, int own_fd)
{
	auto_close int fd = -1;

	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return -errno;
	fd = rtnetlink_open();
	if (setns(own_fd, CLONE_NEWNET) < 0)
		return -errno;
	return fd < 0 ? fd : fd_take(&fd);
}

void
rtnetlink_begin(struct rtnetlink_request *request, uint16_t type, uint16_t flags, const void *header, size_t len)
{
	memset(request, 0, sizeof(*request));
	request->h.nlmsg_type = type;
	request->h.nlmsg_flags = NLM_F_REQUEST | flags;
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->h.nlmsg_flags |= NLM_F_ACK;
	memcpy(request->body, header, len);
	request->h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + ALIGN(len));
}

void
rtnetlink_add(struct rtnetlink_request *request, uint16_t type, const void *data, size_t len)
{
	struct rtattr attr = { .rta_len = (uint16_t)(sizeof(attr) + len), .rta_type = type };
	size_t at = request->h.nlmsg_len, end = at + sizeof(attr) + ALIGN(len);
	char *to = (char *)request + at;

	if (at > sizeof(*request) || end > sizeof(*request)) {
		request->h.nlmsg_len = sizeof(*request) + 1;
		return;
	}
	memcpy(to, &attr, sizeof(attr));
	if (len)
		memcpy(to + sizeof(attr), data, len);
	request->h.nlmsg_len = (uint32_t)end;
}

/* An acknowledgement has an error or 0, and so does the end of a dump. */
static int
read_end(const struct nlmsghdr *header)
{
	int code = 0;

	if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
		memcpy(&code, NLMSG_DATA(header), sizeof(code));
	else if (header->nlmsg_type == NLMSG_ERROR)
		return -EPROTO;
	if (code > 0)
		return -EPROTO;
	return code ? code : 1;
}

/* Looks for the end in what was received: 1 found, 0 not yet, or the error. len is
 * aligned, as the step from one message to the next is. */
static int
find_end(const struct nlmsghdr *header, size_t len)
{
	for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len))
		if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR)
			return read_end(header);
	return 0;
}

/* One packet of the kernel's. In a container's network namespace its root may send some, too. */
static ssize_t
receive(int fd, char *buffer)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, BUFFER_SIZE, 0, (struct sockaddr *)&from, &len);

		if (n == 0)
			return -EPROTO;
		if (n > 0 && from.nl_pid == 0)
			return n;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static void
append(struct arena *a, struct rtnetlink_answer *answer, const void *data, size_t len)
{
	char *all = arena_grow(a, answer->first, answer->len, answer->len + ALIGN(len));

	memcpy(all + answer->len, data, len);
	answer->first = (struct nlmsghdr *)(void *)all;
	answer->len += ALIGN(len);
}

int
rtnetlink_ask(int fd, struct rtnetlink_request *request, struct arena *a, struct rtnetlink_answer *ret_answer)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct rtnetlink_answer answer = { 0 };
	char *buffer;
	int end = 0;

	if (request->h.nlmsg_len > sizeof(*request))
		return -EMSGSIZE;
	if (sendto(fd, request, request->h.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	buffer = arena_alloc(a, BUFFER_SIZE);
	while (end == 0) {
		ssize_t n = receive(fd, buffer);

		if (n < 0)
			return (int)n;
		end = find_end((const struct nlmsghdr *)(const void *)buffer, ALIGN((size_t)n));
		append(a, &answer, buffer, (size_t)n);
	}
	if (end < 0)
		return end;
	if (ret_answer)
		*ret_answer = answer;
	return 0;
}
