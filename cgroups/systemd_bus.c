/* Theory of operation: sd-bus would wait for half a minute for a reply and for
 * longer for the first word of a bus. Here every wait has the rest of one deadline:
 * connecting is driven step by step until the bus is ready, calls are given the
 * time that is left, and the connection is dropped without flushing it. A bus that
 * does not answer is told as that, with its address. */
#include "cgroups/systemd_bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroups/events.h"

#define DESTINATION  "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER	     "org.freedesktop.systemd1.Manager"
#define SYSTEM_BUS   "unix:path=/run/dbus/system_bus_socket"

/* ---- errors ------------------------------------------------------------ */

static int64_t
time_left(const struct systemd_bus *b)
{
	int64_t left = b->deadline - events_clock_ms();

	return left > 0 ? left : 0;
}

static int
no_answer(const struct systemd_bus *b, const char *what, struct err *err)
{
	return err_set(err, ETIMEDOUT, "systemd: %s: no answer within %d s over the %s at '%s'", what,
		       SYSTEMD_TIMEOUT_MS / 1000, b->name, b->address);
}

static int
cannot_connect(const struct systemd_bus *b, int code, struct err *err)
{
	const char *hint = "";

	if (access("/run/systemd/system", F_OK) < 0)
		hint = " (systemd does not run on this host; hint: --cgroup-manager=cgroupfs)";
	else if (!strcmp(b->name, "user's bus"))
		hint = " (hint: is there a systemd for this user? loginctl enable-linger; XDG_RUNTIME_DIR or "
		       "DBUS_SESSION_BUS_ADDRESS tells where its bus is)";
	return err_set(err, code, "--systemd-cgroup: connect to the %s at '%s'%s", b->name, b->address, hint);
}

/* ---- connecting -------------------------------------------------------- */

/* The form that D-Bus wants of a path in an address. */
static void
path_address(const char *folder, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "unix:path=");
	static const char tail[] = "/bus";

	for (const char *c = folder; *c && n + 4 + sizeof(tail) < size; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
			     strchr("-_/.", *c);

		n += (size_t)snprintf(buf + n, size - n, plain ? "%c" : "%%%02x", (unsigned char)*c);
	}
	snprintf(buf + n, size - n, "%s", tail);
}

static void
find_address(bool user, char *buf, size_t size)
{
	const char *address = getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *folder = getenv("XDG_RUNTIME_DIR");
	char own[64];

	if (address && *address) {
		snprintf(buf, size, "%s", address);
	} else if (!user) {
		snprintf(buf, size, "%s", SYSTEM_BUS);
	} else {
		snprintf(own, sizeof(own), "/run/user/%u", (unsigned)geteuid());
		path_address(folder && *folder ? folder : own, buf, size);
	}
}

static int
become_ready(struct systemd_bus *b, struct err *err)
{
	for (;;) {
		int r = b->lib.bus_is_ready(b->bus);

		if (r > 0)
			return 0;
		if (r == 0)
			r = b->lib.bus_process(b->bus, NULL);
		if (r == 0 && time_left(b) == 0)
			return no_answer(b, "connect", err);
		if (r == 0)
			r = b->lib.bus_wait(b->bus, (uint64_t)time_left(b) * 1000);
		if (r < 0 && r != -EINTR)
			return cannot_connect(b, -r, err);
	}
}

int
systemd_bus_open(bool user, int timeout_ms, struct err *err, struct systemd_bus *ret_bus)
{
	struct systemd_bus *b = ret_bus;
	int r;

	*b = (struct systemd_bus){ .name = user ? "user's bus" : "system bus",
				   .deadline = events_clock_ms() + timeout_ms };
	find_address(user, b->address, sizeof(b->address));
	r = systemd_lib_open(&b->lib, err);
	if (r < 0)
		return r;
	r = b->lib.bus_new(&b->bus);
	if (r >= 0)
		r = b->lib.bus_set_address(b->bus, b->address);
	if (r >= 0)
		r = b->lib.bus_set_bus_client(b->bus, 1);
	if (r >= 0)
		r = b->lib.bus_start(b->bus);
	r = r < 0 ? cannot_connect(b, -r, err) : become_ready(b, err);
	if (r < 0)
		systemd_bus_close(b);
	return r;
}

void
systemd_bus_close(struct systemd_bus *b)
{
	if (b->bus) {
		b->lib.bus_close(b->bus);
		b->lib.bus_unref(b->bus);
	}
	b->bus = NULL;
	systemd_lib_close(&b->lib);
}

/* ---- calls ------------------------------------------------------------- */

int
systemd_bus_method(struct systemd_bus *b, const char *member, struct err *err, struct sd_bus_message **ret_m)
{
	int r = b->lib.message_new_method_call(b->bus, ret_m, DESTINATION, MANAGER_PATH, MANAGER, member);

	return r < 0 ? err_set(err, -r, "systemd: make a message for %s", member) : 0;
}

int
systemd_bus_call(struct systemd_bus *b, struct sd_bus_message *m, const char *what, struct err *err, char *ret_error,
		 struct sd_bus_message **ret_reply)
{
	struct systemd_bus_error error = { NULL, NULL, 0 };
	/* 0 would mean sd-bus's own timeout. */
	uint64_t usec = (uint64_t)time_left(b) * 1000 + 1;
	int r = b->lib.bus_call(b->bus, m, usec, &error, ret_reply);

