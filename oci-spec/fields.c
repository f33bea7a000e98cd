/* Theory of operation: field_parse_object() walks the members in the order of the
 * file, looks each up in the table and calls its handler. null stands for an
 * absent property, as Go programs write it. Numbers are never doubles: the
 * text of the number is read digit by digit. */
#include "oci-spec/fields.h"

#include <inttypes.h>
#include <string.h>

/* ---- scalars --------------------------------------------------------- */

static void *
member_of(const struct field *field, void *obj)
{
	return (char *)obj + field->offset;
}

/* False when v is not a string that may be used. */
static bool
check_string(struct parser *parser, const struct field *field, const struct json_value *value)
{
	if (!field_expect_type(parser, value, JSON_STRING, "a string"))
		return false;
	if (value->broken)
		return false;
	if ((field->flags & FIELD_NOT_EMPTY) && value->n == 0) {
		field_error_at(parser, value, "must not be empty");
		return false;
	}
	if ((field->flags & FIELD_ABSOLUTE) && value->text[0] != '/') {
		if (!field_error_only_counted(parser))
			field_error_at(parser, value, "expected an absolute path, found %s",
				       json_quote(parser->arena, value->text));
		return false;
	}
	return true;
}

void
field_string(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	if ((field->flags & FIELD_EMPTY_IS_ABSENT) && value->type == JSON_STRING && value->n == 0)
		return;
	if (check_string(parser, field, value))
		memcpy(member_of(field, obj), &value->text, sizeof(value->text));
}

void
field_bool(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	if (!field_expect_type(parser, value, JSON_BOOL, "true or false"))
		return;
	if (field->flags & FIELD_OPT)
		*(struct opt_bool *)member_of(field, obj) = (struct opt_bool){ true, value->boolean };
	else
		*(bool *)member_of(field, obj) = value->boolean;
}

/* Reads decimal digits; false when the number does not fit 64 bits. */
static bool
read_digits(const char *text, uint64_t *ret_value)
{
	uint64_t n = 0;

	for (; *text; text++)
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return false;
	*ret_value = n;
	return true;
}

bool
field_expect_integer(struct parser *parser, const struct json_value *value, int64_t min, uint64_t max,
		     uint64_t *ret_value)
{
	bool negative, fits;
	uint64_t n = 0, largest;

	if (!field_expect_type(parser, value, JSON_NUMBER, "a number"))
		return false;
	if (strpbrk(value->text, ".eE")) {
		field_error_at(parser, value, "expected a whole number without fraction or exponent, found %.60s",
			       value->text);
		return false;
	}
	negative = value->text[0] == '-';
	fits = read_digits(value->text + negative, &n);
	largest = !negative ? max : min < 0 ? (uint64_t)0 - (uint64_t)min : 0;
	if (fits && n <= largest && (negative ? min < 0 : min < 0 || n >= (uint64_t)min)) {
		*ret_value = negative ? (uint64_t)0 - n : n;
		return true;
	}
	field_error_at(parser, value, "expected a number from %" PRId64 " to %" PRIu64 ", found %.60s", min, max,
		       value->text);
	return false;
}

static void
store_integer(void *to, unsigned size, uint64_t number)
{
	uint16_t n16 = (uint16_t)number;
	uint32_t n32 = (uint32_t)number;

	if (size == sizeof(n16))
		memcpy(to, &n16, sizeof(n16));
	else if (size == sizeof(n32))
		memcpy(to, &n32, sizeof(n32));
	else
		memcpy(to, &number, sizeof(number));
}

void
field_integer(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	char *to = member_of(field, obj);
	uint64_t n;

	if (!field_expect_integer(parser, value, field->min, field->max, &n))
		return;
	if (field->flags & FIELD_OPT) {
		/* every opt_* is {bool set; T v}: v stands at T's alignment */
		*(bool *)to = true;
		to += field->size;
	}
	store_integer(to, field->size, n);
}
_Static_assert(offsetof(struct opt_u16, v) == sizeof(uint16_t) && offsetof(struct opt_u32, v) == sizeof(uint32_t) &&
		       offsetof(struct opt_u64, v) == sizeof(uint64_t) &&
		       offsetof(struct opt_i64, v) == sizeof(int64_t),
	       "field_integer() finds the value of an opt_* by its size");

