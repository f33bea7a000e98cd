/* What the runtime and the init say to each other, both sides, without a container: each side's
 * answer to the end of the other, and to what the other must not send. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/stage_channel.h"
#include "tests/unit/check.h"

struct sides {
	struct stage stage;  /* the runtime's */
	struct plan_ctx *c;  /* the init's */
	struct err err, own; /* the runtime's, the init's */
};

static void
open_sides(struct sides *s, bool with_fd)
{
	static struct plan_ctx c;
	int pair[2];

	err_clear(&s->err);
	err_clear(&s->own);
	c = (struct plan_ctx){ .err = &s->own };
	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	stage_init(&s->stage);
	NEED(stage_map_status(&s->stage, with_fd, &s->err) == 0);
	s->stage.channel = pair[0];
	s->stage.pidfd = process_open(getpid());
	s->stage.expected = ~0u;
	s->c = &c;
	c.fds[PLAN_FD_CHANNEL] = pair[1];
}

static void
close_init(struct sides *s)
{
	s->c->fds[PLAN_FD_CHANNEL] = fd_close(s->c->fds[PLAN_FD_CHANNEL]);
}

static void
close_sides(struct sides *s)
{
	close_init(s);
	stage_close(&s->stage);
}

static int
next(struct sides *s, enum stage_message *message, int *fd)
{
	err_clear(&s->err);
	return stage_next(&s->stage, NULL, &s->err, message, fd);
}

static void
test_there_and_back(void)
{
	enum stage_message message;
	struct sides s;
	int fd = -1;

	open_sides(&s, /* with_fd= */ true);
	CHECK(s.stage.status_fd >= 0);
	CHECK(stage_ask(s.c, STAGE_READY, 0, -1, STAGE_NONE) == 0);
	CHECK(next(&s, &message, &fd) == 0 && message == STAGE_READY && fd < 0);
	CHECK(stage_send_console(s.c, STDERR_FILENO) == 0);
	CHECK(next(&s, &message, &fd) == 0 && message == STAGE_CONSOLE && fd >= 0);
	fd_close(fd);
	CHECK(stage_reply(&s.stage, STAGE_HOOKS_DONE, &s.err) == 0);
	CHECK(stage_ask(s.c, STAGE_HOOKS, 0, -1, STAGE_HOOKS_DONE) == 0);
	CHECK(next(&s, &message, &fd) == 0 && message == STAGE_HOOKS);
	CHECK(stage_reply(&s.stage, STAGE_GO, &s.err) == 0);
	CHECK(stage_await(s.c, STAGE_NOT_YET) == -EINVAL && strstr(s.own.msg, "unexpected answer"));
	/* Once each. */
	CHECK(stage_ask(s.c, STAGE_READY, 0, -1, STAGE_NONE) == 0);
	CHECK(next(&s, &message, &fd) == -EINVAL && strstr(s.err.msg, "does not call for"));
	close_sides(&s);
}

static void
test_listener(void)
{
	auto_close int listener = open("/dev/null", O_RDONLY | O_CLOEXEC);
	enum stage_message message;
	struct sides s;
	int fd = -1;

	open_sides(&s, /* with_fd= */ false);
	CHECK(stage_ask(s.c, STAGE_LISTENER, 0, listener, STAGE_NONE) == 0);
	CHECK(next(&s, &message, &fd) == 0 && message == STAGE_LISTENER && fd >= 0);
	fd_close(fd);
	s.stage.expected = ~0u;
	CHECK(stage_ask(s.c, STAGE_LISTENER, 0, -1, STAGE_NONE) == 0);
	CHECK(next(&s, &message, &fd) == -EINVAL && strstr(s.err.msg, "sent no descriptor"));
	close_sides(&s);
}

/* The last steps have numbers for what failed, and the memory is the init's. */
static void
test_last_words(void)
{
	static const struct {
		uint32_t words;
		int code, r;
		const char *text;
	} rows[] = {
		{ STAGE_LAST_SESSION, EPERM, -EPERM, "start a session" },
		{ STAGE_LAST_GONE, 0, -EINVAL, "the runtime exited" },
		{ STAGE_LAST_EXEC, ENOENT, -ENOENT, "exec: \"x\"" },
		{ STAGE_LAST_TOO_BIG, E2BIG, -E2BIG, "bytes of arguments" },
		{ STAGE_LAST_FILTER, EACCES, -EACCES, "load the filter of 7 instructions" },
		{ STAGE_LAST_COUNT, EPERM, -EINVAL, "in a way that is not known" },
		{ UINT32_MAX, INT32_MIN, -EINVAL, "in a way that is not known" },
		{ STAGE_LAST_TERMINAL, INT32_MIN, -EINVAL, "make the pty" },
	};
	enum stage_message message;
	struct sides s;
	int fd = -1;

	open_sides(&s, /* with_fd= */ false);
	close_init(&s);
	err_plain(&s.stage.status->exec_error, "exec: \"x\"");
	memset(&s.stage.status->too_big, 'x', sizeof(s.stage.status->too_big));
	memcpy(s.stage.status->too_big.msg, "bytes of arguments", sizeof("bytes of arguments") - 1);
	s.stage.status->filter_length = 7;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s.stage.status->last_failed = rows[i].words;
		s.stage.status->last_code = rows[i].code;
		CHECK(next(&s, &message, &fd) == rows[i].r && strstr(s.err.msg, rows[i].text), "%zu: %s", i, s.err.msg);
	}
	close_sides(&s);
}

