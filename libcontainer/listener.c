/* Theory of operation: see listener.h. */
#include "libcontainer/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_out.h"
#include "oci-spec/documents.h"

static char *
process_state(struct arena *a, const struct spec_seccomp *s, const char *state_json, pid_t pid)
{
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	json_out_open(&j, '{');
	json_out_member(&j, "ociVersion", OCI_VERSION);
	json_out_key(&j, "fds");
	json_out_open(&j, '[');
	json_out_string(&j, "seccompFd");
	json_out_close(&j, ']');
	json_out_key(&j, "pid");
	json_out_int(&j, pid);
	if (s->listener_metadata)
		json_out_member(&j, "metadata", s->listener_metadata);
	json_out_close(&j, '}');
	/* The state is a document of its own: put it in as it is. */
	j.text[j.len - 1] = '\0';
	return arena_printf(a, "%s,\"state\":%s}", j.text, state_json);
}

/* The fd travels with the first byte; the rest follows if the socket is small. */
static int
send_with_fd(int sock, const char *text, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c = &control.align;
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return fd_write_all(sock, text + n, strlen(text) - (size_t)n);
}

int
listener_send(const struct spec_seccomp *s, const char *state_json, pid_t pid, int fd, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	auto_arena struct arena a = { 0 };
	auto_close int sock = -1;
	int r;

	if (strlen(s->listener_path) >= sizeof(addr.sun_path))
		return err_set(err, ENAMETOOLONG, "linux.seccomp.listenerPath: '%s'", s->listener_path);
	memcpy(addr.sun_path, s->listener_path, strlen(s->listener_path));
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "linux.seccomp.listenerPath: connect to '%s'", s->listener_path);
	r = send_with_fd(sock, process_state(&a, s, state_json, pid), fd);
	if (r < 0)
		return err_set(err, -r, "linux.seccomp.listenerPath: send to '%s'", s->listener_path);
	return 0;
}
