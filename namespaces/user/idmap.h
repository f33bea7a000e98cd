/* User-namespace id maps: taken from the spec, or from /etc/subuid and
 * /etc/subgid for an unprivileged user, and written by the runtime or by
 * newuidmap(1) and newgidmap(1). user_namespaces(7). */
#ifndef KNARR_NAMESPACES_USER_IDMAP_H
#define KNARR_NAMESPACES_USER_IDMAP_H

#include "base/host.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* Fills b->spawn.{uid_maps, gid_maps, map_how, deny_setgroups} for a new user
 * namespace. Checks that maps do not overlap, that process.user and the
 * additional gids are mapped, and that an unprivileged user (one without CAP_SETUID
 * and CAP_SETGID) owns what they map: their own id alone is written directly
 * ("single-id map", setgroups denied), also when the config has no maps; more
 * needs the helpers and an entry in /etc/subuid, /etc/subgid.
 * subid_dir: directory of subuid, subgid and passwd, "/etc"; NULL: not checked
 * here (the reference host). 0 or -errno with err. */
int idmap_plan(struct plan_builder *b, const struct spec *spec, const struct host *host, const char *subid_dir,
	       struct err *err);

/* Writes the maps of the plan for the process pid (which sits in the new
 * namespace). Runs in the parent. 0 or -errno with err: the helper's own words
 * and, where known, a hint (no entry for the user, helper not installed). */
int idmap_write(const struct plan *plan, pid_t pid, struct err *err);

/* Writes two lists of struct plan_id_map as the maps of the process pid, by the
 * runtime itself. 0 or -errno with err. */
int idmap_write_maps(const struct plan *plan, struct plan_bytes uids, struct plan_bytes gids, pid_t pid,
		     struct err *err);

/* The id that the container's user uid has for the runtime: by the maps of the
 * plan, by those of the user namespace that it joins, or the same. 0, or -errno
 * with err, also when uid is not mapped. May fork. */
int idmap_host_uid(const struct plan *plan, uid_t uid, struct err *err, uid_t *ret_host);

#endif
