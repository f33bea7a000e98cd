/* Theory of operation: the tables of fields.h read backwards. What a handler reads into
 * a member, the writer beside it here writes from it, with its key; a member that is
 * not set is left out. So what can be written is what can be read, and there is
 * one list of names. */
#include <string.h>

#include "oci-spec/fields.h"

static const void *
member_of(const struct field *field, const void *obj)
{
	return (const char *)obj + field->offset;
}

static const char *
items_of(const struct field *field, const void *obj, size_t *ret_n)
{
	const char *items;

	memcpy(&items, member_of(field, obj), sizeof(items));
	memcpy(ret_n, (const char *)obj + field->count, sizeof(*ret_n));
	return items;
}

/* ---- scalars --------------------------------------------------------- */

static void
write_string(struct json_out *j, const struct field *field, const void *obj)
{
	const char *text;

	memcpy(&text, member_of(field, obj), sizeof(text));
	if (text)
		json_out_member(j, field->name, text);
}

static void
write_bool(struct json_out *j, const struct field *field, const void *obj)
{
	const struct opt_bool *optional = member_of(field, obj);
	bool is_optional = field->flags & FIELD_OPT;

	if (is_optional && !optional->set)
		return;
	json_out_key(j, field->name);
	json_out_bool(j, is_optional ? optional->v : *(const bool *)member_of(field, obj));
}

static uint64_t
load_integer(const void *from, unsigned size)
{
	uint16_t n16;
	uint32_t n32;
	uint64_t n64;

	if (size == sizeof(n16))
		return memcpy(&n16, from, sizeof(n16)), n16;
	if (size == sizeof(n32))
		return memcpy(&n32, from, sizeof(n32)), n32;
	return memcpy(&n64, from, sizeof(n64)), n64;
}

/* Only 64 bits have a sign in these tables. */
static void
write_integer(struct json_out *j, const struct field *field, const void *obj)
{
	const char *from = member_of(field, obj);
	uint64_t n;

	if ((field->flags & FIELD_OPT) && !*(const bool *)from)
		return;
	/* As in field_integer(). */
	n = load_integer(from + (field->flags & FIELD_OPT ? field->size : 0), field->size);
	json_out_key(j, field->name);
	if (field->min < 0)
		json_out_int(j, (int64_t)n);
	else
		json_out_uint(j, n);
}

/* ---- lists ----------------------------------------------------------- */

static void
write_strings(struct json_out *j, const struct field *field, const void *obj)
{
	size_t n;
	const char *items = items_of(field, obj, &n);

	if (n == 0)
		return;
	json_out_key(j, field->name);
	json_out_open(j, '[');
	for (size_t i = 0; i < n; i++)
		json_out_string(j, ((char *const *)(const void *)items)[i]);
	json_out_close(j, ']');
}

static void
write_pairs(struct json_out *j, const struct field *field, const void *obj)
{
	size_t n;
	const struct spec_pair *items = (const void *)items_of(field, obj, &n);

	if (n == 0)
		return;
	json_out_key(j, field->name);
	json_out_open(j, '{');
	for (size_t i = 0; i < n; i++)
		json_out_member(j, items[i].key, items[i].value);
	json_out_close(j, '}');
}

/* ---- objects --------------------------------------------------------- */

static void
write_embedded(struct json_out *j, const struct field *field, const void *obj)
{
	json_out_key(j, field->name);
	write_object(j, field->type, member_of(field, obj));
}

static void
write_pointer(struct json_out *j, const struct field *field, const void *obj)
{
	const void *to;

	memcpy(&to, member_of(field, obj), sizeof(to));
	if (!to)
		return;
	json_out_key(j, field->name);
	write_object(j, field->type, to);
}

static void
write_objects(struct json_out *j, const struct field *field, const void *obj)
{
	const struct object_type *t = field->type;
	size_t n;
	const char *items = items_of(field, obj, &n);

	if (n == 0)
		return;
	json_out_key(j, field->name);
	json_out_open(j, '[');
	for (size_t i = 0; i < n; i++)
		write_object(j, t, items + i * t->size);
	json_out_close(j, ']');
}

static void
write_map(struct json_out *j, const struct field *field, const void *obj)
{
	const struct object_type *t = field->type;
	size_t n;
	const char *items = items_of(field, obj, &n);

	if (n == 0)
		return;
	json_out_key(j, field->name);
	json_out_open(j, '{');
	for (size_t i = 0; i < n; i++) {
		const char *key;

		memcpy(&key, items + i * t->size, sizeof(key));
		json_out_key(j, key);
		write_object(j, t, items + i * t->size);
	}
	json_out_close(j, '}');
}

/* ---- all ------------------------------------------------------------- */

static const struct {
	void (*parse)(struct parser *p, const struct field *f, const struct json_value *v, void *obj);
	void (*write)(struct json_out *j, const struct field *f, const void *obj);
} writers[] = {
	{ field_string, write_string },	  { field_bool, write_bool },	    { field_integer, write_integer },
	{ field_strings, write_strings }, { field_pairs, write_pairs },	    { field_object, write_embedded },
	{ field_pointer, write_pointer }, { field_objects, write_objects }, { field_map, write_map },
};

void
write_object(struct json_out *j, const struct object_type *type, const void *obj)
{
	json_out_open(j, '{');
	for (const struct field *f = type->fields; f < type->fields + type->n_fields; f++)
		for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
			if (writers[i].parse == f->parse)
				writers[i].write(j, f, obj);
	json_out_close(j, '}');
}
