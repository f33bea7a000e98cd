/* The loopback interface is set up by ioctl(2), which needs no netlink. */
#include "namespaces/net/net.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"

int
net_loopback_up(struct err *err)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* A kernel without IPv4 still has the ioctl on other families. */
	if (fd < 0 && errno == EAFNOSUPPORT)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "open a socket to set up the loopback interface");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_set(err, errno, "set up the loopback interface");
	return 0;
}

int
net_run_loopback_up(struct plan_ctx *c, const struct plan_step *step)
{
	(void)step;
	return net_loopback_up(c->err);
}
