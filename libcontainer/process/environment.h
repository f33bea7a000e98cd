/* The environment of a container's program, as environ(7): NAME=value, each
 * name once. Other runtimes hand a config's list to setenv(3) one after the
 * other, and callers count on what that does to a name given twice: the last
 * value, at the place of the first. */
#ifndef KNARR_LIBCONTAINER_PROCESS_ENVIRONMENT_H
#define KNARR_LIBCONTAINER_PROCESS_ENVIRONMENT_H

#include <stddef.h>

#include "base/arena.h"
#include "oci-spec/spec.h"

struct environment {
	const char **items;
	size_t n, room;
};

/* A config's list with each name once, and room for `more` entries, in the arena. The
 * strings are not copied. An entry without '=' is taken as it is. */
struct environment environment_of(struct arena *a, const struct spec_strings *list, size_t more);

/* Adds "NAME=value", or puts it in the place of the entry of that name. The string is not
 * copied. Looks at every entry; never more calls than there is room for. */
void environment_put(struct environment *environment, const char *entry);

/* Removes NAME if it is there. */
void environment_remove(struct environment *environment, const char *name);

/* The value that NAME has in a config's list; NULL: none. */
const char *environment_value(const struct spec_strings *env, const char *name);

#endif
