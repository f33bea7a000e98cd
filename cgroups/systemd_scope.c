/* Theory of operation: a scope is a unit around processes that systemd did not
 * start. knarr makes the init first, which waits; systemd moves it into the scope
 * (StartTransientUnit with PIDs=), also for an ordinary user whose own rights do
 * not reach from his login session into the tree of his manager. The job is done
 * when JobRemoved says so. Delegate= makes all below the scope knarr's.
 *
 * A scope whose last process is gone ends by itself, and CollectMode= lets systemd
 * forget it even when it failed; so whatever becomes of a container, nothing stays. But
 * a process that is ending already can be put into a cgroup without ever having been
 * there: when knarr is killed while it asks, a scope may be made that is empty from the
 * beginning, and has no end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cgroups/systemd_bus.h"

#define ERROR_MAX 256

/* Frees the message, which nobody will send. */
static int
cannot_append(struct systemd_bus *b, struct sd_bus_message *m, const char *what, int r, struct err *err)
{
	b->lib.message_unref(m);
	return err_set(err, -r, "systemd: %s: put the message together", what);
}

/* ---- where the manager is ---------------------------------------------- */

static int
get_control_group(struct systemd_bus *b, struct arena *a, struct err *err, const char **ret_path)
{
	static const char what[] = "ask for the manager's own cgroup";
	struct sd_bus_message *m = NULL, *reply = NULL;
	const char *text = NULL;
	int r = b->lib.message_new_method_call(b->bus, &m, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
					       "org.freedesktop.DBus.Properties", "Get");

	if (r >= 0)
		r = systemd_bus_append_text(b, m, "org.freedesktop.systemd1.Manager");
	if (r >= 0)
		r = systemd_bus_append_text(b, m, "ControlGroup");
	if (r < 0)
		return cannot_append(b, m, what, r, err);
	r = systemd_bus_call(b, m, what, err, NULL, &reply);
	if (r < 0)
		return r;
	if (b->lib.message_enter_container(reply, 'v', "s") < 0 || b->lib.message_read_basic(reply, 's', &text) < 0)
		r = err_plain(err, "systemd: %s: an answer that is not understood", what);
	else
		*ret_path = arena_strdup(a, !strcmp(text, "/") ? "" : text);
	b->lib.message_unref(reply);
	return r;
}

int
systemd_locate(struct cgroup *cg, struct arena *a, struct err *err)
{
	struct systemd_bus b;
	const char *own = "";
	int r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);

	if (r < 0)
		return r;
	r = get_control_group(&b, a, err, &own);
	systemd_bus_close(&b);
	if (r == 0)
		cg->path = arena_printf(a, "%s%s", own, cg->below_manager);
	return r;
}

/* ---- start ------------------------------------------------------------- */

static int
make_properties(const struct cgroup *cg, const struct spec *s, const char *id, struct systemd_properties *p,
		struct err *err)
{
	struct settings list = { .arena = p->arena };
	struct systemd_value pids = { .type = "au", .n = 1, .items = arena_alloc(p->arena, sizeof(*pids.items)) };
	int r = settings_compile(&list, s->linux_.resources, err);

	if (r < 0)
		return r;
	pids.items[0] = (struct systemd_value){ .type = "u", .v.u = (uint64_t)cg->pid };
	systemd_properties_set_text(p, "Description", arena_printf(p->arena, "container %s", id));
	systemd_properties_set_text(p, "Slice", cg->slice);
	systemd_properties_set_bool(p, "Delegate", true);
	systemd_properties_set_bool(p, "DefaultDependencies", false);
	systemd_properties_set_text(p, "CollectMode", "inactive-or-failed");
	r = systemd_properties_from_settings(p, &list, err);
	if (r == 0)
		r = systemd_properties_from_annotations(p, s, err);
	systemd_properties_set(p, "PIDs", pids);
	return r;
}

