/* Theory of operation: a scope is a unit around processes that systemd did not
 * start. knarr makes the init first, which waits; systemd moves it into the scope
 * (StartTransientUnit with PIDs=), also for an unprivileged user whose own privileges do
 * not reach from their login session into the tree of their manager. The job is done
 * when JobRemoved says so. Delegate= makes all below the scope knarr's.
 *
 * A scope whose last process is gone ends by itself, and CollectMode= lets systemd
 * forget it even when it failed; so whatever becomes of a container, nothing stays. But
 * a process that is ending already can be put into a cgroup without ever having been
 * there: when knarr is killed while it asks, a scope may be made that is empty from the
 * beginning, and has no end. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/systemd/systemd_bus.h"

#define ERROR_MAX    256
#define MANAGER	     "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define METHOD(name, in, out)                                                                                          \
	{                                                                                                              \
		"org.freedesktop.systemd1", MANAGER_PATH, MANAGER, name, in, out                                       \
	}

/* Properties are a(sv). */
static const struct systemd_method start_transient_unit =
	/* name, mode, properties, auxiliary units: the job */
	METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o");
static const struct systemd_method set_unit_properties =
	/* name, only until it ends, properties */
	METHOD("SetUnitProperties", "sba(sv)", "");
static const struct systemd_method get_unit_processes =
	/* name: cgroup, pid, command line of each */
	METHOD("GetUnitProcesses", "s", "a(sus)");
static const struct systemd_method stop_unit = METHOD("StopUnit", "ss", "o"); /* name, mode: the job */
static const struct systemd_method reset_failed_unit = METHOD("ResetFailedUnit", "s", "");

/* ---- start ------------------------------------------------------------- */

static int
make_properties(const struct cgroup *cg, const struct spec *spec, const char *id, struct systemd_properties *properties,
		struct err *err)
{
	struct systemd_value pids = { .type = "au",
				      .n = 1,
				      .items = arena_alloc(properties->arena, sizeof(*pids.items)) };
	int r;

	pids.items[0] = (struct systemd_value){ .type = "u", .v.u = (uint64_t)cg->pid };
	systemd_properties_set_text(properties, "Description", arena_printf(properties->arena, "container %s", id));
	systemd_properties_set_text(properties, "Slice", cg->slice);
	systemd_properties_set_bool(properties, "Delegate", true);
	systemd_properties_set_bool(properties, "DefaultDependencies", false);
	systemd_properties_set_text(properties, "CollectMode", "inactive-or-failed");
	r = systemd_properties_from_settings(properties, cg->settings, err);
	if (r == 0)
		r = systemd_properties_from_annotations(properties, spec, err);
	systemd_properties_set(properties, "PIDs", pids);
	return r;
}

static int
call_start(struct systemd_bus *bus, const struct cgroup *cg, const struct systemd_properties *properties,
	   struct err *err, char *ret_error)
{
	struct systemd_writer *arguments = systemd_bus_method(bus, &start_transient_unit);
	struct systemd_message reply;
	char what[320];
	int r;

	snprintf(what, sizeof(what), "start the scope '%s'", cg->unit);
	systemd_write_text(arguments, cg->unit);
	systemd_write_text(arguments, "fail");
	systemd_write_properties(arguments, properties);
	systemd_write_no_structs(arguments);
	r = systemd_bus_call(bus, what, err, ret_error, &reply);
	return r < 0 ? r : systemd_bus_wait_job(bus, &reply, what, err);
}

/* mode may be NULL. */
static int
call_unit(struct systemd_bus *bus, const struct systemd_method *method, const char *unit, const char *mode,
	  struct err *err, char *ret_error, struct systemd_message *ret_reply)
{
	struct systemd_writer *arguments = systemd_bus_method(bus, method);

	systemd_write_text(arguments, unit);
	if (mode)
		systemd_write_text(arguments, mode);
	return systemd_bus_call(bus, method->member, err, ret_error, ret_reply);
}

