/* The answer of a dump is kept as it came, and looked through when the addresses are added. */
#include "namespaces/net/net_addresses.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#ifndef IFA_PROTO
#define IFA_PROTO 11 /* Linux 5.18 */
#endif

int
net_addresses_list(struct arena *a, int fd, struct rtnetlink_answer *ret_list)
{
	struct ifaddrmsg header = { .ifa_family = AF_UNSPEC };
	struct rtnetlink_request req;

	rtnetlink_begin(&req, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	return rtnetlink_ask(fd, &req, a, ret_list);
}

/* What makes an address; the rest is the kernel's to say (times), or names the
 * device (the label). */
static bool
is_kept(unsigned type)
{
	switch (type) {
	case IFA_ADDRESS:
	case IFA_LOCAL:
	case IFA_BROADCAST:
	case IFA_ANYCAST:
	case IFA_FLAGS:
	case IFA_RT_PRIORITY:
	case IFA_PROTO:
		return true;
	}
	return false;
}

/* The flags of an address: the old ones are a byte, the attribute has them all. */
static uint32_t
address_flags(struct nlmsghdr *header)
{
	const struct ifaddrmsg *m = NLMSG_DATA(header);
	struct rtattr *attr = IFA_RTA(m);
	int len = (int)IFA_PAYLOAD(header);
	uint32_t flags = m->ifa_flags;

	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == IFA_FLAGS && RTA_PAYLOAD(attr) >= sizeof(flags))
			memcpy(&flags, RTA_DATA(attr), sizeof(flags));
	return flags;
}

static int
add_address(struct arena *a, int fd, int index, struct nlmsghdr *head)
{
	struct ifaddrmsg header = *(struct ifaddrmsg *)NLMSG_DATA(head);
	struct rtattr *attr = IFA_RTA(NLMSG_DATA(head));
	int len = (int)IFA_PAYLOAD(head), r;
	struct rtnetlink_request req;

	header.ifa_index = (uint32_t)index;
	rtnetlink_begin(&req, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (is_kept(attr->rta_type))
			rtnetlink_add(&req, attr->rta_type, RTA_DATA(attr), RTA_PAYLOAD(attr));
	r = rtnetlink_ask(fd, &req, a, NULL);
	return r == -EEXIST ? 0 : r;
}

/* A permanent one of that device, which is not of the kernel's own making. */
static bool
is_wanted(struct nlmsghdr *header, int index)
{
	const struct ifaddrmsg *m = NLMSG_DATA(header);

	return header->nlmsg_type == RTM_NEWADDR && header->nlmsg_len >= NLMSG_LENGTH(sizeof(*m)) &&
	       (int)m->ifa_index == index && m->ifa_scope == RT_SCOPE_UNIVERSE &&
	       (address_flags(header) & IFA_F_PERMANENT);
}

int
net_addresses_add(struct arena *a, int fd, const struct rtnetlink_answer *list, int from_index, int to_index)
{
	struct nlmsghdr *h = list->first;
	int r = 0;

	for (size_t len = list->len; r == 0 && NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
		if (is_wanted(h, from_index))
			r = add_address(a, fd, to_index, h);
	return r;
}
