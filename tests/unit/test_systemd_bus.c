/* Talking to systemd without one: a peer that has said all it will say before it is asked, in any order
 * and with any fault; and addresses. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/events.h"
#include "cgroups/systemd/systemd_address.h"
#include "cgroups/systemd/systemd_bus.h"
#include "libcontainer/process/restrain.h"
#include "tests/unit/bus_message.h"
#include "tests/unit/check.h"

static const char welcome[] = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";
static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";

/* ---- what the peer says -------------------------------------------------- */

enum serial { HELLO = 1, MATCH, START }; /* as knarr numbers them */

static void
reply_text(struct bytes *out, uint32_t serial, const char *signature, const char *text)
{
	struct bytes body = { .swapped = out->swapped };
	const struct message m = {
		.type = 2, .reply_serial = serial, .sender = ":1.0", .signature = signature, .body = &body
	};

	put_text(&body, text);
	put_message(out, &m);
}

static void
reply_nothing(struct bytes *out, uint32_t serial)
{
	put_message(out, &(const struct message){ .type = 2, .reply_serial = serial, .sender = ":1.0" });
}

static void
reply_error(struct bytes *out, uint32_t serial, const char *name, const char *text)
{
	struct bytes body = { .swapped = out->swapped };

	if (text)
		put_text(&body, text);
	put_message(out, &(const struct message){ .type = 3,
						  .reply_serial = serial,
						  .error = name,
						  .sender = ":1.0",
						  .signature = text ? "s" : NULL,
						  .body = &body });
}

static void
job_removed(struct bytes *out, const char *sender, const char *job, const char *result)
{
	struct bytes body = { .swapped = out->swapped };

	put_u32(&body, 5);
	put_text(&body, job);
	put_text(&body, "a.scope");
	put_text(&body, result);
	put_message(out, &(const struct message){ .type = 4,
						  .path = "/org/freedesktop/systemd1",
						  .interface = "org.freedesktop.systemd1.Manager",
						  .member = "JobRemoved",
						  .sender = sender,
						  .signature = "uoss",
						  .body = &body });
}

static void
greet(struct bytes *out)
{
	put(out, welcome, sizeof(welcome) - 1);
	reply_text(out, HELLO, "s", ":1.7");
	reply_nothing(out, MATCH);
}

/* ---- a call that makes a job --------------------------------------------- */

static const struct systemd_method start = { "org.freedesktop.systemd1",
					     "/org/freedesktop/systemd1",
					     "org.freedesktop.systemd1.Manager",
					     "StartUnit",
					     "ss",
					     "o" };

/* ends: the peer hangs up behind what it says; else it is silent. */
static int
make_job(const struct bytes *said, bool ends, struct err *err, char *error, struct bytes *ret_heard)
{
	struct systemd_bus bus = { .name = "system bus",
				   .address = "unix:path=/test",
				   .deadline = events_clock_ms() + (ends ? 5000 : 50) };
	struct systemd_writer *arguments;
	struct systemd_message reply;
	ssize_t n;
	int pair[2], r;

	err_clear(err);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(write(pair[1], said->data, said->n) == (ssize_t)said->n);
	if (ends)
		shutdown(pair[1], SHUT_WR);
	systemd_bus_begin(&bus, pair[0]);
	systemd_bus_watch_jobs(&bus);
	arguments = systemd_bus_method(&bus, &start);
	systemd_write_text(arguments, "a.scope");
	systemd_write_text(arguments, "fail");
	r = systemd_bus_call(&bus, "start it", err, error, &reply);
	if (r == 0)
		r = systemd_bus_wait_job(&bus, &reply, "start it", err);
	systemd_bus_close(&bus);
	n = read(pair[1], ret_heard->data, sizeof(ret_heard->data));
	ret_heard->n = n > 0 ? (size_t)n : 0;
	close(pair[1]);
	return r;
}

/* want: words of the error, or NULL. */
static void
job_case(int line, const struct bytes *said, bool ends, int code, const char *want, const char *error_name)
{
	struct bytes heard;
	char error[256] = "";
	struct err err;
	char text[ERR_MSG_MAX + 128];
	int r = make_job(said, ends, &err, error, &heard);

	err_format(&err, text, sizeof(text));
	CHECK(r == code && (!want || strstr(text, want)) && !strcmp(error, error_name), "line %d: %d '%s' '%s'", line,
	      r, r < 0 ? text : "", error);
}
#define JOB(...) job_case(__LINE__, __VA_ARGS__)