/* One that ended a moment ago is still known for an instant; one that failed and
 * was not made by knarr stays until it is reset. */
static int
start_anew(struct systemd_bus *bus, const struct cgroup *cg, const struct systemd_properties *properties,
	   struct err *err)
{
	char error[ERROR_MAX] = "";
	int r = 0;

	systemd_bus_watch_jobs(bus);
	for (unsigned i = 0; r == 0 && i < 10; i++) {
		struct err ignored;

		r = call_start(bus, cg, properties, err, error);
		if (strcmp(error, "org.freedesktop.systemd1.UnitExists") != 0)
			return r;
		err_clear(&ignored);
		call_unit(bus, &reset_failed_unit, cg->unit, NULL, &ignored, NULL, NULL);
		poll(NULL, 0, 20);
		r = 0;
	}
	return r < 0 ? r : -EEXIST;
}

int
systemd_start(const struct cgroup *cg, const struct spec *spec, const char *id, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct systemd_properties p = { .arena = &a };
	struct systemd_bus b;
	int r = make_properties(cg, spec, id, &p, err);

	if (r == 0)
		r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);
	if (r < 0)
		return r;
	r = start_anew(&b, cg, &p, err);
	systemd_bus_close(&b);
	return r < 0 ? r : systemd_check_place(cg, &a, err);
}

/* ---- update ------------------------------------------------------------ */

int
systemd_update(const struct cgroup *cg, const struct settings *list, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct systemd_properties p = { .arena = &a };
	struct systemd_writer *arguments;
	struct systemd_bus b;
	int r = systemd_properties_from_settings(&p, list, err);

	if (r < 0 || p.n == 0)
		return r;
	r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);
	if (r < 0)
		return r;
	arguments = systemd_bus_method(&b, &set_unit_properties);
	systemd_write_text(arguments, cg->unit);
	systemd_write_bool(arguments, true);
	systemd_write_properties(arguments, &p);
	r = systemd_bus_call(&b, "set the properties of the scope", err, NULL, NULL);
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

/* An enum unit_use, or -errno with err. */
static int
unit_use(struct systemd_bus *bus, const char *unit, struct err *err)
{
	struct systemd_message reply;
	char error[ERROR_MAX];
	bool has_process;
	int r = call_unit(bus, &get_unit_processes, unit, NULL, err, error, &reply);

	if (is_no_such_unit(error)) {
		err_clear(err);
		return UNIT_UNKNOWN;
	}
	if (r < 0)
		return r;
	has_process = systemd_read_has_struct(&reply.body);
	if (reply.body.bad)
		return systemd_bus_unexpected(get_unit_processes.member, err);
	return has_process ? UNIT_IN_USE : UNIT_EMPTY;
}

static int
call_stop(struct systemd_bus *bus, const char *unit, struct err *err)
{
	struct systemd_message reply;
	char error[ERROR_MAX];
	int r = call_unit(bus, &stop_unit, unit, "replace", err, error, &reply);

	if (is_no_such_unit(error)) {
		err_clear(err);
		return 0;
	}
	return r < 0 ? r : systemd_bus_wait_job(bus, &reply, "stop the scope", err);
}

static int
stop(struct systemd_bus *bus, const char *unit, struct err *err)
{
	struct err ignored;
	int r;

	systemd_bus_watch_jobs(bus);
	r = call_stop(bus, unit, err);
	err_clear(&ignored);
	if (r == 0)
		call_unit(bus, &reset_failed_unit, unit, NULL, &ignored, NULL, NULL);
	return r;
}

int
systemd_stop(const struct cgroup *cg, struct err *err)
{
	struct systemd_bus b;
	int r = systemd_bus_open(cg->user_manager, SYSTEMD_TIMEOUT_MS, err, &b);

	if (r < 0)
		return r;
	r = stop(&b, cg->unit, err);
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
		r = stop(&b, cg->unit, err);
	systemd_bus_close(&b);
	return r < 0 ? r : 0;
}
