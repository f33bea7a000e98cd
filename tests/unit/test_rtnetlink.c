/* namespaces/net/rtnetlink.c against the kernel, and beside another process that answers in its place. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/net/net_addresses.h"
#include "tests/unit/check.h"

/* The first device of the namespace. */
static int
ask_for_loopback(int fd, struct arena *a, struct rtnetlink_answer *ret_answer)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = 1 };
	struct rtnetlink_request request;

	rtnetlink_begin(&request, RTM_GETLINK, 0, &header, sizeof(header));
	return rtnetlink_ask(fd, &request, a, ret_answer);
}

static void
test_requests(void)
{
	auto_arena struct arena a = { 0 };
	auto_close int fd = rtnetlink_open();
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = INT32_MAX };
	struct rtnetlink_answer answer;
	struct rtnetlink_request request;
	char large[900] = "";

	NEED(fd >= 0);
	CHECK(ask_for_loopback(fd, &a, &answer) == 0 && answer.first->nlmsg_type == RTM_NEWLINK);
	CHECK(net_addresses_list(&a, fd, &answer) == 0 && answer.len > 0);
	rtnetlink_begin(&request, RTM_GETLINK, 0, &header, sizeof(header));
	CHECK(rtnetlink_ask(fd, &request, &a, NULL) == -ENODEV);
	rtnetlink_add(&request, IFLA_IFALIAS, large, sizeof(large));
	rtnetlink_add(&request, IFLA_IFALIAS, large, sizeof(large));
	CHECK(rtnetlink_ask(fd, &request, &a, NULL) == -EMSGSIZE);
	/* The same when more comes behind what was too much. */
	rtnetlink_add(&request, IFLA_IFALIAS, large, 1);
	CHECK(rtnetlink_ask(fd, &request, &a, NULL) == -EMSGSIZE);
	rtnetlink_begin(&request, RTM_GETLINK, 0, &header, sizeof(header));
	CHECK(rtnetlink_ask(-1, &request, &a, NULL) == -EBADF);
}

/* Root of a network namespace may send to any netlink socket in it. */
static int
forge(int to)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} m = { .head = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_ERROR }, .error = { .error = -EIO } };
	auto_close int fd = rtnetlink_open();
	struct sockaddr_nl address = { 0 };
	socklen_t len = sizeof(address);

	if (fd < 0 || getsockname(to, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	return sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&address, len) < 0 ? -errno : 0;
}

static int
test_forged(void)
{
	auto_arena struct arena a = { 0 };
	struct rtnetlink_answer answer;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("SKIP: no new network namespace: %s\n", strerror(errno));
		return SKIP;
	}
	auto_close int fd = rtnetlink_open();
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };

	NEED(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0);
	NEED(forge(fd) == 0);
	CHECK(ask_for_loopback(fd, &a, &answer) == 0 && answer.first->nlmsg_type == RTM_NEWLINK);
	return 0;
}

int
main(void)
{
	int r;

	test_requests();
	r = test_forged();
	return failed ? failed : r;
}
