/* Requests to rtnetlink(7) and their answers. Runs in the parent: answers lie in
 * an arena. */
#ifndef KNARR_NAMESPACES_NET_RTNETLINK_H
#define KNARR_NAMESPACES_NET_RTNETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct rtnetlink_request {
	struct nlmsghdr h;
	char body[1024];
};

/* The messages that answered a request, one after the other: for NLMSG_OK(). */
struct rtnetlink_answer {
	struct nlmsghdr *first;
	size_t len;
};

/* A socket to rtnetlink of the present network namespace, or of the one of the
 * descriptor ns_fd, which own_fd leads back from (setns(2)). An fd, the caller's, or
 * -errno; when not even the way back succeeds, the process stays in the other one. */
int rtnetlink_open(void);
int rtnetlink_open_in(int ns_fd, int own_fd);

/* Starts a request: its type (RTM_*), flags (NLM_F_DUMP, NLM_F_CREATE…) and the
 * fixed header that the type has. */
void rtnetlink_begin(struct rtnetlink_request *request, uint16_t type, uint16_t flags, const void *header, size_t len);

/* Adds an attribute. Too much for the request: it fails with -EMSGSIZE when asked. */
void rtnetlink_add(struct rtnetlink_request *request, uint16_t type, const void *data, size_t len);

/* Sends the request and waits for the whole answer. ret_answer may be NULL.
 * 0 or the kernel's -errno. */
int rtnetlink_ask(int fd, struct rtnetlink_request *request, struct arena *a, struct rtnetlink_answer *ret_answer);

#endif