static bool
find_name(struct parser *parser, const struct name_table *table, const struct json_value *value, uint64_t *ret_value)
{
	if (name_find(table, value->text, ret_value))
		return true;
	if (!field_error_only_counted(parser))
		field_error_at(parser, value, "%s", name_complaint(parser->arena, table, value->text));
	return false;
}

void
field_enum(struct parser *parser, const struct field *field, const struct json_value *val, void *obj)
{
	uint64_t value;

	if (!field_expect_type(parser, val, JSON_STRING, "a string") || val->broken)
		return;
	if (find_name(parser, field->type, val, &value))
		store_integer(member_of(field, obj), field->size ? field->size : sizeof(uint32_t), value);
}

/* ---- lists ----------------------------------------------------------- */

static void
store_list(const struct field *field, void *obj, void *items, size_t n)
{
	memcpy(member_of(field, obj), &items, sizeof(items));
	memcpy((char *)obj + field->count, &n, sizeof(n));
}

/* An array, and not an empty one where that is a mistake. */
static bool
check_array(struct parser *parser, const struct field *field, const struct json_value *value, const char *what)
{
	if (!field_expect_type(parser, value, JSON_ARRAY, what))
		return false;
	if ((field->flags & FIELD_SOME) && value->n == 0) {
		field_error_at(parser, value, "must not be empty");
		return false;
	}
	return true;
}

/* Strings of an array that pass `test` (NULL: all strings do). */
static void
take_strings(struct parser *parser, const struct field *field, const struct json_value *value, void *obj,
	     bool (*test)(struct parser *parser, const struct field *field, const struct json_value *value))
{
	char **items;
	size_t n = 0;

	if (!check_array(parser, field, value, "an array of strings"))
		return;
	items = arena_array(parser->arena, value->n + (size_t)1, sizeof(*items));
	for (const struct json_value *e = value->first; e; e = e->next)
		if (check_string(parser, field, e) && (!test || test(parser, field, e)))
			items[n++] = e->text;
	store_list(field, obj, items, n);
}

void
field_strings(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	take_strings(parser, field, value, obj, NULL);
}

static bool
is_known_name(struct parser *parser, const struct field *field, const struct json_value *value)
{
	uint64_t unused;

	return find_name(parser, field->type, value, &unused);
}

void
field_names(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	take_strings(parser, field, value, obj, is_known_name);
}

void
field_flags(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	uint64_t bits = 0, bit;

	if (!check_array(parser, field, value, "an array of strings"))
		return;
	for (const struct json_value *e = value->first; e; e = e->next)
		if (check_string(parser, field, e) && find_name(parser, field->type, e, &bit))
			bits |= bit;
	store_integer(member_of(field, obj), field->size, bits);
}

void
field_ids(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	uint32_t *items;
	uint64_t id;
	size_t n = 0;

	if (!check_array(parser, field, value, "an array of numbers"))
		return;
	items = arena_array(parser->arena, value->n, sizeof(*items));
	for (const struct json_value *e = value->first; e; e = e->next)
		if (field_expect_integer(parser, e, 0, ID_MAX, &id))
			items[n++] = (uint32_t)id;
	store_list(field, obj, items, n);
}

void
field_pairs(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	struct spec_pair *items;
	size_t n = 0;

	if (!field_expect_type(parser, value, JSON_OBJECT, "an object of strings"))
		return;
	items = arena_array(parser->arena, value->n, sizeof(*items));
	for (const struct json_value *m = value->first; m; m = m->next) {
		if (m->key[0] == '\0')
			field_error_key(parser, m, "a key must not be empty");
		if (check_string(parser, field, m))
			items[n++] = (struct spec_pair){ m->key, m->text };
	}
	store_list(field, obj, items, n);
}

/* ---- objects --------------------------------------------------------- */

