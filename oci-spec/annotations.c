/* What each does is done where its property is compiled; annotations.h says which there are. */
#include "oci-spec/annotations.h"

#include <string.h>

#define TEXT_OF(name, text, reaches) text,
static const char *const names[] = { ANNOTATIONS(TEXT_OF) NULL };

#define REACHES(name, text, reaches) reaches,
static const bool reaching[] = { ANNOTATIONS(REACHES) };

const char *
annotation_name(enum annotation annotation)
{
	return names[annotation];
}

const char *const *
annotation_names(void)
{
	return names;
}

/* Properties that Podman and CRI-O set for every container: how the scope is stopped and ordered. */
static const char *const harmless_properties[] = {
	"After", "CollectMode", "DefaultDependencies", "KillSignal", "TimeoutStopSec", "TimeoutStopUSec", NULL,
};

static bool
is_one_of(const char *text, const char *const *list)
{
	while (*list && strcmp(text, *list) != 0)
		list++;
	return *list;
}

static bool
reaches_host(const struct spec_pair *pair)
{
	const char *property = names[ANNOTATION_SYSTEMD_PROPERTY];

	if (!strncmp(pair->key, property, strlen(property)))
		return !is_one_of(pair->key + strlen(property), harmless_properties);
	if (!strcmp(pair->key, names[ANNOTATION_KEEP_GROUPS]))
		return annotation_is_true(pair->value);
	for (size_t i = 0; i < ANNOTATION_COUNT; i++)
		if (reaching[i] && !strcmp(pair->key, names[i]))
			return true;
	return false;
}

const char *
annotation_first_reaching(const struct spec_pairs *annotations)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (reaches_host(&annotations->items[i]))
			return annotations->items[i].key;
	return NULL;
}

bool
annotation_is_true(const char *value)
{
	static const char *const no[] = { "", "0", "false", "no", "off", NULL };

	return value && !is_one_of(value, no);
}

const char *
annotation_get(const struct spec_pairs *annotations, enum annotation annotation)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (!strcmp(annotations->items[i].key, names[annotation]))
			return annotations->items[i].value;
	return NULL;
}
