/* The socket is bound through a
 * descriptor of its directory, since the path of a state directory may be longer
 * than a socket address. */
#include "libcontainer/state/notify_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define DIR_NAME      "notify"
#define SOCKET_NAME   "notify.sock"
#define IN_CONTAINER  "/run/notify"
#define BARRIER_LIMIT 30000 /* ms that systemd has to answer BARRIER=1 */
/* A program that sends without end keeps nobody from what else is to be done. */
#define MESSAGES_AT_ONCE 64

const char *
notify_socket_host(void)
{
	const char *host = getenv("NOTIFY_SOCKET");

	return host && host[0] ? host : NULL;
}

/* ---- plan ------------------------------------------------------------ */

char *
notify_socket_dir(struct arena *a, const char *state_path)
{
	return arena_printf(a, "%s/" DIR_NAME, state_path);
}

void
notify_socket_plan(struct plan_builder *b, const char *dir, bool parent_opens)
{
	struct plan_step *s = plan_add(b, PLAN_MOUNT_BIND, "NOTIFY_SOCKET");
	struct plan_mount_bind m = {
		.dest = plan_string(b, IN_CONTAINER),
		.source = plan_string(b, dir),
		.source_is_dir = true,
		.source_nofollow = true,
		.attrs.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};

	if (parent_opens)
		m.slot = plan_add_source(b, dir, /* recursive= */ false, /* nofollow= */ true, s->what);
	s->u.mount_bind = m;
}

int
notify_socket_make_dir(int state_fd, struct err *err)
{
	if (mkdirat(state_fd, DIR_NAME, 0755) < 0 || fchmodat(state_fd, DIR_NAME, 0755, 0) < 0)
		return err_set(err, errno, "make the directory '" DIR_NAME "' in the state directory");
	return 0;
}

/* ---- sockets --------------------------------------------------------- */

static int
bind_in(int dir_fd, struct err *err, int *ret_fd)
{
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (fd < 0)
		return err_set(err, errno, "make the notify socket");
	unlinkat(dir_fd, SOCKET_NAME, 0); /* of a `start` that failed */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, dir_fd);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "bind the notify socket");
	/* The program's user is anyone; the directory is seen by the container alone. */
	if (fchmodat(dir_fd, SOCKET_NAME, 0777, 0) < 0)
		return err_set(err, errno, "bind the notify socket");
	*ret_fd = fd_take(&fd);
	return 0;
}

/* "@name" is a name without a file. A variable that was inherited from somebody who does
 * not listen (any more) keeps no container from running: then *ret_fd is -1. */
static int
connect_host(const char *host, struct err *err, int *ret_fd)
{
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(host);

	if (fd < 0)
		return err_set(err, errno, "NOTIFY_SOCKET: make a socket");
	if ((host[0] != '/' && host[0] != '@') || len >= sizeof(addr.sun_path)) {
		log_warning("NOTIFY_SOCKET: '%s' is not the address of a socket; nobody is told when the container is "
			    "ready",
			    host);
		return 0;
	}
	memcpy(addr.sun_path, host, len);
	if (host[0] == '@')
		addr.sun_path[0] = '\0';
	else
		len++;
	if (connect(fd, (struct sockaddr *)&addr, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		*ret_fd = fd_take(&fd);
	else
		log_warning("NOTIFY_SOCKET: connect to '%s': %s; nobody is told when the container is ready", host,
			    err_reason(errno));
	return 0;
}

int
notify_socket_open(int state_fd, const char *host, struct err *err, struct notify_socket *ret_socket)
{
	auto_close int dir = openat(state_fd, DIR_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int listen_fd = -1, host_fd = -1;
	int r;

	if (dir < 0 && errno == ENOENT) {
		*ret_socket = (struct notify_socket){ -1, -1, false };
		return 0;
	}
	if (dir < 0)
		return err_set(err, errno, "open the directory '" DIR_NAME "' of the state directory");
	r = bind_in(dir, err, &listen_fd);
	if (r == 0)
		r = connect_host(host, err, &host_fd);
	if (r == 0)
		*ret_socket = (struct notify_socket){ fd_take(&listen_fd), fd_take(&host_fd), false };
	return r;
}

/* ---- relay ----------------------------------------------------------- */

static bool
has_ready_line(const char *text)
{
	static const char ready[] = "READY=1";

	for (;; text++) {
		size_t len = strcspn(text, "\n");

		if (len == sizeof(ready) - 1 && memcmp(text, ready, len) == 0)
			return true;
		text += len;
		if (!*text)
			return false;
	}
}

static int
tell(const struct notify_socket *notify, const char *text)
{
	return send(notify->host_fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* sd_notify_barrier(3): systemd closes the pipe when it has taken in all that
 * was sent before. Without that, MAINPID= may reach it after the runtime ended,
 * and from a process that is gone it is not believed. */
static int
barrier(const struct notify_socket *notify)
{
	static const char text[] = "BARRIER=1";
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control = { { 0 } };
	struct iovec iov = { (char *)text, sizeof(text) - 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	auto_close int read_end = -1, write_end = -1;
	struct pollfd p;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	write_end = ends[1];
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &write_end, sizeof(int));
	if (sendmsg(notify->host_fd, &msg, MSG_NOSIGNAL) < 0)
		return -errno;
	fd_close(fd_take(&write_end));
	p = (struct pollfd){ read_end, 0, 0 };
	while (poll(&p, 1, BARRIER_LIMIT) < 0)
		if (errno != EINTR)
			return -errno;
	return p.revents ? 0 : -ETIMEDOUT;
}

static int
tell_ready(const struct notify_socket *notify, pid_t main_pid)
{
	char text[32];
	int r;

	if (!main_pid)
		return tell(notify, "READY=1\n");
	snprintf(text, sizeof(text), "MAINPID=%d\n", (int)main_pid);
	r = tell(notify, "READY=1\n");
	if (r == 0)
		r = tell(notify, text);
	return r == 0 ? barrier(notify) : r;
}

void
notify_socket_read(struct notify_socket *notify, pid_t main_pid)
{
	char text[4096];

	for (int i = 0; i < MESSAGES_AT_ONCE && !notify->ready; i++) {
		ssize_t len = recv(notify->listen_fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		int r;

		if (len < 0)
			return;
		text[len] = '\0';
		if (!has_ready_line(text))
			continue;
		notify->ready = true;
		if (notify->host_fd < 0)
			return;
		r = tell_ready(notify, main_pid);
		if (r < 0)
			log_warning("NOTIFY_SOCKET: tell the host that the container is ready: %s", err_reason(-r));
	}
}

void
notify_socket_wait(struct notify_socket *notify, int pidfd, pid_t main_pid)
{
	while (notify->listen_fd >= 0 && notify->host_fd >= 0 && !notify->ready) {
		struct pollfd p[2] = { { notify->listen_fd, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents)
			notify_socket_read(notify, main_pid);
		if (p[1].revents)
			return;
	}
}

void
notify_socket_close(struct notify_socket *notify)
{
	notify->listen_fd = fd_close(notify->listen_fd);
	notify->host_fd = fd_close(notify->host_fd);
}

int
notify_socket_remove(int state_fd, struct err *err)
{
	auto_close int dir = openat(state_fd, DIR_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open '" DIR_NAME "' of the state directory");
	if (unlinkat(dir, SOCKET_NAME, 0) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove the notify socket");
	if (unlinkat(state_fd, DIR_NAME, AT_REMOVEDIR) < 0)
		return err_set(err, errno, "remove '" DIR_NAME "' from the state directory");
	return 0;
}
