/* Fuzzes the parsers of what other processes send: CRIU, systemd, the container's init to the
 * runtime and the runtime to it, the program on its notify socket. See fuzz.h and README.md. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_pass.h"
#include "cgroups/events.h"
#include "cgroups/systemd/systemd_bus.h"
#include "libcontainer/checkpoint/criu_reply.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/stage_channel.h"
#include "libcontainer/state/notify_socket.h"

/* ---- CRIU ---------------------------------------------------------------- */

static void
fuzz_criu(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct criu_reply reply = { .fd = -1 };

	if (criu_reply_parse(&a, (const unsigned char *)text, len, &reply) == 0)
		FUZZ_MUST(reply.pid >= 0 && reply.fd == -1);
	FUZZ_MUST(!reply.event || strlen(reply.event) <= len);
	FUZZ_MUST(!reply.message || strlen(reply.message) <= len);
}

static void
fuzz_descriptor(char *text, size_t len)
{
	int peer, socket = fuzz_packets(text, len, &peer);
	char buf[16];
	ssize_t n;

	do {
		int fd = -1;

		n = fd_receive(socket, buf, sizeof(buf), &fd);
		fd_close(fd);
	} while (n > 0 || n == -EMSGSIZE);
	close(socket);
	close(peer);
}

/* ---- the stage ------------------------------------------------------------- */

/* The first byte: what the plan calls for. */
static void
fuzz_init_to_runtime(char *text, size_t len)
{
	struct stage stage;
	struct err err;
	int peer, r = 0;

	if (len == 0)
		return;
	stage_init(&stage);
	err_clear(&err);
	FUZZ_MUST(stage_map_status(&stage, /* with_fd= */ false, &err) == 0);
	stage.expected = (uint32_t)(uint8_t)text[0] << 1 & ~(1u << STAGE_LISTENER);
	stage.channel = fuzz_packets(text + 1, len - 1, &peer);
	shutdown(peer, SHUT_WR);
	for (unsigned i = 0; r == 0 && i < STAGE_MESSAGE_COUNT; i++) {
		enum stage_message message = STAGE_MESSAGE_COUNT;
		uint32_t expected = stage.expected;
		int fd = -1;

		r = stage_next(&stage, NULL, &err, &message, &fd);
		FUZZ_MUST(r < 0 ? err.msg[0] && fd < 0
				: (expected & 1u << message) && !(stage.expected & 1u << message));
		fd_close(fd);
	}
	stage_close(&stage);
	close(peer);
}

static void
fuzz_runtime_to_init(char *text, size_t len)
{
	static struct plan_ctx c;
	enum stage_message message;
	struct err err;
	int peer, fd = fuzz_packets(text, len, &peer);

	shutdown(peer, SHUT_WR);
	err_clear(&err);
	c.err = &err;
	c.fds[PLAN_FD_CHANNEL] = fd;
	while (stage_await_any(&c, &message) == 0)
		FUZZ_MUST(message < STAGE_MESSAGE_COUNT);
	FUZZ_MUST(err.msg[0]);
	close(fd);
	close(peer);
}

/* ---- the notify socket ------------------------------------------------------ */

/* What the host hears is one word, whatever the container says. */
static void
fuzz_notify(char *text, size_t len)
{
	char heard[64];
	int peer, pair[2];
	struct notify_socket notify = { .listen_fd = fuzz_packets(text, len, &peer), .host_fd = -1 };
	ssize_t n;

	FUZZ_MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	notify.host_fd = pair[0];
	notify_socket_read(&notify, 0);
	n = recv(pair[1], heard, sizeof(heard), 0);
	FUZZ_MUST(notify.ready ? n == 8 && !memcmp(heard, "READY=1\n", 8) : n < 0);
	notify_socket_close(&notify);
	close(pair[1]);
	close(peer);
}

/* ---- systemd --------------------------------------------------------------- */

/* What the bus says, from its first word on, to a call that makes a job. */
static void
fuzz_systemd(char *text, size_t len)
{
	static const struct systemd_method method = { "org.freedesktop.systemd1",
						      "/org/freedesktop/systemd1",
						      "org.freedesktop.systemd1.Manager",
						      "StopUnit",
						      "ss",
						      "o" };
	struct systemd_bus bus = { .deadline = events_clock_ms() + 60000, .name = "bus" };
	struct systemd_writer *arguments;
	struct systemd_message reply;
	char error[256];
	struct err err;
	int pair[2], r;

	FUZZ_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	FUZZ_MUST(fd_write_all(pair[1], text, len) == 0 && shutdown(pair[1], SHUT_WR) == 0);
	err_clear(&err);
	systemd_bus_begin(&bus, pair[0]);
	systemd_bus_watch_jobs(&bus);
	arguments = systemd_bus_method(&bus, &method);
	systemd_write_text(arguments, "a.scope");
	systemd_write_text(arguments, "replace");
	r = systemd_bus_call(&bus, "StopUnit", &err, error, &reply);
	FUZZ_MUST(strlen(error) < sizeof(error) && (!error[0] || r < 0));
	if (r == 0)
		r = systemd_bus_wait_job(&bus, &reply, "StopUnit", &err);
	FUZZ_MUST(r == 0 || err.msg[0]);
	systemd_bus_close(&bus);
	close(pair[1]);
}

/* One message, and each way to read its body. */
static void
fuzz_bus_message(char *text, size_t len)
{
	struct systemd_message m;
	struct systemd_reader body;

	if (systemd_message_parse(text, len, &m) < 0)
		return;
	FUZZ_MUST(systemd_message_length(text, len) == (ssize_t)len);
	FUZZ_MUST(strlen(m.path) < len && strlen(m.error) < len && strlen(m.signature) < 256);
	body = m.body;
	systemd_read_number(&body);
	for (int i = 0; i < 3; i++)
		FUZZ_MUST(strlen(systemd_read_text(&body)) < len);
	body = m.body;
	if (*systemd_read_variant(&body))
		FUZZ_MUST(strlen(systemd_read_text(&body)) < len);
	body = m.body;
	if (systemd_read_has_struct(&body))
		FUZZ_MUST(body.at < body.len);
}

static const struct fuzz_parser parsers[] = {
	{ 'c', fuzz_criu },   { 'f', fuzz_descriptor }, { 'r', fuzz_init_to_runtime }, { 'i', fuzz_runtime_to_init },
	{ 'n', fuzz_notify }, { 's', fuzz_systemd },	{ 'b', fuzz_bus_message },
};

FUZZ_TARGET(parsers, "messages")