/* All in one go, and nothing but that. */
static void
test_good(bool swapped)
{
	struct bytes said = { .swapped = swapped }, heard;
	struct systemd_message m;
	char error[256];
	struct err err;
	size_t at = sizeof(words) - 1;

	greet(&said);
	reply_text(&said, START, "o", "/job/5");
	job_removed(&said, ":1.0", "/job/5", "done");
	CHECK(make_job(&said, true, &err, error, &heard) == 0, "swapped %d: %s", swapped, err.msg);
	CHECK(heard.n > at && !memcmp(heard.data, words, at));
	for (uint32_t serial = HELLO; serial <= START; serial++) {
		ssize_t len = systemd_message_length(heard.data + at, heard.n - at);

		CHECK(len > 0 && systemd_message_parse(heard.data + at, (size_t)len, &m) == 0 && m.serial == serial);
		at += len > 0 ? (size_t)len : 0;
	}
	CHECK(at == heard.n && !strcmp(m.member, "StartUnit"));
}

/* Others send things, too, and some pretend to be systemd. */
static void
test_others(void)
{
	struct bytes said = { .n = 0 };

	greet(&said);
	put_message(&said, &(const struct message){ .type = 1, .path = "/", .member = "Ping", .sender = ":1.3" });
	put_message(&said, &(const struct message){ .type = 9 });
	reply_text(&said, 40, "o", "/job/9");
	reply_error(&said, 41, "a.b", "not of this call");
	reply_text(&said, START, "o", "/job/5");
	job_removed(&said, ":1.0", "/job/6", "failed");
	job_removed(&said, ":1.66", "/job/5", "failed");
	put_message(&said, &(const struct message){ .type = 4,
						    .path = "/org/freedesktop/systemd1",
						    .interface = "org.freedesktop.systemd1.Manager",
						    .member = "JobRemoved",
						    .sender = ":1.0" });
	job_removed(&said, ":1.0", "/job/5", "skipped");
	JOB(&said, true, 0, NULL, "");
}

static void
test_jobs_that_fail(void)
{
	struct bytes said = { .n = 0 }, cut;

	greet(&said);
	reply_text(&said, START, "o", "/job/5");
	cut = said;
	JOB(&cut, true, -ECONNRESET, "start it over the system bus at 'unix:path=/test': connection reset", "");
	JOB(&cut, false, -ETIMEDOUT, "start it: no answer within", "");
	job_removed(&said, ":1.0", "/job/5", "failed");
	JOB(&said, true, -EREMOTEIO, "finished as 'failed'", "");
	for (size_t n = 0; n < cut.n; n++) {
		struct bytes shorter = cut;
		struct bytes heard;
		char error[256];
		struct err err;
		int r;

		shorter.n = n;
		r = make_job(&shorter, true, &err, error, &heard);
		CHECK(r == -ECONNRESET && err.msg[0], "cut at %zu: %d %s", n, r, err.msg);
	}
}

static void
test_replies_that_are_errors(void)
{
	struct bytes said = { .n = 0 }, next;

	greet(&said);
	next = said;
	reply_error(&next, START, "org.freedesktop.systemd1.UnitExists", "It exists.");
	JOB(&next, true, -EREMOTEIO, "systemd: start it: It exists.", "org.freedesktop.systemd1.UnitExists");
	next = said;
	reply_error(&next, START, "a.b.Silent", NULL);
	JOB(&next, true, -EREMOTEIO, "systemd: start it: a.b.Silent", "a.b.Silent");
	next = said;
	reply_text(&next, START, "s", "/job/5");
	JOB(&next, true, -EINVAL, "unexpected reply", "");
	next = said;
	reply_nothing(&next, START);
	JOB(&next, true, -EINVAL, "unexpected reply", "");
	next = said;
	reply_text(&next, START, "o", "");
	JOB(&next, true, -EINVAL, "unexpected reply", "");
	next = said;
	put(&next, "lxyz5678abcd1234", 16);
	JOB(&next, true, -EBADMSG, "start it over the system bus", "");
	/* 127 MiB to come. */
	next = said;
	put(&next, "l\2\1\1\0\0\xf0\7\1\0\0\0\0\0\0\0", 16);
	JOB(&next, true, -EBADMSG, "start it over the system bus", "");
}