	b->lib.message_unref(m);
	if (ret_error)
		ret_error[0] = '\0';
	if (r >= 0)
		return 0;
	if (r == -ETIMEDOUT) {
		r = no_answer(b, what, err);
	} else if (error.name && error.message) {
		if (ret_error)
			snprintf(ret_error, 256, "%s", error.name);
		err_plain(err, "systemd: %s: %s", what, error.message);
		r = -EREMOTEIO;
	} else {
		r = err_set(err, -r, "systemd: %s over the %s at '%s'", what, b->name, b->address);
	}
	b->lib.error_free(&error);
	return r;
}

/* ---- jobs -------------------------------------------------------------- */

/* JobRemoved(u id, o job, s unit, s result). */
static int
job_removed(struct sd_bus_message *m, void *data, struct systemd_bus_error *error)
{
	struct systemd_job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (job->lib->message_read_basic(m, 'u', &id) < 0 || job->lib->message_read_basic(m, 'o', &path) < 0 ||
	    job->lib->message_read_basic(m, 's', &unit) < 0 || job->lib->message_read_basic(m, 's', &result) < 0)
		return 0;
	if (!strcmp(path, job->path))
		snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

/* A bus that refuses the match would let the wait end without a result. */
static int
match_installed(struct sd_bus_message *m, void *data, struct systemd_bus_error *error)
{
	(void)m, (void)data, (void)error;
	return 0;
}

int
systemd_bus_watch_jobs(struct systemd_bus *b, struct systemd_job *job, struct err *err)
{
	int r;

	*job = (struct systemd_job){ .lib = &b->lib };
	r = b->lib.bus_add_match_async(b->bus, NULL,
				       "type='signal',sender='" DESTINATION "',path='" MANAGER_PATH
				       "',interface='" MANAGER "',member='JobRemoved'",
				       job_removed, match_installed, job);
	return r < 0 ? err_set(err, -r, "systemd: watch for the end of jobs") : 0;
}

int
systemd_bus_wait_job(struct systemd_bus *b, struct sd_bus_message *reply, struct systemd_job *job, const char *what,
		     struct err *err)
{
	const char *path;
	int read = b->lib.message_read_basic(reply, 'o', &path);

	if (read >= 0)
		snprintf(job->path, sizeof(job->path), "%s", path);
	b->lib.message_unref(reply);
	if (read < 0)
		return err_plain(err, "systemd: %s: an answer that is not understood", what);
	for (;;) {
		int r = b->lib.bus_process(b->bus, NULL);

		if (job->result[0])
			break;
		if (r == 0 && time_left(b) == 0)
			return no_answer(b, what, err);
		if (r == 0)
			r = b->lib.bus_wait(b->bus, (uint64_t)time_left(b) * 1000);
		if (r < 0 && r != -EINTR)
			return err_set(err, -r, "systemd: %s: wait for the end of the job", what);
	}
	if (strcmp(job->result, "done") != 0 && strcmp(job->result, "skipped") != 0) {
		err_plain(err, "systemd: %s: the job ended as '%s' (hint: journalctl tells why)", what, job->result);
		return -EREMOTEIO;
	}
	return 0;
}

/* ---- messages ---------------------------------------------------------- */

int
systemd_bus_append_text(struct systemd_bus *b, struct sd_bus_message *m, const char *text)
{
	return b->lib.message_append_basic(m, 's', text);
}

static int
append_basic(struct systemd_bus *b, struct sd_bus_message *m, const struct systemd_value *v)
{
	/* sd-bus reads as many bytes as the type has. */
	const union {
		int b;
		uint8_t y;
		uint16_t q;
		uint32_t u;
	} small = *v->type == 'b'	   ? (typeof(small)){ .b = v->v.b }
		  : *v->type == 'y'	   ? (typeof(small)){ .y = (uint8_t)v->v.u }
		  : strchr("nq", *v->type) ? (typeof(small)){ .q = (uint16_t)v->v.u }
					   : (typeof(small)){ .u = (uint32_t)v->v.u };

	if (strchr("sog", *v->type))
		return b->lib.message_append_basic(m, *v->type, v->v.s);
	if (strchr("xt", *v->type))
		return b->lib.message_append_basic(m, *v->type, &v->v.u);
	if (*v->type == 'd')
		return b->lib.message_append_basic(m, 'd', &v->v.d);
	return b->lib.message_append_basic(m, *v->type, &small);
}

static int
append_value(struct systemd_bus *b, struct sd_bus_message *m, const struct systemd_value *v)
{
	char contents[256];
	size_t len = strlen(v->type);
	int r;

	if (!strchr("a(v", *v->type))
		return append_basic(b, m, v);
	if (len >= sizeof(contents))
		return -E2BIG;
	snprintf(contents, sizeof(contents), "%s", *v->type == 'v' ? v->items[0].type : v->type + 1);
	if (*v->type == '(')
		contents[len - 2] = '\0';
	r = b->lib.message_open_container(m, *v->type == '(' ? 'r' : *v->type, contents);
	for (size_t i = 0; r >= 0 && i < v->n; i++)
		r = append_value(b, m, &v->items[i]);
	return r < 0 ? r : b->lib.message_close_container(m);
}

int
systemd_bus_append_properties(struct systemd_bus *b, struct sd_bus_message *m, const struct systemd_properties *p)
{
	int r = b->lib.message_open_container(m, 'a', "(sv)");

	for (size_t i = 0; r >= 0 && i < p->n; i++) {
		struct systemd_value variant = { .type = "v", .items = &p->items[i].value, .n = 1 };

		r = b->lib.message_open_container(m, 'r', "sv");
		if (r >= 0)
			r = b->lib.message_append_basic(m, 's', p->items[i].name);
		if (r >= 0)
			r = append_value(b, m, &variant);
		if (r >= 0)
			r = b->lib.message_close_container(m);
	}
	return r < 0 ? r : b->lib.message_close_container(m);
}