static void
test_ends(void)
{
	enum stage_message message;
	struct sides s;
	int fd = -1;

	open_sides(&s, /* with_fd= */ false);
	close_init(&s);
	CHECK(next(&s, &message, &fd) == -ECHILD && strstr(s.err.msg, "was killed"));
	CHECK(stage_reply(&s.stage, STAGE_GO, &s.err) == -ECHILD);
	s.stage.status->at_exec = 1;
	CHECK(next(&s, &message, &fd) == 0 && message == STAGE_EXECED);
	CHECK(stage_reply(&s.stage, STAGE_GO, &s.err) == -EPIPE);
	/* Half of it is there: it may be an error that the step is allowed. */
	err_set(&s.stage.status->err, ENOENT, "exec: \"x");
	CHECK(next(&s, &message, &fd) == 0 && message == STAGE_EXECED);
	err_set(&s.stage.status->err, ENOENT, "exec: \"x\"");
	s.stage.status->failed = 1;
	CHECK(next(&s, &message, &fd) == -ENOENT && !strcmp(s.err.msg, "exec: \"x\""));
	CHECK(stage_reply(&s.stage, STAGE_GO, &s.err) == -ENOENT);
	close_sides(&s);

	open_sides(&s, /* with_fd= */ false);
	s.stage.channel = fd_close(s.stage.channel);
	CHECK(stage_await_any(s.c, &message) == -EINVAL && strstr(s.own.msg, "the runtime exited"));
	CHECK(stage_ask(s.c, STAGE_READY, 0, -1, STAGE_GO) == -EPIPE);
	CHECK(next(&s, &message, &fd) == -EBADF);
	close_sides(&s);
	CHECK(stage_await_any(s.c, &message) == -EBADF);

	/* An answer to nobody. */
	open_sides(&s, /* with_fd= */ false);
	s.stage.channel = fd_close(s.stage.channel);
	CHECK(stage_reply(&s.stage, STAGE_GO, &s.err) == -EBADF);
	close_sides(&s);
}

/* The room that the kernel aligns has place for a second one. */
static void
test_two_descriptors(void)
{
	const struct stage_packet packet = { .message = STAGE_CONSOLE };
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr head;
	} control = { { 0 } };
	struct iovec iov = { (void *)&packet, sizeof(packet) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	const int fds[] = { STDERR_FILENO, STDERR_FILENO };
	enum stage_message message;
	struct sides s;
	int fd = -1, lowest;

	open_sides(&s, /* with_fd= */ false);
	control.head = (struct cmsghdr){ CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	NEED(sendmsg(s.c->fds[PLAN_FD_CHANNEL], &msg, 0) == (ssize_t)sizeof(packet));
	lowest = dup(STDERR_FILENO);
	close(lowest);
	CHECK(next(&s, &message, &fd) == 0 && fd == lowest);
	fd_close(fd);
	fd = dup(STDERR_FILENO);
	CHECK(fd == lowest, "a descriptor was left open");
	fd_close(fd);
	close_sides(&s);
}

static void
test_life(void)
{
	struct sides s;

	open_sides(&s, /* with_fd= */ false);
	CHECK(stage_outlive_runtime(s.c) == 0);
	CHECK(stage_reply(&s.stage, STAGE_GO, &s.err) == 0);
	CHECK(stage_outlive_runtime(s.c) == 0); /* it has said something */
	CHECK(stage_await(s.c, STAGE_GO) == 0);
	s.stage.channel = fd_close(s.stage.channel);
	CHECK(stage_die_with_runtime(s.c) == -EINVAL && strstr(s.own.msg, "the runtime exited"));
	CHECK(stage_outlive_runtime(s.c) == -EINVAL);
	close_sides(&s);
	CHECK(stage_outlive_runtime(s.c) == -EBADF);
}

int
main(void)
{
	test_there_and_back();
	test_listener();
	test_last_words();
	test_ends();
	test_two_descriptors();
	test_life();
	return failed;
}
