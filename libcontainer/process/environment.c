/* A list comes from an image, whose maker chooses
 * names and number (some 60,000 fit into a program's arguments), so a name given
 * twice is found by sorting: neither many names nor names that are alike cost more than
 * that. What the runtime adds is a handful and found by looking at each entry. */
#include "libcontainer/process/environment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct name {
	const char *entry;
	size_t len, index; /* bytes before '='; place in the list */
};

static int
compare_names(const struct name *left, const struct name *right)
{
	int r = memcmp(left->entry, right->entry, left->len < right->len ? left->len : right->len);

	return r ? r : (left->len > right->len) - (left->len < right->len);
}

/* By name, then by place. */
static int
by_name(const void *left, const void *right)
{
	const struct name *x = left, *y = right;
	int r = compare_names(x, y);

	return r ? r : (x->index > y->index) - (x->index < y->index);
}

/* Puts the last value of each name at the place of the first, and NULL at the others. */
static void
drop_repeated(struct name *names, size_t n, const char **items)
{
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0, first = 0; i < n; i++) {
		if (i > 0 && compare_names(&names[i], &names[first]) != 0)
			first = i;
		if (i == first)
			continue;
		items[names[first].index] = names[i].entry;
		items[names[i].index] = NULL;
	}
}

struct environment
environment_of(struct arena *a, const struct spec_strings *list, size_t more)
{
	struct environment e = { .room = list->n + more };
	struct name *names = arena_array(a, list->n + 1, sizeof(*names));
	size_t n = 0;

	e.items = arena_array(a, e.room + 1, sizeof(*e.items));
	for (size_t i = 0; i < list->n; i++) {
		const char *entry = list->items[i], *equals = strchr(entry, '=');

		e.items[i] = entry;
		if (equals)
			names[n++] = (struct name){ entry, (size_t)(equals - entry), i };
	}
	drop_repeated(names, n, e.items);
	for (size_t i = 0; i < list->n; i++)
		if (e.items[i])
			e.items[e.n++] = e.items[i];
	return e;
}

/* Index of the entry whose name is the len bytes at name; e->n: there is none. */
static size_t
find(const struct environment *environment, const char *name, size_t len)
{
	size_t i = 0;

	while (i < environment->n &&
	       (strncmp(environment->items[i], name, len) != 0 || environment->items[i][len] != '='))
		i++;
	return i;
}

void
environment_put(struct environment *environment, const char *entry)
{
	const char *equals = strchr(entry, '=');
	size_t at = equals ? find(environment, entry, (size_t)(equals - entry)) : environment->n;

	if (at == environment->n) {
		assert(environment->n < environment->room);
		environment->n++;
	}
	environment->items[at] = entry;
}

void
environment_remove(struct environment *environment, const char *name)
{
	size_t at = find(environment, name, strlen(name));

	if (at == environment->n)
		return;
	environment->n--;
	memmove(environment->items + at, environment->items + at + 1,
		(environment->n - at) * sizeof(*environment->items));
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
