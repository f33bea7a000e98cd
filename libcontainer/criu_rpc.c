/* Theory of operation: see criu_rpc.h.
 *
 *   knarr                              criu swrk FD
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
#include "libcontainer/criu_rpc.h"

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
#include "base/log.h"
#include "base/process.h"
#include "base/signals.h"
#include "libcontainer/criu_cgroup2.h"

/* CRIU's own limit for a packet is smaller. */
#define PACKET_MAX ((size_t)256 * 1024)

enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3 };
enum { RESP_TYPE = 1, RESP_SUCCESS = 2, RESP_RESTORE = 4, RESP_NOTIFY = 5, RESP_ERRMSG = 9 };
enum { NOTIFY_SCRIPT = 1, NOTIFY_PID = 2 };
enum { RESTORE_PID = 1 };

struct session {
	const struct criu_call *call;
	const char *program;
	pid_t pid;	    /* of criu */
	int socket;	    /* to it */
	struct err *shared; /* of its process before the exec */
};

struct response {
	uint64_t type, success;
	pid_t pid;
	const char *event, *message;
	int fd; /* came along, or -1 */
};

/* ---- the program ----------------------------------------------------- */

static bool
is_executable(const char *path)
{
	return access(path, X_OK) == 0;
}

/* PATH may lack the folders of programs for root. */
static const char *
find_program(struct arena *a)
{
	const char *path = getenv("PATH");
	char *dirs = arena_printf(a, "%s:/usr/local/sbin:/usr/sbin:/sbin", path ? path : ""), *dir;

	while ((dir = strsep(&dirs, ":"))) {
		char *file = arena_printf(a, "%s/criu", dir);

		if (dir[0] == '/' && is_executable(file))
			return file;
	}
	return NULL;
}

static int
require_program(struct arena *a, struct err *err, const char **ret_program)
{
	const char *program = find_program(a);

	if (!program) {
		err_plain(err, "the program 'criu' is not installed: checkpoint and restore need it "
			       "(hint: apt-get install criu, or the package criu of this system)");
		return -ENOENT;
	}
	*ret_program = program;
	return 0;
}

int
criu_check_installed(struct arena *a, struct err *err)
{
	const char *program;

	return require_program(a, err, &program);
}

/* Everything that CRIU shall not have is close-on-exec. */
static int
pass_descriptors(const struct session *s, int socket)
{
	int r = fd_close_range(3, ~0U, /* cloexec= */ true);

	if (r < 0)
		return err_set(s->shared, -r, "close the descriptors that are not for CRIU");
	fcntl(socket, F_SETFD, 0);
	for (size_t i = 0; i < s->call->n_inherit; i++)
		fcntl(s->call->inherit[i], F_SETFD, 0);
	return 0;
}

static void
execute(const struct session *s, int socket)
{
	char number[16];
	const char *argv[] = { "criu", "swrk", number, NULL };

	snprintf(number, sizeof(number), "%d", socket);
	signals_reset();
	if (pass_descriptors(s, socket) < 0)
		return;
	execv(s->program, (char *const *)argv);
	err_set(s->shared, errno, "execute '%s'", s->program);
}

/* The socket is made here and not in the runtime: CRIU looks for the descriptors
 * that a request names in the process that made it, and then they must be of
 * CRIU's mount namespace. */
static void
child(const struct session *s, int to_runtime)
{
	const struct criu_call *c = s->call;
	int pair[2], r = c->prepare ? c->prepare(c->data, s->shared) : 0;

	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		r = err_set(s->shared, errno, "make the socket to criu");
	if (r == 0 && fd_send(to_runtime, pair[0], "", 1) < 0)
		r = err_set(s->shared, errno, "pass the socket to criu");
	if (r == 0) {
		close(pair[0]);
		execute(s, pair[1]);
	}
	process_end(127);
}

/* -EPIPE without err: the child has failed. */
static int
take_socket(struct session *s, int from_child, struct err *err)
{
	char byte;
	int fd = -1;
	ssize_t n = fd_receive(from_child, &byte, 1, &fd);

	if (n < 0)
		return err_set(err, (int)-n, "receive the socket to criu");
	s->socket = fd;
	return fd < 0 ? -EPIPE : 0;
}

static int
spawn(struct session *s, struct err *err)
{
	int pair[2], r;

	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->shared == MAP_FAILED) {
		s->shared = NULL;
		return err_set(err, errno, "map memory shared with criu");
	}
	err_clear(s->shared);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket pair");
	s->pid = fork();
	if (s->pid == 0)
		child(s, pair[1]);
	close(pair[1]);
	r = s->pid < 0 ? err_set(err, errno, "start '%s'", s->program) : take_socket(s, pair[0], err);
	close(pair[0]);
	return r;
}

/* The worker ends when its socket is closed: after a pre-dump it waits for the
 * next request. */
static void
end(struct session *s)
{
	s->socket = fd_close(s->socket);
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (s->shared)
		munmap(s->shared, sizeof(*s->shared));
}

/* ---- packets --------------------------------------------------------- */

