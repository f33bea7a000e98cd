/*   knarr                              criu swrk FD
 *     ── request {type, options} ──────▶
 *     ◀── notification {event, pid} ────   any number, some with a descriptor
 *     ── {notification, success} ──────▶
 *     ◀── response {success, pid} ──────
 *
 * CRIU's service worker runs as a child: so a restored init, which CRIU clones as
 * its own sibling, is a child of knarr. libcriu is not used: as of 3.17 it cannot set
 * lazy pages, empty namespaces, namespaces to join or a configuration file, and
 * the wire format is small.
 *
 * What the child does before its exec may fail; its error is in memory that both
 * share. */
#include "libcontainer/checkpoint/criu_rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/fd_range.h"
#include "base/helper.h"
#include "base/log.h"
#include "base/process.h"
#include "base/signals.h"
#include "libcontainer/checkpoint/criu_cgroup2.h"
#include "libcontainer/checkpoint/criu_reply.h"

/* CRIU's own limit for a packet is smaller. */
#define PACKET_MAX ((size_t)256 * 1024)

enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3 };

struct session {
	const struct criu_call *call;
	pid_t pid;	    /* of criu */
	int socket;	    /* to it */
	struct err *shared; /* of its process before the exec */
};

/* ---- the program ----------------------------------------------------- */

int
criu_find(struct arena *a, struct err *err, const char **ret_program)
{
	int r = helper_find("criu", a, err, ret_program);

	if (r == -ENOENT || r == -EACCES)
		err_plain(err, "the program 'criu' is not installed: checkpoint and restore need it "
			       "(hint: apt-get install criu, or the package criu of this system)");
	return r;
}

/* Everything that CRIU shall not have is close-on-exec. */
static int
pass_descriptors(const struct session *session, int socket)
{
	int r = fd_close_range(3, ~0U, /* cloexec= */ true);

	if (r < 0)
		return err_set(session->shared, -r, "close the descriptors that are not for CRIU");
	r = fcntl(socket, F_SETFD, 0);
	for (size_t i = 0; r == 0 && i < session->call->n_inherit; i++)
		r = session->call->inherit[i] < 0 ? 0 : fcntl(session->call->inherit[i], F_SETFD, 0);
	return r < 0 ? err_set(session->shared, errno, "pass a descriptor to criu") : 0;
}

static void
execute(const struct session *session, int socket)
{
	char number[16];
	const char *argv[] = { "criu", "swrk", number, NULL };
	int r;

	snprintf(number, sizeof(number), "%d", socket);
	if ((r = signals_reset(SIGNALS_ALL)) < 0) {
		err_set(session->shared, -r, "reset the actions and the mask of signals");
		return;
	}
	if (pass_descriptors(session, socket) < 0)
		return;
	execv(session->call->program, (char *const *)argv);
	err_set(session->shared, errno, "execute '%s'", session->call->program);
}

/* The socket is made here and not in the runtime: CRIU looks for the descriptors
 * that a request names in the process that made it, and then they must be of
 * CRIU's mount namespace. */
static void
child(const struct session *session, int to_runtime)
{
	const struct criu_call *c = session->call;
	int pair[2], r = c->prepare ? c->prepare(c->data, session->shared) : 0;

	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		r = err_set(session->shared, errno, "make the socket to criu");
	if (r == 0 && fd_send(to_runtime, pair[0], "", 1) < 0)
		r = err_set(session->shared, errno, "pass the socket to criu");
	if (r == 0) {
		close(pair[0]);
		execute(session, pair[1]);
	}
	process_end(127);
}

/* -EPIPE without err: the child has failed. */
static int
take_socket(struct session *session, int from_child, struct err *err)
{
	char byte;
	int fd = -1;
	ssize_t n = fd_receive(from_child, &byte, 1, &fd);

	if (n < 0)
		return err_set(err, (int)-n, "receive the socket to criu");
	session->socket = fd;
	return fd < 0 ? -EPIPE : 0;
}