/* StartTransientUnit(s name, s mode, a(sv) properties, a(sa(sv)) auxiliary units): o job */
static int
call_start(struct systemd_bus *b, const struct cgroup *cg, const struct systemd_properties *p, struct err *err,
	   char *ret_error, struct systemd_job *job)
{
	struct sd_bus_message *m = NULL, *reply = NULL;
	char what[320];
	int r = systemd_bus_method(b, "StartTransientUnit", err, &m);

	ret_error[0] = '\0';
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "start the scope '%s'", cg->unit);
	r = systemd_bus_append_text(b, m, cg->unit);
	if (r >= 0)
		r = systemd_bus_append_text(b, m, "fail");
	if (r >= 0)
		r = systemd_bus_append_properties(b, m, p);
	if (r >= 0)
		r = b->lib.message_open_container(m, 'a', "(sa(sv))");
	if (r >= 0)
		r = b->lib.message_close_container(m);
	if (r < 0)
		return cannot_append(b, m, what, r, err);
	r = systemd_bus_call(b, m, what, err, ret_error, &reply);
	return r < 0 ? r : systemd_bus_wait_job(b, reply, job, what, err);
}

static int
call_unit(struct systemd_bus *b, const char *member, const char *unit, const char *mode, struct err *err,
	  char *ret_error, struct sd_bus_message **ret_reply)
{
	struct sd_bus_message *m = NULL;
	int r = systemd_bus_method(b, member, err, &m);

	if (ret_error)
		ret_error[0] = '\0';
	if (r < 0)
		return r;
	r = systemd_bus_append_text(b, m, unit);
	if (r >= 0 && mode)
		r = systemd_bus_append_text(b, m, mode);
	if (r < 0)
		return cannot_append(b, m, member, r, err);
	return systemd_bus_call(b, m, member, err, ret_error, ret_reply);
}

/* One that ended a moment ago is still known for an instant; one that failed and
 * was not made by knarr stays until it is reset. */
static int
start_anew(struct systemd_bus *b, const struct cgroup *cg, const struct systemd_properties *p, struct err *err)
{
	char error[ERROR_MAX] = "";
	struct systemd_job job;
	int r = systemd_bus_watch_jobs(b, &job, err);

	for (unsigned i = 0; r == 0 && i < 10; i++) {
		struct err ignored;

		r = call_start(b, cg, p, err, error, &job);
		if (strcmp(error, "org.freedesktop.systemd1.UnitExists") != 0)
			return r;
		err_clear(&ignored);
		call_unit(b, "ResetFailedUnit", cg->unit, NULL, &ignored, NULL, NULL);
		poll(NULL, 0, 20);
		r = 0;
	}
	return r < 0 ? r : -EEXIST;
}

/* Where the init is now is where the container will be looked for. */
static int
check_place(const struct cgroup *cg, struct arena *a, struct err *err)
{
	char path[64], text[4096], *line;
	const char *scope = systemd_scope_path(cg, a);

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)cg->pid);
	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return err_plain(err, "the container's init ended while systemd made its scope");
	line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	line = line ? strstr(line, "0::") + 3 : text;
	line[strcspn(line, "\n")] = '\0';
	/* A mount of cgroup2 may show a part of the tree only. */
	if (strlen(line) >= strlen(scope) && !strcmp(line + strlen(line) - strlen(scope), scope))
		return 0;
	return err_plain(err, "systemd put the container's init into cgroup '%s' instead of '%s'", line, scope);
}

int
systemd_start(const struct cgroup *cg, const struct spec *s, const char *id, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct systemd_properties p = { .arena = &a };
	struct systemd_bus b;
	int r = make_properties(cg, s, id, &p, err);

	if (r == 0)
		r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);
	if (r < 0)
		return r;
	r = start_anew(&b, cg, &p, err);
	systemd_bus_close(&b);
	return r < 0 ? r : check_place(cg, &a, err);
}

/* ---- update ------------------------------------------------------------ */

