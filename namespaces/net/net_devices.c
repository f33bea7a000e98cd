/* Theory of operation: see net_devices.h.
 *
 * One request moves a device and renames it. The kernel takes it down on the
 * way and forgets its addresses, so these are read before and added after. The
 * index that it gets on the other side is chosen here, for with a template
 * ("eth%d") its name is the kernel's choice.
 *
 * A descriptor of the namespace keeps the devices reachable when the init has
 * died: virtual ones would die with the namespace, and could not be given back. */
#include "namespaces/net_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "namespaces/rtnetlink.h"

#ifndef IFLA_NEW_IFINDEX
#define IFLA_NEW_IFINDEX 49 /* Linux 5.13 */
#endif
#ifndef IFA_PROTO
#define IFA_PROTO 11 /* Linux 5.18 */
#endif

struct side {
	int ns_fd, socket; /* network namespace, and rtnetlink in it */
};

struct device {
	const char *host_name, *name;
	int host_index, index;
	bool was_up;
	struct rtnetlink_answer addresses; /* of all devices of the host */
};

struct net_devices {
	struct arena arena;
	struct side host, container;
	struct device *items;
	size_t n;
};

/* ---- planning ---------------------------------------------------------- */

int
net_devices_plan(struct plan_builder *b, const struct spec *s, const struct host *h, struct err *err)
{
	const struct spec_net_device *list = s->linux_.net_devices;
	size_t n = s->linux_.n_net_devices;
	const char **names;

	if (n == 0)
		return 0;
	if (!h->privileged)
		return err_plain(err, "linux.netDevices: an ordinary user cannot move network devices of the host");
	names = arena_array(b->arena, 2 * n, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		names[2 * i] = list[i].host_name;
		names[2 * i + 1] = list[i].name ? list[i].name : list[i].host_name;
	}
	b->stage.net_devices = plan_strings(b, names, 2 * n);
	return 0;
}

/* ---- one request each -------------------------------------------------- */

/* By name, or by index when name is NULL. -ENODEV: none. */
static int
find_link(struct arena *a, int fd, const char *name, int index, struct ifinfomsg *ret)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : index };
	struct rtnetlink_request req;
	struct rtnetlink_answer answer;
	int r;

	rtnetlink_begin(&req, RTM_GETLINK, 0, &header, sizeof(header));
	if (name)
		rtnetlink_add(&req, IFLA_IFNAME, name, strlen(name) + 1);
	r = rtnetlink_ask(fd, &req, a, &answer);
	if (r < 0)
		return r;
	if (!NLMSG_OK(answer.first, answer.len) || answer.first->nlmsg_type != RTM_NEWLINK ||
	    answer.first->nlmsg_len < NLMSG_LENGTH(sizeof(*ret)))
		return -EPROTO;
	memcpy(ret, NLMSG_DATA(answer.first), sizeof(*ret));
	return 0;
}

static int
list_addresses(struct arena *a, int fd, struct rtnetlink_answer *ret)
{
	struct ifaddrmsg header = { .ifa_family = AF_UNSPEC };
	struct rtnetlink_request req;

	rtnetlink_begin(&req, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	return rtnetlink_ask(fd, &req, a, ret);
}

static int
set_up(struct arena *a, int fd, int index)
{
	struct ifinfomsg header = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct rtnetlink_request req;

	rtnetlink_begin(&req, RTM_NEWLINK, 0, &header, sizeof(header));
	return rtnetlink_ask(fd, &req, a, NULL);
}

/* To the namespace to_ns, as number new_index and under that name. */
static int
transfer(struct arena *a, int fd, int index, int to_ns, int new_index, const char *name)
{
	struct ifinfomsg header = { .ifi_index = index };
	uint32_t ns = (uint32_t)to_ns;
	int32_t number = new_index;
	struct rtnetlink_request req;

	rtnetlink_begin(&req, RTM_SETLINK, 0, &header, sizeof(header));
	rtnetlink_add(&req, IFLA_NET_NS_FD, &ns, sizeof(ns));
	rtnetlink_add(&req, IFLA_NEW_IFINDEX, &number, sizeof(number));
	rtnetlink_add(&req, IFLA_IFNAME, name, strlen(name) + 1);
	return rtnetlink_ask(fd, &req, a, NULL);
}

/* ---- addresses --------------------------------------------------------- */

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
address_flags(struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	struct rtattr *attr = IFA_RTA(m);
	int len = (int)IFA_PAYLOAD(h);
	uint32_t flags = m->ifa_flags;

	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == IFA_FLAGS && RTA_PAYLOAD(attr) >= sizeof(flags))
			memcpy(&flags, RTA_DATA(attr), sizeof(flags));
	return flags;
}