static int
send_packet(const struct session *s, const struct protobuf *m, struct err *err)
{
	ssize_t n;

	do
		n = send(s->socket, m->data, m->len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* The end of criu is told better by what it left behind. */
	if (n < 0 && errno != EPIPE && errno != ECONNRESET)
		return err_set(err, errno, "send a request to criu");
	return 0;
}

static int
parse_notify(struct arena *a, const struct protobuf_field *outer, struct response *r)
{
	struct protobuf_reader reader = { outer->data, outer->len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&reader, &f)) > 0) {
		if (f.number == NOTIFY_SCRIPT)
			r->event = protobuf_text(a, &f);
		if (f.number == NOTIFY_PID)
			r->pid = (pid_t)f.value;
	}
	return n;
}

static int
parse_restore(const struct protobuf_field *outer, struct response *r)
{
	struct protobuf_reader reader = { outer->data, outer->len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&reader, &f)) > 0)
		if (f.number == RESTORE_PID)
			r->pid = (pid_t)f.value;
	return n;
}

static int
parse_response(struct arena *a, const unsigned char *data, size_t len, struct response *r)
{
	struct protobuf_reader reader = { data, len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&reader, &f)) > 0) {
		if (f.number == RESP_TYPE)
			r->type = f.value;
		if (f.number == RESP_SUCCESS)
			r->success = f.value;
		if (f.number == RESP_ERRMSG)
			r->message = protobuf_text(a, &f);
		if (f.number == RESP_NOTIFY && parse_notify(a, &f, r) < 0)
			return -EBADMSG;
		if (f.number == RESP_RESTORE && parse_restore(&f, r) < 0)
			return -EBADMSG;
	}
	return n;
}

/* ---- the call -------------------------------------------------------- */

static int
send_request(const struct session *s, struct err *err)
{
	struct protobuf m = { .arena = s->call->arena };

	protobuf_put_number(&m, REQ_TYPE, s->call->type);
	protobuf_put_message(&m, REQ_OPTS, s->call->options);
	return send_packet(s, &m, err);
}

static int
answer(const struct session *s, struct response *r, struct err *err)
{
	struct protobuf m = { .arena = s->call->arena };
	struct err later;
	int result;

	log_debug("criu: %s, pid %d", r->event ? r->event : "?", (int)r->pid);
	result = s->call->notify(s->call->data, r->event ? r->event : "", r->pid, &r->fd, err);
	err_clear(&later);
	protobuf_put_number(&m, REQ_TYPE, CRIU_NOTIFY);
	protobuf_put_number(&m, REQ_NOTIFY_SUCCESS, result == 0);
	if (send_packet(s, &m, result < 0 ? &later : err) < 0 && result == 0)
		result = -EPIPE;
	return result;
}

/* One packet of CRIU's: 1 for a notification that was answered, 0 when r is the
 * response; -EPIPE without err: criu has ended. */
static int
next(const struct session *s, unsigned char *buf, struct err *err, struct response *r)
{
	ssize_t n;
	int result;

	*r = (struct response){ .fd = -1 };
	n = fd_receive(s->socket, buf, PACKET_MAX, &r->fd);
	if (n == 0 || n == -ECONNRESET)
		return -EPIPE;
	if (n < 0)
		return err_set(err, (int)-n, "receive an answer of criu");
	if (parse_response(s->call->arena, buf, (size_t)n, r) < 0) {
		fd_close(r->fd);
		return err_plain(err, "an answer of criu is no message of its protocol");
	}
	if (r->type != CRIU_NOTIFY) {
		fd_close(r->fd);
		return 0;
	}
	result = answer(s, r, err);
	fd_close(r->fd);
	return result < 0 ? result : 1;
}

static int
failed(const struct session *s, const struct response *r, struct err *err)
{
	const struct criu_call *c = s->call;

	if (s->shared->msg[0]) {
		*err = *s->shared;
		return err->code ? -err->code : -EINVAL;
	}
	err_plain(err, "criu failed");
	criu_log_add_errors(c->arena, c->log_dir, c->log_file, r->message, err);
	return -EINVAL;
}

static int
serve(const struct session *s, struct err *err, struct response *r)
{
	unsigned char *buf = arena_alloc(s->call->arena, PACKET_MAX);
	int result;

	do
		result = next(s, buf, err, r);
	while (result > 0);
	if (result < 0 && err->msg[0]) {
		/* The one that was asked failed: CRIU undoes and answers. */
		struct err ignored;
		int rest;

		err_clear(&ignored);
		do
			rest = next(s, buf, &ignored, r);
		while (rest > 0);
		return result;
	}
	if (result == -EPIPE)
		*r = (struct response){ .message = "it ended without an answer" };
	return result < 0 || !r->success ? failed(s, r, err) : 0;
}

int
criu_call(const struct criu_call *c, struct err *err, pid_t *ret_pid)
{
	struct session s = { .call = c, .socket = -1 };
	struct response response = { .fd = -1 };
	struct criu_cgroup2 cgroup2 = criu_cgroup2_save(c->arena);
	int r = require_program(c->arena, err, &s.program);

	if (r < 0)
		return r;
	unlink(arena_printf(c->arena, "%s/%s", c->log_dir, c->log_file));
	r = spawn(&s, err);
	if (r == 0)
		r = send_request(&s, err);
	if (r == 0)
		r = serve(&s, err, &response);
	else if (r == -EPIPE && !err->msg[0])
		r = failed(&s, &response, err);
	end(&s);
	criu_cgroup2_mend(c->arena, &cgroup2);
	if (r == 0)
		*ret_pid = response.pid;
	return r;
}