/* SetUnitProperties(s name, b runtime, a(sv) properties) */
int
systemd_update(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	static const int runtime = 1;
	auto_arena struct arena a = { 0 };
	struct systemd_properties p = { .arena = &a };
	struct sd_bus_message *m = NULL;
	struct systemd_bus b;
	int r = systemd_properties_from_settings(&p, list, err);

	if (r < 0 || p.n == 0)
		return r;
	r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);
	if (r < 0)
		return r;
	r = systemd_bus_method(&b, "SetUnitProperties", err, &m);
	if (r == 0) {
		r = systemd_bus_append_text(&b, m, cg->unit);
		if (r >= 0)
			r = b.lib.message_append_basic(m, 'b', &runtime);
		if (r >= 0)
			r = systemd_bus_append_properties(&b, m, &p);
		if (r >= 0)
			r = systemd_bus_call(&b, m, "set the properties of the scope", err, NULL, NULL);
		else
			r = cannot_append(&b, m, "SetUnitProperties", r, err);
	}
	systemd_bus_close(&b);
	return r;
}

/* ---- stop -------------------------------------------------------------- */

static bool
is_no_such_unit(const char *error)
{
	return !strcmp(error, "org.freedesktop.systemd1.NoSuchUnit");
}

enum unit_use { UNIT_UNKNOWN, UNIT_EMPTY, UNIT_IN_USE };

/* GetUnitProcesses(s name): a(sus) cgroup, pid, command line. An enum unit_use, or
 * -errno with err. */
static int
unit_use(struct systemd_bus *b, const char *unit, struct err *err)
{
	struct sd_bus_message *reply = NULL;
	char error[ERROR_MAX];
	int r = call_unit(b, "GetUnitProcesses", unit, NULL, err, error, &reply);

	if (is_no_such_unit(error)) {
		err_clear(err);
		return UNIT_UNKNOWN;
	}
	if (r < 0)
		return r;
	r = b->lib.message_enter_container(reply, 'a', "(sus)");
	if (r >= 0)
		r = b->lib.message_enter_container(reply, 'r', "sus");
	b->lib.message_unref(reply);
	if (r < 0)
		return err_plain(err, "systemd: GetUnitProcesses: an answer that is not understood");
	return r > 0 ? UNIT_IN_USE : UNIT_EMPTY;
}

static int
call_stop(struct systemd_bus *b, const char *unit, struct systemd_job *job, struct err *err)
{
	struct sd_bus_message *reply = NULL;
	char error[ERROR_MAX];
	int r = call_unit(b, "StopUnit", unit, "replace", err, error, &reply);

	if (is_no_such_unit(error)) {
		err_clear(err);
		return 0;
	}
	return r < 0 ? r : systemd_bus_wait_job(b, reply, job, "stop the scope", err);
}

static int
stop_unit(struct systemd_bus *b, const char *unit, struct err *err)
{
	struct systemd_job job;
	struct err ignored;
	int r = systemd_bus_watch_jobs(b, &job, err);

	if (r == 0)
		r = call_stop(b, unit, &job, err);
	err_clear(&ignored);
	if (r == 0)
		call_unit(b, "ResetFailedUnit", unit, NULL, &ignored, NULL, NULL);
	return r;
}

int
systemd_stop(const struct cgroup *cg, struct err *err)
{
	struct systemd_bus b;
	int r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);

	if (r < 0)
		return r;
	r = stop_unit(&b, cg->unit, err);
	systemd_bus_close(&b);
	return r;
}

int
systemd_stop_if_empty(const struct cgroup *cg, struct err *err)
{
	struct systemd_bus b;
	int r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);

	if (r < 0)
		return r;
	r = unit_use(&b, cg->unit, err);
	if (r == UNIT_EMPTY)
		r = stop_unit(&b, cg->unit, err);
	systemd_bus_close(&b);
	return r < 0 ? r : 0;
}
