/* Handing the pty's master to a console socket: one connection, one message with
 * the descriptor in SCM_RIGHTS, and its name as payload, which conmon and
 * containerd read but do not use. */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/unix_socket.h"
#include "libcontainer/stage/tty.h"

int
tty_send_to_socket(const char *path, int master_fd, struct err *err)
{
	static const char name[] = "/dev/pts/ptmx";
	auto_close int fd = unix_socket_connect(path);
	int r = fd < 0 ? fd : 0;

	/* The receivers copy to and from it without asking first. */
	if (r == 0 && fcntl(master_fd, F_SETFL, fcntl(master_fd, F_GETFL) & ~O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, -r, "--console-socket: connect to '%s'", path);
	r = fd_send(fd, master_fd, name, sizeof(name) - 1);
	return r < 0 ? err_set(err, -r, "--console-socket: send the terminal to '%s'", path) : 0;
}
