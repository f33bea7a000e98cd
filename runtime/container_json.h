/* How `state` and `list` show a container: the state document of the spec with
 * the members that runc adds to it (rootfs, created, owner). */
#ifndef KNARR_RUNTIME_CONTAINER_JSON_H
#define KNARR_RUNTIME_CONTAINER_JSON_H

#include "base/json_out.h"
#include "libcontainer/state/state.h"

/* Writes one object. owner: container_owner_name(). The pid of a container that has none is 0, as runc has it.
 * exit_reason becomes the member exitReason; NULL: there is none. */
void container_json_write(struct json_out *j, const struct state *state, enum container_status status,
			  const char *owner, const char *exit_reason);

/* Name of a user from /etc/passwd, or "#UID". In a. */
char *container_owner_name(struct arena *a, uid_t uid);

#endif
