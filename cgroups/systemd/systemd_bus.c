/* Theory of operation: nothing is waited for that need not be. The words of the authentication, the
 * greeting that a bus wants (Hello), the wish for signals and the first call leave in one write; the
 * answers come in that order and are looked at one after the other. Every wait has the rest of one
 * deadline, and the connection is dropped without a farewell. A bus that does not answer is told
 * as that, with its address.
 *
 * Who calls is known to the bus from the socket (SO_PEERCRED), so that no number is sent, which
 * in a user namespace would be another than the one that the bus sees.
 *
 * Any user of the bus can send a signal to one connection. The one that is waited for has the same
 * sender as the reply that named the job: the bus writes the sender into each message. systemd replies before it
 * runs a job, so the signal never comes first. */
#include "cgroups/systemd/systemd_bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "cgroups/events.h"
#include "cgroups/systemd/systemd_address.h"

#define MANAGER	     "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define BUS	     "org.freedesktop.DBus"
#define AUTH_MAX     1024 /* bytes of all that the bus says before the first message */
#define READ_SIZE    4096

static const struct systemd_method hello = { BUS, "/org/freedesktop/DBus", BUS, "Hello", "", "s" };
static const struct systemd_method add_match = { BUS, "/org/freedesktop/DBus", BUS, "AddMatch", "s", "" };

/* ---- errors ------------------------------------------------------------ */

static int
no_answer(const struct systemd_bus *bus, const char *what, struct err *err)
{
	return err_set(err, ETIMEDOUT, "systemd: %s: no answer within %d s over the %s at '%s'",
		       bus->is_authenticated ? what : "connect", SYSTEMD_TIMEOUT_MS / 1000, bus->name, bus->address);
}

static int
is_broken(const struct systemd_bus *bus, int code, const char *what, struct err *err)
{
	if (code == -ETIMEDOUT)
		return no_answer(bus, what, err);
	if (!bus->is_authenticated)
		return systemd_address_error(bus->name, bus->address, -code, err);
	return err_set(err, -code, "systemd: %s over the %s at '%s'", what, bus->name, bus->address);
}

int
systemd_bus_unexpected(const char *what, struct err *err)
{
	return err_plain(err, "systemd: %s: unexpected reply", what);
}

/* ---- connecting -------------------------------------------------------- */

static int
time_left(const struct systemd_bus *bus)
{
	int64_t left = bus->deadline - events_clock_ms();

	return left > 0 ? (int)left : 0;
}

void
systemd_bus_begin(struct systemd_bus *bus, int fd)
{
	static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";

	bus->fd = fd;
	bus->in = arena_alloc(&bus->arena, READ_SIZE);
	bus->in_cap = READ_SIZE;
	bus->out = (struct systemd_writer){ .arena = &bus->arena };
	systemd_write_bytes(&bus->out, words, sizeof(words) - 1);
	bus->hello = ++bus->serial;
	systemd_write_call(&bus->out, &hello, bus->hello);
	systemd_write_end(&bus->out);
}

int
systemd_bus_open(bool user, int timeout_ms, struct err *err, struct systemd_bus *ret_bus)
{
	struct systemd_bus *b = ret_bus;
	int fd;

	*b = (struct systemd_bus){ .name = user ? "user's bus" : "system bus",
				   .deadline = events_clock_ms() + timeout_ms,
				   .fd = -1 };
	systemd_address_find(user, b->address, sizeof(b->address));
	fd = systemd_address_connect(b->address, timeout_ms);
	if (fd < 0)
		return is_broken(b, fd, "connect", err);
	systemd_bus_begin(b, fd);
	return 0;
}

void
systemd_bus_close(struct systemd_bus *bus)
{
	bus->fd = fd_close(bus->fd);
	arena_free(&bus->arena);
}

/* ---- bytes ------------------------------------------------------------- */