static int
add_address(struct arena *a, int fd, int index, struct nlmsghdr *h)
{
	struct ifaddrmsg header = *(struct ifaddrmsg *)NLMSG_DATA(h);
	struct rtattr *attr = IFA_RTA(NLMSG_DATA(h));
	int len = (int)IFA_PAYLOAD(h), r;
	struct rtnetlink_request req;

	header.ifa_index = (uint32_t)index;
	rtnetlink_begin(&req, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (is_kept(attr->rta_type))
			rtnetlink_add(&req, attr->rta_type, RTA_DATA(attr), RTA_PAYLOAD(attr));
	r = rtnetlink_ask(fd, &req, a, NULL);
	return r == -EEXIST ? 0 : r;
}

static int
add_addresses(struct arena *a, int fd, const struct device *d, int index)
{
	struct nlmsghdr *h = d->addresses.first;
	size_t len = d->addresses.len;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		const struct ifaddrmsg *m = NLMSG_DATA(h);
		int r;

		if (h->nlmsg_type != RTM_NEWADDR || (int)m->ifa_index != d->host_index ||
		    m->ifa_scope != RT_SCOPE_UNIVERSE || !(address_flags(h) & IFA_F_PERMANENT))
			continue;
		r = add_address(a, fd, index, h);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- moving ------------------------------------------------------------ */

/* The same number on the other side if it is free there, else the next one. */
static int
choose_index(struct arena *a, int fd, int index)
{
	struct ifinfomsg info;

	for (; index < INT32_MAX; index++) {
		int r = find_link(a, fd, NULL, index, &info);

		if (r < 0)
			return r == -ENODEV ? index : r;
	}
	return -ENOSPC;
}

static int
read_device(struct net_devices *l, struct device *d, struct err *err)
{
	struct ifinfomsg info;
	int r = find_link(&l->arena, l->host.socket, d->host_name, 0, &info);

	if (r == -ENODEV)
		return err_set(err, ENODEV, "linux.netDevices: the runtime's network namespace has no device '%s'",
			       d->host_name);
	if (r == 0) {
		d->host_index = info.ifi_index;
		d->was_up = info.ifi_flags & IFF_UP;
		r = list_addresses(&l->arena, l->host.socket, &d->addresses);
	}
	if (r == 0) {
		d->index = choose_index(&l->arena, l->container.socket, d->host_index);
		r = d->index < 0 ? d->index : 0;
	}
	return r < 0 ? err_set(err, -r, "linux.netDevices: read about '%s'", d->host_name) : 0;
}

/* A template gets a free name from the kernel. */
static int
check_name(struct net_devices *l, const struct device *d, struct err *err)
{
	struct ifinfomsg info;
	int r;

	if (strstr(d->name, "%d"))
		return 0;
	r = find_link(&l->arena, l->container.socket, d->name, 0, &info);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: look for '%s' in the container", d->name);
	return err_set(
		err, EEXIST,
		"linux.netDevices: '%s' cannot be '%s' in the container, whose network namespace has a device of "
		"that name",
		d->host_name, d->name);
}

static int
move_device(struct net_devices *l, struct device *d, struct err *err)
{
	int r = read_device(l, d, err);

	if (r == 0)
		r = check_name(l, d, err);
	if (r < 0)
		return r;
	l->n++; /* from here on there may be something to take back */
	r = transfer(&l->arena, l->host.socket, d->host_index, l->container.ns_fd, d->index, d->name);
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: move '%s' into the container as '%s'%s", d->host_name,
			       d->name, r == -EINVAL ? " (it is bound to its network namespace)" : "");
	r = add_addresses(&l->arena, l->container.socket, d, d->index);
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: give '%s' its addresses in the container", d->host_name);
	r = set_up(&l->arena, l->container.socket, d->index);
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: set up '%s' in the container", d->host_name);
	return 0;
}

static int
open_sides(struct net_devices *l, pid_t pid, struct err *err)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	l->host.ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	l->container.ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (l->host.ns_fd < 0 || l->container.ns_fd < 0 || fstat(l->host.ns_fd, &own) < 0 ||
	    fstat(l->container.ns_fd, &other) < 0)
		return err_set(err, errno, "linux.netDevices: open the network namespaces");
	if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
		return err_plain(err, "linux.netDevices: the container's network namespace is that of the runtime");
	l->host.socket = rtnetlink_open();
	l->container.socket = rtnetlink_open_in(l->container.ns_fd, l->host.ns_fd);
	if (l->host.socket < 0 || l->container.socket < 0)
		return err_set(err, l->host.socket < 0 ? -l->host.socket : -l->container.socket,
			       "linux.netDevices: open rtnetlink");
	return 0;
}

