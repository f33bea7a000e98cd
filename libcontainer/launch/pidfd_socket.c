/* It is sent before the program runs, so
 * that a receiver that is not there leaves no container behind. */
#include "libcontainer/launch/pidfd_socket.h"

#include <string.h>

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/unix_socket.h"

int
pidfd_socket_send(const char *property, const char *path, const char *text, int pidfd, struct err *err)
{
	auto_close int fd = unix_socket_connect(path);
	int r;

	if (fd < 0)
		return err_set(err, -fd, "%s: connect to '%s'", property, path);
	r = fd_send(fd, pidfd, text, strlen(text));
	return r < 0 ? err_set(err, -r, "%s: send the pidfd to '%s'", property, path) : 0;
}
