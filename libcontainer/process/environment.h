/* The environment of a container's program, as environ(7): NAME=value, each
 * name once. Other runtimes hand a config's list to setenv(3) one after the
 * other, and callers count on what that does to a name given twice: the last
 * value, at the place of the first. */
#ifndef KNARR_LIBCONTAINER_ENVIRONMENT_H
#define KNARR_LIBCONTAINER_ENVIRONMENT_H

#include <stddef.h>

#include "base/arena.h"
#include "oci-spec/spec.h"

struct environment {
	const char **items;
	size_t n, room;
};

/* An empty environment with room for `room` entries, in the arena. */
struct environment environment_new(struct arena *a, size_t room);

/* Adds "NAME=value", or puts it in the place of the entry of that name. The
 * string is not copied. An entry without '=' is taken as it is. Never more
 * calls than there is room for. */
void environment_put(struct environment *e, const char *entry);

/* Removes NAME if it is there. */
void environment_remove(struct environment *e, const char *name);

/* The value that NAME has in a config's list; NULL: none. */
const char *environment_value(const struct spec_strings *env, const char *name);

#endif
