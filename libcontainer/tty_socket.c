/* Handing the pty's master to a console socket: one connection, one message with
 * the descriptor in SCM_RIGHTS, and its name as payload, which conmon and
 * containerd read but do not use. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/tty.h"

/* A socket address has room for 107 bytes, a path for 4095: a longer one is
 * given through a descriptor of its folder. *ret_dir is to be kept open. */
static int
make_address(const char *path, struct sockaddr_un *addr, int *ret_dir)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd;

	addr->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(addr->sun_path)) {
		memcpy(addr->sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (!slash || (size_t)(slash - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	fd = open(dir[0] ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_dir = fd;
	if (snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", fd, slash + 1) >=
	    (int)sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	return 0;
}

static int
send_fd(int socket_fd, int fd)
{
	static const char name[] = "/dev/pts/ptmx";
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control = { { 0 } };
	struct iovec iov = { (char *)name, sizeof(name) - 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	ssize_t n;

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	do
		n = sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int
tty_send_to_socket(const char *path, int master_fd, struct err *err)
{
	struct sockaddr_un addr = { 0 };
	auto_close int fd = -1, dir = -1;
	int r = make_address(path, &addr, &dir);

	/* The receivers copy to and from it without asking first. */
	if (r == 0 && fcntl(master_fd, F_SETFL, fcntl(master_fd, F_GETFL) & ~O_NONBLOCK) < 0)
		r = -errno;
	if (r == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			r = -errno;
	}
	if (r < 0)
		return err_set(err, -r, "--console-socket: connect to '%s'", path);
	r = send_fd(fd, master_fd);
	return r < 0 ? err_set(err, -r, "--console-socket: send the terminal to '%s'", path) : 0;
}
