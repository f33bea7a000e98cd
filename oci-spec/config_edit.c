/* Theory of operation: both texts are trees; the one with the changes is written
 * from the structs by the parser's own tables (write_fields.c) and merged into the
 * other. */
#include "oci-spec/config_edit.h"

#include <string.h>

#include "oci-spec/parse.h"

/* ---- trees ----------------------------------------------------------- */

static struct json_value *
parse(struct arena *a, const char *json, size_t len)
{
	struct issues issues;

	issues_init(&issues, a, json, len);
	return json_parse(json, len, a, &issues);
}

static char *
text_of(struct arena *a, const struct json_value *root)
{
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	json_write(&j, root);
	return j.text;
}

static void
append(struct json_value *to, struct json_value *value)
{
	struct json_value **end = &to->first;

	while (*end)
		end = &(*end)->next;
	value->next = NULL;
	*end = value;
}

/* The member key of an object, made as null when it is missing. */
static struct json_value *
member(struct arena *a, struct json_value *object, char *key)
{
	struct json_value *m = object->first;

	while (m && strcmp(m->key, key) != 0)
		m = m->next;
	if (!m) {
		m = arena_alloc(a, sizeof(*m));
		m->key = key;
		append(object, m);
	}
	return m;
}

/* v, with the key and the place that it has, becomes what `by` is. */
static void
replace(struct json_value *value, const struct json_value *by)
{
	char *key = value->key;
	struct json_value *next = value->next;

	*value = *by;
	value->key = key;
	value->next = next;
}

/* ---- merging --------------------------------------------------------- */

static bool
says_nothing(const struct json_value *value)
{
	const struct json_value *m = value->first;

	while (value->type == JSON_OBJECT && m && says_nothing(m))
		m = m->next;
	return value->type == JSON_OBJECT && !m;
}

/* Elements about the same thing. */
static bool
is_same(const struct json_value *one, const struct json_value *other)
{
	static const char *const names[] = { "major", "minor", "pageSize", "name" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct json_value *x = json_get(one, names[i]), *y = json_get(other, names[i]);

		if (!x != !y || (x && strcmp(x->text, y->text) != 0))
			return false;
	}
	return true;
}

static void
merge_arrays(struct json_value *to, struct json_value *from)
{
	for (struct json_value *e = from->first, *next; e; e = next) {
		struct json_value *old = to->first;

		next = e->next;
		while (old && !is_same(old, e))
			old = old->next;
		if (old)
			replace(old, e);
		else
			append(to, e);
	}
}

static void
merge(struct arena *a, struct json_value *to, struct json_value *from)
{
	static const struct json_value empty = { .type = JSON_OBJECT };

	for (struct json_value *m = from->first; m; m = m->next) {
		struct json_value *old;

		if (says_nothing(m))
			continue;
		old = member(a, to, m->key);
		if (m->type == JSON_OBJECT && old->type != JSON_OBJECT)
			replace(old, &empty);
		if (m->type == JSON_OBJECT)
			merge(a, old, m);
		else if (m->type == JSON_ARRAY && old->type == JSON_ARRAY)
			merge_arrays(old, m);
		else
			replace(old, m);
	}
}

/* ---- resources ------------------------------------------------------- */

/* What stands in a config without meaning anything: cgroups/settings.c. */
#define UNSET_ZERO(number) ((number).set = (number).set && (number).v != 0)

static struct spec_resources
copy_what_counts(struct arena *a, const struct spec_resources *resources)
{
	struct spec_resources copy = *resources;
	struct spec_memory *m = copy.memory = arena_alloc(a, sizeof(*m));
	struct spec_cpu *c = copy.cpu = arena_alloc(a, sizeof(*c));
	struct spec_block_io *b = copy.block_io = arena_alloc(a, sizeof(*b));

	if (resources->memory)
		*m = *resources->memory;
	if (resources->cpu)
		*c = *resources->cpu;
	if (resources->block_io)
		*b = *resources->block_io;
	UNSET_ZERO(m->limit);
	UNSET_ZERO(m->swap);
	UNSET_ZERO(c->shares);
	UNSET_ZERO(c->quota);
	UNSET_ZERO(c->period);
	UNSET_ZERO(b->weight);
	c->cpus = c->cpus && *c->cpus ? c->cpus : NULL;
	c->mems = c->mems && *c->mems ? c->mems : NULL;
	copy.n_devices = 0;
	return copy;
}

static void
write_schemas(struct json_out *j, const struct spec_intel_rdt *rdt)
{
	json_out_key(j, "intelRdt");
	json_out_open(j, '{');
	if (rdt->l3_cache_schema)
		json_out_member(j, "l3CacheSchema", rdt->l3_cache_schema);
	if (rdt->mem_bw_schema)
		json_out_member(j, "memBwSchema", rdt->mem_bw_schema);
	json_out_close(j, '}');
}

char *
config_edit_resources(struct arena *a, const char *json, size_t len, const struct spec_resources *resources,
		      const struct spec_intel_rdt *rdt)
{
	struct spec_resources counting = copy_what_counts(a, resources);
	struct json_value *root = parse(a, json, len), *changes;
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	json_out_open(&j, '{');
	json_out_key(&j, "linux");
	json_out_open(&j, '{');
	json_out_key(&j, "resources");
	write_object(&j, &type_resources, &counting);
	if (rdt)
		write_schemas(&j, rdt);
	json_out_close(&j, '}');
	json_out_close(&j, '}');
	changes = parse(a, j.text, j.len);
	if (!root || root->type != JSON_OBJECT || !changes || says_nothing(changes))
		return NULL;
	merge(a, root, changes);
	return text_of(a, root);
}

/* ---- mounts ---------------------------------------------------------- */

static void
remove_last(struct json_value *array, const char *destination)
{
	struct json_value **found = NULL;

	for (struct json_value **m = &array->first; *m; m = &(*m)->next) {
		const struct json_value *d = json_get(*m, "destination");

		if (d && d->type == JSON_STRING && !strcmp(d->text, destination))
			found = m;
	}
	if (found)
		*found = (*found)->next;
}

static void
append_mount(struct arena *a, struct json_value *array, const struct spec_mount *mount)
{
	struct json_value *v;
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	write_object(&j, &type_mount, mount);
	v = parse(a, j.text, j.len);
	if (v)
		append(array, v);
}

char *
config_edit_mounts(struct arena *a, const char *json, size_t len, const struct spec_mount *mounts, size_t n, bool add)
{
	static const struct json_value empty = { .type = JSON_ARRAY };
	static char key[] = "mounts";
	struct json_value *root = parse(a, json, len), *array;

	if (!root || root->type != JSON_OBJECT)
		return NULL;
	array = member(a, root, key);
	if (array->type != JSON_ARRAY)
		replace(array, &empty);
	for (size_t i = 0; i < n; i++) {
		if (add)
			append_mount(a, array, &mounts[i]);
		else
			remove_last(array, mounts[i].destination);
	}
	return text_of(a, root);
}