/* 0 or -errno, as the next. */
static int
wait_for(const struct systemd_bus *bus, short events)
{
	for (;;) {
		struct pollfd p = { .fd = bus->fd, .events = events };
		int n = poll(&p, 1, time_left(bus));

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int
send_all(struct systemd_bus *bus)
{
	size_t sent = 0;

	while (sent < bus->out.n) {
		ssize_t n = send(bus->fd, bus->out.data + sent, bus->out.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r = 0;

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			r = wait_for(bus, POLLOUT);
		else if (errno != EINTR)
			r = -errno;
		if (r < 0)
			return r;
	}
	bus->out = (struct systemd_writer){ .arena = &bus->arena, .data = bus->out.data, .cap = bus->out.cap };
	return 0;
}

static void
make_room(struct systemd_bus *bus)
{
	size_t left = bus->in_n - bus->in_used, cap = 2 * bus->in_cap + READ_SIZE;

	if (bus->in_used > 0)
		memmove(bus->in, bus->in + bus->in_used, left);
	bus->in_n = left;
	bus->in_used = 0;
	if (bus->in_cap - bus->in_n >= READ_SIZE)
		return;
	bus->in = arena_grow(&bus->arena, bus->in, bus->in_n, cap);
	bus->in_cap = cap;
}

/* Waits for bytes and adds them to those that are not looked at. */
static int
receive(struct systemd_bus *bus)
{
	make_room(bus);
	for (;;) {
		ssize_t n = recv(bus->fd, bus->in + bus->in_n, bus->in_cap - bus->in_n, MSG_DONTWAIT);
		int r = 0;

		if (n == 0)
			return -ECONNRESET;
		if (n > 0) {
			bus->in_n += (size_t)n;
			return 0;
		}
		if (errno == EAGAIN)
			r = wait_for(bus, POLLIN);
		else if (errno != EINTR)
			r = -errno;
		if (r < 0)
			return r;
	}
}

/* ---- authentication ---------------------------------------------------- */

/* "OK" and the bus's number. */
static bool
is_welcome(const char *line, size_t len)
{
	return len == 3 + 32 && !strncmp(line, "OK ", 3) && strspn(line + 3, "0123456789abcdefABCDEF") >= 32;
}

/* 1 when the bus has said yes, 0 when more must come, or -errno. */
static int
look_for_welcome(struct systemd_bus *bus)
{
	for (;;) {
		const char *line = (const char *)bus->in + bus->in_used;
		size_t left = bus->in_n - bus->in_used, len;
		const char *end = left > 0 ? memmem(line, left, "\r\n", 2) : NULL;

		if (!end)
			return left > AUTH_MAX ? -EPROTO : 0;
		len = (size_t)(end - line);
		bus->in_used += len + 2;
		if (is_welcome(line, len))
			return 1;
		/* It asks for what was sent already. */
		if ((len != 4 && len != 5) || strncmp(line, "DATA ", len) != 0)
			return -EPERM;
	}
}

static int
await_welcome(struct systemd_bus *bus)
{
	int r = 0;

	while (!bus->is_authenticated && r == 0) {
		r = look_for_welcome(bus);
		if (r > 0)
			bus->is_authenticated = true;
		r = r == 0 ? receive(bus) : r < 0 ? r : 0;
	}
	return r;
}

/* ---- messages ---------------------------------------------------------- */

/* Whatever comes next. It is there until the next one is read. */
static int
next_message(struct systemd_bus *bus, struct systemd_message *ret_message)
{
	int r = await_welcome(bus);

	while (r == 0) {
		size_t left = bus->in_n - bus->in_used;
		const unsigned char *data = bus->in + bus->in_used;
		ssize_t len = left > 0 ? systemd_message_length(data, left) : 0;

		if (len < 0)
			return (int)len;
		if (len > 0 && (size_t)len <= left) {
			bus->in_used += (size_t)len;
			return systemd_message_parse(data, (size_t)len, ret_message);
		}
		r = receive(bus);
	}
	return r;
}

/* The text of an error; those without one have a name. */
static const char *
error_text(const struct systemd_message *message)
{
	struct systemd_reader body = message->body;
	const char *text = message->signature[0] == 's' ? systemd_read_text(&body) : "";

	return *text && !body.bad ? text : message->error;
}

/* The bus does not let this connection in, or would not send it the end of its job. */
static int
is_refused(const struct systemd_bus *bus, const struct systemd_message *message, struct err *err)
{
	err_plain(err, "systemd: %s over the %s at '%s': %s",
		  message->reply_serial == bus->hello ? "connect" : "watch for the end of jobs", bus->name,
		  bus->address, error_text(message));
	return -EREMOTEIO;
}

/* 1 for the reply to serial, which may be an error; 0 for what else there is; -errno with err. */
static int
look_for_reply(struct systemd_bus *bus, uint32_t serial, const char *what, struct err *err,
	       struct systemd_message *message)
{
	bool is_answer;
	int r = next_message(bus, message);

	if (r < 0)
		return is_broken(bus, r, what, err);
	is_answer = message->type == SYSTEMD_REPLY || message->type == SYSTEMD_ERROR;
	if (is_answer && message->reply_serial == serial)
		return 1;
	if (message->type == SYSTEMD_ERROR &&
	    (message->reply_serial == bus->hello || message->reply_serial == bus->match))
		return is_refused(bus, message, err);
	return 0;
}

/* ---- calls ------------------------------------------------------------- */

struct systemd_writer *
systemd_bus_method(struct systemd_bus *bus, const struct systemd_method *method)
{
	bus->method = method;
	systemd_write_call(&bus->out, method, ++bus->serial);
	return &bus->out;
}

int
systemd_bus_call(struct systemd_bus *bus, const char *what, struct err *err, char *ret_error,
		 struct systemd_message *ret_reply)
{
	struct systemd_message m;
	int r = systemd_write_end(&bus->out);

	if (ret_error)
		ret_error[0] = '\0';
	if (r < 0)
		return err_set(err, -r, "systemd: %s: build the message", what);
	r = send_all(bus);
	if (r < 0)
		return is_broken(bus, r, what, err);
	while ((r = look_for_reply(bus, bus->serial, what, err, &m)) == 0)
		;
	if (r < 0)
		return r;
	if (m.type == SYSTEMD_ERROR) {
		if (ret_error)
			snprintf(ret_error, 256, "%s", m.error);
		err_plain(err, "systemd: %s: %s", what, error_text(&m));
		return -EREMOTEIO;
	}
	if (strcmp(m.signature, bus->method->out) != 0)
		return systemd_bus_unexpected(what, err);
	if (ret_reply)
		*ret_reply = m;
	return 0;
}

/* ---- jobs -------------------------------------------------------------- */

/* A bus that refuses the match would let the wait end without a result: is_refused(). */
void
systemd_bus_watch_jobs(struct systemd_bus *bus)
{
	static const char match[] = "type='signal',sender='org.freedesktop.systemd1',path='" MANAGER_PATH
				    "',interface='" MANAGER "',member='JobRemoved'";

	bus->match = ++bus->serial;
	systemd_write_call(&bus->out, &add_match, bus->match);
	systemd_write_text(&bus->out, match);
	systemd_write_end(&bus->out);
}

struct job {
	char path[256], sender[256];
};

/* JobRemoved(u id, o job, s unit, s result): the result of the job, or NULL. */
static const char *
job_result(const struct systemd_message *message, const struct job *job)
{
	struct systemd_reader body = message->body;
	const char *path, *result;

	if (message->type != SYSTEMD_SIGNAL || strcmp(message->member, "JobRemoved") != 0 ||
	    strcmp(message->interface, MANAGER) != 0 || strcmp(message->path, MANAGER_PATH) != 0 ||
	    strcmp(message->signature, "uoss") != 0 || strcmp(message->sender, job->sender) != 0)
		return NULL;
	systemd_read_number(&body);
	path = systemd_read_text(&body);
	systemd_read_text(&body);
	result = systemd_read_text(&body);
	return body.bad || strcmp(path, job->path) != 0 ? NULL : result;
}

int
systemd_bus_wait_job(struct systemd_bus *bus, const struct systemd_message *reply, const char *what, struct err *err)
{
	struct systemd_reader body = reply->body;
	struct systemd_message m;
	const char *result = NULL;
	struct job job;

	snprintf(job.path, sizeof(job.path), "%s", systemd_read_text(&body));
	snprintf(job.sender, sizeof(job.sender), "%s", reply->sender);
	if (body.bad || !*job.path)
		return systemd_bus_unexpected(what, err);
	while (!result) {
		int r = look_for_reply(bus, 0, what, err, &m);

		if (r < 0)
			return r;
		result = job_result(&m, &job);
	}
	if (strcmp(result, "done") != 0 && strcmp(result, "skipped") != 0) {
		err_plain(err, "systemd: %s: the job finished as '%s' (hint: see journalctl)", what, result);
		return -EREMOTEIO;
	}
	return 0;
}