static struct net_devices *
make_list(size_t n)
{
	struct net_devices *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->host = l->container = (struct side){ -1, -1 };
	l->items = arena_array(&l->arena, n, sizeof(*l->items));
	return l;
}

int
net_devices_move(const struct plan *p, pid_t pid, struct err *err, struct net_devices **ret_devices)
{
	struct plan_strv names = p->stage.net_devices;
	const char *name = plan_first(p, names);
	struct net_devices *l = make_list(names.n);
	int r = open_sides(l, pid, err);

	for (uint32_t i = 0; r == 0 && i < names.n; i += 2) {
		struct device *d = &l->items[i / 2];

		d->host_name = name;
		d->name = plan_next(name);
		name = plan_next(d->name);
		r = move_device(l, d, err);
	}
	if (r < 0) {
		net_devices_undo(l);
		net_devices_free(l);
		return r;
	}
	*ret_devices = l;
	return 0;
}

/* ---- taking back ------------------------------------------------------- */

static int
take_back(struct net_devices *l, const struct device *d)
{
	struct ifinfomsg info;
	int r = find_link(&l->arena, l->container.socket, NULL, d->index, &info);

	if (r == -ENODEV) /* it never left, or somebody took it away */
		return 0;
	if (r == 0)
		r = transfer(&l->arena, l->container.socket, d->index, l->host.ns_fd, d->host_index, d->host_name);
	if (r == 0)
		r = add_addresses(&l->arena, l->host.socket, d, d->host_index);
	if (r == 0 && d->was_up)
		r = set_up(&l->arena, l->host.socket, d->host_index);
	return r;
}

void
net_devices_undo(struct net_devices *d)
{
	for (; d && d->n > 0; d->n--) {
		const struct device *last = &d->items[d->n - 1];
		int r = take_back(d, last);

		if (r < 0)
			log_warning("while undoing: move the network device '%s' back: %s", last->host_name,
				    err_reason(-r));
	}
}

void
net_devices_free(struct net_devices *d)
{
	if (!d)
		return;
	fd_close(d->host.ns_fd);
	fd_close(d->host.socket);
	fd_close(d->container.ns_fd);
	fd_close(d->container.socket);
	arena_free(&d->arena);
	free(d);
}
