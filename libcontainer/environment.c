/* Theory of operation: see environment.h. The lists are short (some dozens), so
 * a name is found by looking at each entry. */
#include "libcontainer/environment.h"

#include <assert.h>
#include <string.h>

struct environment
environment_new(struct arena *a, size_t room)
{
	return (struct environment){ .items = arena_array(a, room, sizeof(char *)), .room = room };
}

/* Index of the entry whose name is the len bytes at name; e->n: there is none. */
static size_t
find(const struct environment *e, const char *name, size_t len)
{
	size_t i = 0;

	while (i < e->n && (strncmp(e->items[i], name, len) != 0 || e->items[i][len] != '='))
		i++;
	return i;
}

void
environment_put(struct environment *e, const char *entry)
{
	const char *equals = strchr(entry, '=');
	size_t at = equals ? find(e, entry, (size_t)(equals - entry)) : e->n;

	if (at == e->n) {
		assert(e->n < e->room);
		e->n++;
	}
	e->items[at] = entry;
}

void
environment_remove(struct environment *e, const char *name)
{
	size_t at = find(e, name, strlen(name));

	if (at == e->n)
		return;
	e->n--;
	memmove(e->items + at, e->items + at + 1, (e->n - at) * sizeof(*e->items));
}

const char *
environment_value(const struct spec_strings *env, const char *name)
{
	size_t n = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->items[i], name, n) == 0 && env->items[i][n] == '=')
			value = env->items[i] + n + 1;
	return value;
}