static int
spawn(struct session *session, struct err *err)
{
	int pair[2], r;

	session->shared =
		mmap(NULL, sizeof(*session->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (session->shared == MAP_FAILED) {
		session->shared = NULL;
		return err_set(err, errno, "map memory shared with criu");
	}
	err_clear(session->shared);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket pair");
	session->pid = fork();
	if (session->pid == 0)
		child(session, pair[1]);
	close(pair[1]);
	r = session->pid < 0 ? err_set(err, errno, "start '%s'", session->call->program)
			     : take_socket(session, pair[0], err);
	close(pair[0]);
	return r;
}

/* The worker ends when its socket is closed: after a pre-dump it waits for the
 * next request. */
static void
end(struct session *session)
{
	session->socket = fd_close(session->socket);
	while (session->pid > 0 && waitpid(session->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (session->shared)
		munmap(session->shared, sizeof(*session->shared));
}

/* ---- packets --------------------------------------------------------- */

static int
send_packet(const struct session *session, const struct protobuf *message, struct err *err)
{
	ssize_t n;

	do
		n = send(session->socket, message->data, message->len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* The end of criu is told better by what it left behind. */
	if (n < 0 && errno != EPIPE && errno != ECONNRESET)
		return err_set(err, errno, "send a request to criu");
	return 0;
}

/* ---- the call -------------------------------------------------------- */

static int
send_request(const struct session *session, struct err *err)
{
	struct protobuf m = { .arena = session->call->arena };

	protobuf_put_number(&m, REQ_TYPE, session->call->type);
	protobuf_put_message(&m, REQ_OPTS, session->call->options);
	return send_packet(session, &m, err);
}

static int
answer(const struct session *session, struct criu_reply *reply, struct err *err)
{
	struct protobuf m = { .arena = session->call->arena };
	struct err later;
	int result;

	log_debug("criu: %s, pid %d", reply->event ? reply->event : "?", (int)reply->pid);
	result = session->call->notify(session->call->data, reply->event ? reply->event : "", reply->pid, &reply->fd,
				       err);
	err_clear(&later);
	protobuf_put_number(&m, REQ_TYPE, CRIU_NOTIFY);
	protobuf_put_number(&m, REQ_NOTIFY_SUCCESS, result == 0);
	if (send_packet(session, &m, result < 0 ? &later : err) < 0) {
		/* CRIU waits for this answer, and we would wait for its own. */
		shutdown(session->socket, SHUT_RDWR);
		result = result < 0 ? result : -EPIPE;
	}
	return result;
}

/* One packet of CRIU's: 1 for a notification that was answered, 0 when reply is the
 * response; -EPIPE without err: criu has ended. */
static int
next(const struct session *session, unsigned char *buf, struct err *err, struct criu_reply *reply)
{
	ssize_t n;
	int result;

	*reply = (struct criu_reply){ .fd = -1 };
	n = fd_receive(session->socket, buf, PACKET_MAX, &reply->fd);
	if (n == 0 || n == -ECONNRESET)
		return -EPIPE;
	if (n < 0)
		return err_set(err, (int)-n, "receive a reply from criu");
	if (criu_reply_parse(session->call->arena, buf, (size_t)n, reply) < 0) {
		fd_close(reply->fd);
		return err_plain(err, "invalid reply from criu");
	}
	if (reply->type != CRIU_NOTIFY) {
		fd_close(reply->fd);
		return 0;
	}
	result = answer(session, reply, err);
	fd_close(reply->fd);
	return result < 0 ? result : 1;
}

static int
failed(const struct session *session, const struct criu_reply *reply, struct err *err)
{
	const struct criu_call *c = session->call;

	if (session->shared->msg[0]) {
		*err = *session->shared;
		return err->code ? -err->code : -EINVAL;
	}
	err_plain(err, "criu failed");
	criu_log_add_errors(c->arena, c->log_dir, c->log_file, reply->message, err);
	return -EINVAL;
}

static int
serve(const struct session *session, struct err *err, struct criu_reply *reply)
{
	unsigned char *buf = arena_alloc(session->call->arena, PACKET_MAX);
	int result;

	do
		result = next(session, buf, err, reply);
	while (result > 0);
	if (result < 0 && err->msg[0]) {
		/* The one that was asked failed: CRIU undoes and answers. */
		struct err ignored;
		int rest;

		err_clear(&ignored);
		do
			rest = next(session, buf, &ignored, reply);
		while (rest > 0);
		return result;
	}
	if (result == -EPIPE)
		*reply = (struct criu_reply){ .message = "it exited without a reply" };
	return result < 0 || !reply->success ? failed(session, reply, err) : 0;
}

int
criu_call(const struct criu_call *call, struct err *err, pid_t *ret_pid)
{
	struct session s = { .call = call, .socket = -1 };
	struct criu_reply reply = { .fd = -1 };
	struct criu_cgroup2 cgroup2 = criu_cgroup2_save(call->arena);
	int r;

	unlink(arena_printf(call->arena, "%s/%s", call->log_dir, call->log_file));
	r = spawn(&s, err);
	if (r == 0)
		r = send_request(&s, err);
	if (r == 0)
		r = serve(&s, err, &reply);
	else if (r == -EPIPE && !err->msg[0])
		r = failed(&s, &reply, err);
	end(&s);
	criu_cgroup2_mend(call->arena, &cgroup2);
	if (r == 0)
		*ret_pid = reply.pid;
	return r;
}