static void
test_not_let_in(void)
{
	struct bytes said = { .n = 0 };

	JOB(&said, true, -ECONNRESET, "--systemd-cgroup: connect to the system bus at 'unix:path=/test'", "");
	JOB(&said, false, -ETIMEDOUT, "connect: no answer within 10 s over the system bus", "");
	put(&said, "REJECTED EXTERNAL\r\n", 19);
	JOB(&said, true, -EPERM, "--systemd-cgroup: connect to the system bus", "");
	said.n = 0;
	put(&said, "OK 0123\r\n", 9);
	JOB(&said, true, -EPERM, "--systemd-cgroup: connect to the system bus", "");
	said.n = 2000;
	memset(said.data, 'x', said.n);
	JOB(&said, true, -EPROTO, "--systemd-cgroup: connect to the system bus", "");
	said.n = 0;
	put(&said, welcome, sizeof(welcome) - 1);
	reply_error(&said, HELLO, "a.b", "too many");
	JOB(&said, true, -EREMOTEIO, "systemd: connect over the system bus at 'unix:path=/test': too many", "");
	said.n = 0;
	put(&said, welcome, sizeof(welcome) - 1);
	reply_text(&said, HELLO, "s", ":1.7");
	reply_error(&said, MATCH, "a.b", "no more matches");
	JOB(&said, true, -EREMOTEIO, "systemd: watch for the end of jobs over the system bus", "");
}

/* ---- whole functions ------------------------------------------------------ */

/* A process that takes one connection, says what it has to, and hears the caller out. */
static pid_t
serve(int listener, const struct bytes *said, int *ret_heard)
{
	int fds[2];
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		char buf[4096];
		ssize_t n;
		int fd;

		alarm(10); /* when nobody calls */
		fd = accept(listener, NULL, NULL);
		if (fd < 0 || write(fd, said->data, said->n) != (ssize_t)said->n)
			_exit(1);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write(fds[1], buf, (size_t)n) != n)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	*ret_heard = fds[0];
	return pid;
}

static const struct cgroup cgroup = { .unit = (char *)"a.scope", .slice = (char *)"system.slice" };

static int
update(struct err *err)
{
	struct setting item = { .property = "p", .file = "pids.max", .value = "17" };
	const struct settings list = { .items = &item, .n = 1 };

	return systemd_update(&cgroup, &list, err);
}

static int
stop(struct err *err)
{
	return systemd_stop(&cgroup, err);
}

