/* One request moves a device and renames it. The kernel takes it down on the
 * way and forgets its addresses, so these are read before and added after. The
 * index that it gets on the other side is chosen here, for with a template
 * ("eth%d") its name is the kernel's choice.
 *
 * A descriptor of the namespace keeps the devices reachable when the init has
 * died: virtual ones would die with the namespace, and could not be given back. */
#include "namespaces/net/net_devices.h"

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
#include "namespaces/net/net_addresses.h"
#include "namespaces/net/rtnetlink.h"

#ifndef IFLA_NEW_IFINDEX
#define IFLA_NEW_IFINDEX 49 /* Linux 5.13 */
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
net_devices_plan(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err)
{
	const struct spec_net_device *list = spec->linux_.net_devices;
	size_t n = spec->linux_.n_net_devices;
	const char **names;

	if (n == 0)
		return 0;
	if (!host->privileged)
		return err_plain(err, "linux.netDevices: an unprivileged user cannot move network devices of the host");
	names = arena_array(b->arena, 2 * n, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		names[2 * i] = list[i].host_name;
		names[2 * i + 1] = list[i].name ? list[i].name : list[i].host_name;
	}
	b->spawn.net_devices = plan_strings(b, names, 2 * n);
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
read_device(struct net_devices *devices, struct device *device, struct err *err)
{
	struct ifinfomsg info;
	int r = find_link(&devices->arena, devices->host.socket, device->host_name, 0, &info);

	if (r == -ENODEV)
		return err_set(err, ENODEV, "linux.netDevices: the runtime's network namespace has no device '%s'",
			       device->host_name);
	if (r == 0) {
		device->host_index = info.ifi_index;
		device->was_up = info.ifi_flags & IFF_UP;
		r = net_addresses_list(&devices->arena, devices->host.socket, &device->addresses);
	}
	if (r == 0) {
		device->index = choose_index(&devices->arena, devices->container.socket, device->host_index);
		r = device->index < 0 ? device->index : 0;
	}
	return r < 0 ? err_set(err, -r, "linux.netDevices: read about '%s'", device->host_name) : 0;
}

/* A template gets a free name from the kernel. */
static int
check_name(struct net_devices *devices, const struct device *device, struct err *err)
{
	struct ifinfomsg info;
	int r;

	if (strstr(device->name, "%d"))
		return 0;
	r = find_link(&devices->arena, devices->container.socket, device->name, 0, &info);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: look for '%s' in the container", device->name);
	return err_set(
		err, EEXIST,
		"linux.netDevices: '%s' cannot be '%s' in the container, whose network namespace has a device of "
		"that name",
		device->host_name, device->name);
}

static int
move_device(struct net_devices *devices, struct device *device, struct err *err)
{
	int r = read_device(devices, device, err);

	if (r == 0)
		r = check_name(devices, device, err);
	if (r < 0)
		return r;
	devices->n++; /* from here on there may be something to take back */
	r = transfer(&devices->arena, devices->host.socket, device->host_index, devices->container.ns_fd, device->index,
		     device->name);
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: move '%s' into the container as '%s'%s", device->host_name,
			       device->name, r == -EINVAL ? " (it is bound to its network namespace)" : "");
	r = net_addresses_add(&devices->arena, devices->container.socket, &device->addresses, device->host_index,
			      device->index);
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: give '%s' its addresses in the container",
			       device->host_name);
	r = set_up(&devices->arena, devices->container.socket, device->index);
	if (r < 0)
		return err_set(err, -r, "linux.netDevices: set up '%s' in the container", device->host_name);
	return 0;
}

static int
open_sides(struct net_devices *devices, pid_t pid, struct err *err)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	devices->host.ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	devices->container.ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (devices->host.ns_fd < 0 || devices->container.ns_fd < 0 || fstat(devices->host.ns_fd, &own) < 0 ||
	    fstat(devices->container.ns_fd, &other) < 0)
		return err_set(err, errno, "linux.netDevices: open the network namespaces");
	if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
		return err_plain(err, "linux.netDevices: the container's network namespace is that of the runtime");
	devices->host.socket = rtnetlink_open();
	devices->container.socket = rtnetlink_open_in(devices->container.ns_fd, devices->host.ns_fd);
	if (devices->host.socket < 0 || devices->container.socket < 0)
		return err_set(err, devices->host.socket < 0 ? -devices->host.socket : -devices->container.socket,
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
net_devices_move(const struct plan *plan, pid_t pid, struct err *err, struct net_devices **ret_devices)
{
	struct plan_strv names = plan->spawn.net_devices;
	const char *name = plan_first(plan, names);
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
take_back(struct net_devices *devices, const struct device *device)
{
	struct ifinfomsg info;
	int r = find_link(&devices->arena, devices->container.socket, NULL, device->index, &info);

	if (r == -ENODEV) /* it never left, or somebody took it away */
		return 0;
	if (r == 0)
		r = transfer(&devices->arena, devices->container.socket, device->index, devices->host.ns_fd,
			     device->host_index, device->host_name);
	if (r == 0)
		r = net_addresses_add(&devices->arena, devices->host.socket, &device->addresses, device->host_index,
				      device->host_index);
	if (r == 0 && device->was_up)
		r = set_up(&devices->arena, devices->host.socket, device->host_index);
	return r;
}

void
net_devices_undo(struct net_devices *devices)
{
	for (; devices && devices->n > 0; devices->n--) {
		const struct device *last = &devices->items[devices->n - 1];
		int r = take_back(devices, last);

		if (r < 0)
			log_warning("while undoing: move the network device '%s' back: %s", last->host_name,
				    err_reason(-r));
	}
}

void
net_devices_free(struct net_devices *devices)
{
	if (!devices)
		return;
	fd_close(devices->host.ns_fd);
	fd_close(devices->host.socket);
	fd_close(devices->container.ns_fd);
	fd_close(devices->container.socket);
	arena_free(&devices->arena);
	free(devices);
}
