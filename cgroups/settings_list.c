/* Adding to the list of settings: what the files that fill it share. */
#include "cgroups/settings_list.h"

#include <string.h>

static const char no_v2_file[] = "cgroup v2 has no such setting";

struct setting *
settings_add(struct settings *settings, enum controller needs, const char *property, const char *file,
	     const char *value)
{
	struct setting *item;

	if (settings->n == settings->cap) {
		size_t cap = settings->cap ? settings->cap * 2 : 16;

		settings->items = arena_grow(settings->arena, settings->items, settings->n * sizeof(*settings->items),
					     cap * sizeof(*settings->items));
		settings->cap = cap;
	}
	item = &settings->items[settings->n++];
	*item = (struct setting){ .property = property, .file = file, .value = value, .needs = needs };
	return item;
}

void
settings_add_unlimited(struct settings *settings, const char *property, const char *file, const char *value)
{
	settings_add(settings, CONTROLLER_NONE, property, file, value)->optional = true;
}

void
settings_add_warning(struct settings *settings, const char *property)
{
	settings_add(settings, CONTROLLER_NONE, property, NULL, no_v2_file);
}

int
settings_refuse_if(bool asked, const char *property, struct err *err)
{
	return asked ? err_plain(err, "%s: %s", property, no_v2_file) : 0;
}

bool
settings_is_file_name(const char *name)
{
	return *name && *name != '.' && !strpbrk(name, "/\n") && strlen(name) < 256;
}
