/* One connection, one message: the container process state as JSON, with the descriptor. */
#include "libcontainer/stage/listener.h"

#include <string.h>

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/json_out.h"
#include "base/unix_socket.h"
#include "oci-spec/documents.h"

static char *
process_state(struct arena *a, const struct spec_seccomp *profile, const char *state_json, pid_t pid)
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
	if (profile->listener_metadata)
		json_out_member(&j, "metadata", profile->listener_metadata);
	json_out_close(&j, '}');
	/* The state is a document of its own: put it in as it is. */
	j.text[j.len - 1] = '\0';
	return arena_printf(a, "%s,\"state\":%s}", j.text, state_json);
}

int
listener_send(const struct spec_seccomp *profile, const char *state_json, pid_t pid, int fd, struct err *err)
{
	auto_arena struct arena a = { 0 };
	const char *text = process_state(&a, profile, state_json, pid);
	auto_close int sock = unix_socket_connect(profile->listener_path);
	int r;

	if (sock < 0)
		return err_set(err, -sock, "linux.seccomp.listenerPath: failed to connect with seccomp agent '%s'",
			       profile->listener_path);
	r = fd_send(sock, fd, text, strlen(text));
	if (r < 0)
		return err_set(err, -r, "linux.seccomp.listenerPath: send to '%s'", profile->listener_path);
	return 0;
}