/* As a foreground run does at its end, when it has given up most of what it could do. */
static int
stop_restrained(struct err *err)
{
	const struct restrain_options options = { .uses_files = true, .removes = true, .asks_systemd = true };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int r = restrain_self(&options, err);

		_exit(r == 0 && systemd_stop(&cgroup, err) == 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status ? -EPERM : 0;
}

static int
stop_if_empty(struct err *err)
{
	return systemd_stop_if_empty(&cgroup, err);
}

/* members: of all messages that came, each with a space behind it. */
static void
session_case(int line, int listener, int (*call)(struct err *err), const struct bytes *said, int code,
	     const char *members)
{
	struct bytes heard = { .n = 0 };
	struct systemd_message m;
	char got[256] = "";
	size_t at = sizeof(words) - 1;
	struct err err;
	int fd, r, status = 0;
	ssize_t n;
	pid_t pid = serve(listener, said, &fd);

	err_clear(&err);
	r = call(&err);
	while ((n = read(fd, heard.data + heard.n, sizeof(heard.data) - heard.n)) > 0)
		heard.n += (size_t)n;
	close(fd);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	while (at < heard.n) {
		ssize_t len = systemd_message_length(heard.data + at, heard.n - at);

		CHECK(len > 0 && systemd_message_parse(heard.data + at, (size_t)len, &m) == 0);
		if (len <= 0)
			break;
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", m.member);
		at += (size_t)len;
	}
	CHECK(r == code && !strcmp(got, members), "line %d: %d '%s', sent %s", line, r, err.msg, got);
}
#define SESSION(...) session_case(__LINE__, listener, __VA_ARGS__)

static void
test_stop(int listener)
{
	struct bytes said = { .n = 0 };

	greet(&said);
	reply_text(&said, 3, "o", "/job/5");
	job_removed(&said, ":1.0", "/job/5", "done");
	reply_nothing(&said, 4);
	SESSION(stop, &said, 0, "Hello AddMatch StopUnit ResetFailedUnit ");
	SESSION(stop_restrained, &said, 0, "Hello AddMatch StopUnit ResetFailedUnit ");
	said.n = 0;
	greet(&said);
	reply_error(&said, 3, "org.freedesktop.systemd1.NoSuchUnit", "gone");
	reply_error(&said, 4, "org.freedesktop.systemd1.NoSuchUnit", "gone");
	SESSION(stop, &said, 0, "Hello AddMatch StopUnit ResetFailedUnit ");
	said.n = 0;
	greet(&said);
	reply_error(&said, 3, "a.b", "no");
	SESSION(stop, &said, -EREMOTEIO, "Hello AddMatch StopUnit ");
}

static void
processes(struct bytes *out, uint32_t length)
{
	struct bytes body = { .n = 0 };

	put(out, welcome, sizeof(welcome) - 1);
	reply_text(out, 1, "s", ":1.7");
	put_u32(&body, length);
	put_u32(&body, 0);
	if (length > 0) {
		put_text(&body, "/a.scope");
		put_u32(&body, 1234);
		put_text(&body, "sleep");
		length = (uint32_t)body.n - 8;
		memcpy(body.data, &length, 4);
	}
	put_message(out,
		    &(const struct message){
			    .type = 2, .reply_serial = 2, .sender = ":1.0", .signature = "a(sus)", .body = &body });
}

static void
test_stop_if_empty(int listener)
{
	struct bytes said = { .n = 0 };

	processes(&said, 1);
	SESSION(stop_if_empty, &said, 0, "Hello GetUnitProcesses ");
	said.n = 0;
	processes(&said, 0);
	reply_nothing(&said, 3);
	reply_text(&said, 4, "o", "/job/5");
	job_removed(&said, ":1.0", "/job/5", "done");
	reply_nothing(&said, 5);
	SESSION(stop_if_empty, &said, 0, "Hello GetUnitProcesses AddMatch StopUnit ResetFailedUnit ");
	said.n = 0;
	put(&said, welcome, sizeof(welcome) - 1);
	reply_error(&said, 2, "org.freedesktop.systemd1.NoSuchUnit", "gone");
	SESSION(stop_if_empty, &said, 0, "Hello GetUnitProcesses ");
}

static void
test_update(int listener)
{
	struct bytes said = { .n = 0 };

	put(&said, welcome, sizeof(welcome) - 1);
	reply_nothing(&said, 2);
	SESSION(update, &said, 0, "Hello SetUnitProperties ");
}

/* Below a tree that is not there nothing can be seen, so the manager is asked. */
static char located[64];

static int
locate(struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct cgroup cg = { .mount = (char *)"/nowhere", .below_manager = (char *)"/a.scope", .user_manager = true };
	int r = systemd_locate(&cg, &a, err);

	snprintf(located, sizeof(located), "%s", r == 0 ? cg.path : "");
	return r;
}

static void
reply_variant(struct bytes *out, const char *type, const char *text)
{
	struct bytes body = { .n = 0 };

	*out = (struct bytes){ .n = 0 };
	put(out, welcome, sizeof(welcome) - 1);
	put_signature(&body, type);
	put_text(&body, text);
	put_message(out, &(const struct message){
				 .type = 2, .reply_serial = 2, .sender = ":1.0", .signature = "v", .body = &body });
}

static void
test_locate(int listener)
{
	struct bytes said;

	reply_variant(&said, "s", "/user.slice/x");
	SESSION(locate, &said, 0, "Hello Get ");
	CHECK(!strcmp(located, "/user.slice/x/a.scope"), "%s", located);
	reply_variant(&said, "s", "/");
	SESSION(locate, &said, 0, "Hello Get ");
	CHECK(!strcmp(located, "/a.scope"), "%s", located);
	reply_variant(&said, "s", "below");
	SESSION(locate, &said, -EINVAL, "Hello Get ");
	reply_variant(&said, "o", "/a");
	SESSION(locate, &said, -EINVAL, "Hello Get ");
	reply_variant(&said, "ss", "/a");
	SESSION(locate, &said, -EINVAL, "Hello Get ");
}

/* ---- addresses ------------------------------------------------------------ */

static int
connect_to(const char *address)
{
	int fd = systemd_address_connect(address, 100);

	fd_close(fd);
	return fd < 0 ? fd : 0;
}

static void
test_addresses(const char *path)
{
	static const struct {
		const char *address;
		int want;
	} wrong[] = {
		{ "", -EINVAL },
		{ "unix", -EINVAL },
		{ "unix:", -EINVAL },
		{ "unix:guid=12", -EINVAL },
		{ "unix:path", -EINVAL },
		{ "unix:path=", -EINVAL },
		{ "unix:path=/a%2", -EINVAL },
		{ "unix:path=/a%zz", -EINVAL },
		{ "unix:path=/a%00b", -EINVAL },
		{ "unix:path=/a,abstract=b", -EINVAL },
		{ "tcp:host=localhost,port=1", -EPROTONOSUPPORT },
		{ "unix:path=/nowhere/at/all", -ENOENT },
		{ "unix:abstract=knarr-nobody-listens", -ECONNREFUSED },
	};
	char text[256];
	int fd;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(connect_to(wrong[i].address) == wrong[i].want, "'%s': %d", wrong[i].address,
		      connect_to(wrong[i].address));
	snprintf(text, sizeof(text), "unix:path=/%0110d", 0);
	CHECK(connect_to(text) == -ENAMETOOLONG, "%s", text);
	snprintf(text, sizeof(text), "unix:path=%%2f%s", path + 1);
	CHECK(connect_to(text) == 0, "%s", text);
	snprintf(text, sizeof(text), "tcp:port=1;unix:guid=12,path=%s,x=", path);
	CHECK(connect_to(text) == 0, "%s", text);
	snprintf(text, sizeof(text), "unix:path=/nowhere;unix:path=%s", path);
	CHECK(connect_to(text) == 0, "%s", text);
	CHECK(systemd_address_connect(text, 0) == -ETIMEDOUT, "no time at all");
	/* As many as wait to be taken; one more would wait for ever. */
	snprintf(text, sizeof(text), "unix:path=%s", path);
	while ((fd = systemd_address_connect(text, 50)) >= 0)
		;
	CHECK(fd == -ETIMEDOUT, "a bus that takes nobody: %d", fd);
}

static void
test_find(void)
{
	char text[256];

	setenv("XDG_RUNTIME_DIR", "/run/user/1 é", 1);
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	systemd_address_find(true, text, sizeof(text));
	CHECK(!strcmp(text, "unix:path=/run/user/1%20%c3%a9/bus"), "%s", text);
	setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x", 1);
	systemd_address_find(true, text, sizeof(text));
	CHECK(!strcmp(text, "unix:path=/x"), "%s", text);
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
	systemd_address_find(false, text, sizeof(text));
	CHECK(!strcmp(text, "unix:path=/run/dbus/system_bus_socket"), "%s", text);
}

int
main(void)
{
	char directory[] = "/tmp/knarr-bus-XXXXXX", text[128];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	test_find();
	test_good(false);
	test_good(true);
	test_others();
	test_jobs_that_fail();
	test_replies_that_are_errors();
	test_not_let_in();
	CHECK(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", directory);
	CHECK(bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 3) == 0);
	snprintf(text, sizeof(text), "unix:path=%s", address.sun_path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", text, 1);
	test_stop(listener);
	test_stop_if_empty(listener);
	test_update(listener);
	setenv("DBUS_SESSION_BUS_ADDRESS", text, 1);
	test_locate(listener);
	test_addresses(address.sun_path);
	unlink(address.sun_path);
	rmdir(directory);
	return failed;
}
