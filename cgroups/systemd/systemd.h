/* A container's cgroup made by systemd: a transient scope, asked for over D-Bus.
 * Inside cgroups/ only: cgroup.h is what the others see. */
#ifndef KNARR_CGROUPS_SYSTEMD_SYSTEMD_H
#define KNARR_CGROUPS_SYSTEMD_SYSTEMD_H

#include "cgroups/cgroup.h"
#include "cgroups/settings.h"

/* How long systemd may take for what one of the functions below asks of it. */
#define SYSTEMD_TIMEOUT_MS 10000

/* ---- names (pure) ------------------------------------------------------ */

struct systemd_names {
	char *unit;  /* "knarr-web1.scope" */
	char *slice; /* "system.slice" */
	char *path;  /* below the manager's own cgroup: "/system.slice/knarr-web1.scope/container" */
};

/* From linux.cgroupsPath, "slice:prefix:name" (NULL: system.slice or user.slice,
 * "knarr" and the id), and the annotation run.oci.systemd.subgroup, the directory
 * below the scope ("container"; empty: none). What a unit's name cannot hold is
 * escaped as systemd does, "\x2b". -EINVAL with err. Memory from a. */
int systemd_resolve_names(const struct spec *spec, const char *id, bool user, struct arena *a, struct err *err,
			  struct systemd_names *ret_names);

/* The scope's own directory in cg->path, without the sub-cgroup. Memory from a. */
char *systemd_scope_path(const struct cgroup *cg, struct arena *a);

/* ---- values (pure) ----------------------------------------------------- */

/* A value of D-Bus. type is one complete type: "s", "t", "ay", "(st)", "v". */
struct systemd_value {
	const char *type;
	union {
		bool b;
		int64_t i;  /* n, i, x */
		uint64_t u; /* y, q, u, t */
		double d;
		const char *s; /* s, o, g */
	} v;
	struct systemd_value *items; /* of arrays and tuples; of a variant the one in it */
	size_t n;
};

/* Reads the text form of GVariant, without dictionaries and maybes: 'x', true,
 * 10 (an int32), uint64 10, @as ['x'], [1, 2], ('x', 1), <1>. Memory from a.
 * -EINVAL with err. */
int systemd_value_parse(const char *text, struct arena *a, struct err *err, struct systemd_value *ret_value);

/* ---- properties (pure) ------------------------------------------------- */

struct systemd_property {
	const char *name;
	struct systemd_value value;
};
struct systemd_properties {
	struct arena *arena;
	struct systemd_property *items;
	size_t n, cap;
};

/* Adds what systemd has to know of limits, so that it writes the same values when it
 * reloads: the settings that have a property of systemd.resource-control(5). 0 or
 * -errno with err, as the next. */
int systemd_properties_from_settings(struct systemd_properties *properties, const struct settings *list,
				     struct err *err);

/* Adds the annotations org.systemd.property.NAME. "TimeoutStopSec" in seconds becomes
 * TimeoutStopUSec. What knarr itself relies on is refused. */
int systemd_properties_from_annotations(struct systemd_properties *properties, const struct spec *spec,
					struct err *err);

/* Adds one, or replaces it. Neither name nor value is copied. */
void systemd_properties_set(struct systemd_properties *properties, const char *name, struct systemd_value value);
void systemd_properties_set_text(struct systemd_properties *properties, const char *name, const char *text);
void systemd_properties_set_bool(struct systemd_properties *properties, const char *name, bool value);

/* ---- talking to systemd ------------------------------------------------ */

/* Each makes a connection of its own. 0 or -errno with err: -ETIMEDOUT when systemd does
 * not answer, -EREMOTEIO when it refuses or the job fails. */

/* Sets cg->path: the manager's own cgroup and cg->below_manager. Asks only what cannot be seen in
 * /proc and the tree. Memory from a. */
int systemd_locate(struct cgroup *cg, struct arena *a, struct err *err);

/* That cg->pid is in the scope now: where it is the container will be looked for. Asks nobody. */
int systemd_check_place(const struct cgroup *cg, struct arena *a, struct err *err);

/* Starts the scope with cg->pid in it (StartTransientUnit), in place of one of that name
 * that failed. -EEXIST: there is one that runs. */
int systemd_start(const struct cgroup *cg, const struct spec *spec, const char *id, struct err *err);

/* New limits for the scope (SetUnitProperties): the settings that have a property. */
int systemd_update(const struct cgroup *cg, const struct settings *list, struct err *err);

/* Stops the scope, which may be gone. */
int systemd_stop(const struct cgroup *cg, struct err *err);

/* The same, unless it has processes. */
int systemd_stop_if_empty(const struct cgroup *cg, struct err *err);

#endif