void
field_object(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	if (field_expect_type(parser, value, JSON_OBJECT, "an object"))
		field_parse_object(parser, field->type, value, member_of(field, obj));
}

void
field_pointer(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	const struct object_type *t = field->type;
	void *new;

	if (!field_expect_type(parser, value, JSON_OBJECT, "an object"))
		return;
	new = arena_alloc(parser->arena, t->size);
	memcpy(member_of(field, obj), &new, sizeof(new));
	field_parse_object(parser, t, value, new);
}

void
field_objects(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	const struct object_type *t = field->type;
	char *items;
	size_t n = 0;

	if (!check_array(parser, field, value, "an array of objects"))
		return;
	items = arena_array(parser->arena, value->n, t->size);
	for (const struct json_value *e = value->first; e; e = e->next)
		if (field_expect_type(parser, e, JSON_OBJECT, "an object"))
			field_parse_object(parser, t, e, items + n++ * t->size);
	store_list(field, obj, items, n);
}

void
field_map(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	const struct object_type *t = field->type;
	char *items;
	size_t n = 0;

	if (!field_expect_type(parser, value, JSON_OBJECT, "an object of objects"))
		return;
	items = arena_array(parser->arena, value->n, t->size);
	for (const struct json_value *m = value->first; m; m = m->next) {
		if (m->key[0] == '\0')
			field_error_key(parser, m, "a key must not be empty");
		if (!field_expect_type(parser, m, JSON_OBJECT, "an object"))
			continue;
		memcpy(items + n * t->size, &m->key, sizeof(m->key));
		field_parse_object(parser, t, m, items + n++ * t->size);
	}
	store_list(field, obj, items, n);
}

void
field_ignored(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	(void)field;
	(void)obj;
	field_note_at(parser, value, "has no meaning on Linux and is ignored");
}

/* Says that a member is unknown, with the name that was probably meant. */
static void
note_unknown(struct parser *parser, const struct object_type *type, const struct json_value *value)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	if (issues_full(parser->issues, SPEC_NOTE)) {
		issues_count(parser->issues, SPEC_NOTE);
		return;
	}
	for (size_t i = 0; i < type->n_fields; i++) {
		size_t d = name_distance(value->key, type->fields[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = type->fields[i].name;
		}
	}
	if (best)
		field_note_at(parser, value, "unknown property is ignored, did you mean \"%s\"?", best);
	else
		field_note_at(parser, value, "unknown property is ignored");
}

static const struct field *
find_field(const struct object_type *type, const char *name)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (strcmp(type->fields[i].name, name) == 0)
			return &type->fields[i];
	return NULL;
}

/* Says which members are missing, of those that may not be. */
static void
check_missing(struct parser *parser, const struct object_type *type, const struct json_value *value, uint64_t seen)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];

		if (seen & UINT64_C(1) << i)
			continue;
		if (f->flags & FIELD_REQUIRED)
			field_error_member(parser, value, f->name, "required property is missing");
		else if (f->flags & FIELD_ZERO)
			field_advise_member(parser, value, f->name, "required property is missing, 0 is taken");
	}
}

void
field_parse_object(struct parser *parser, const struct object_type *type, const struct json_value *value, void *obj)
{
	size_t outer = parser->errors_before;
	uint64_t seen = 0;

	parser->errors_before = parser->issues->count[SPEC_ERROR];
	for (const struct json_value *m = value->first; m; m = m->next) {
		const struct field *f = find_field(type, m->key);

		if (!f) {
			note_unknown(parser, type, m);
			continue;
		}
		if (m->type == JSON_NULL && !(f->flags & FIELD_REQUIRED)) {
			field_note_at(parser, m, "null is taken as absent");
			continue;
		}
		seen |= UINT64_C(1) << (f - type->fields);
		if (m->type == JSON_NULL)
			field_error_at(parser, m, "required property is null");
		else
			f->parse(parser, f, m, obj);
	}
	check_missing(parser, type, value, seen);
	if (type->check)
		type->check(parser, value, obj);
	parser->errors_before = outer;
}
