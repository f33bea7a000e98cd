/* Theory of operation: parse_object() walks the members in the order of the
 * file, looks each up in the table and calls its handler. null stands for an
 * absent property, as Go programs write it. Numbers are never doubles: the
 * text of the number is read digit by digit. */
#include "oci-spec/fields.h"

#include <inttypes.h>
#include <string.h>

/* ---- scalars --------------------------------------------------------- */

static void *
member_of(const struct field *f, void *obj)
{
	return (char *)obj + f->offset;
}

/* False when v is no string that may be used. */
static bool
check_string(struct parser *p, const struct field *f, const struct json_value *v)
{
	if (!expect_type(p, v, JSON_STRING, "a string"))
		return false;
	if (v->broken)
		return false;
	if ((f->flags & FIELD_NOT_EMPTY) && v->n == 0) {
		error_at(p, v, "must not be empty");
		return false;
	}
	if ((f->flags & FIELD_ABSOLUTE) && v->text[0] != '/') {
		if (!error_only_counted(p))
			error_at(p, v, "expected an absolute path, found %s", json_quote(p->arena, v->text));
		return false;
	}
	return true;
}

void
field_string(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	if ((f->flags & FIELD_EMPTY_IS_ABSENT) && v->type == JSON_STRING && v->n == 0)
		return;
	if (check_string(p, f, v))
		memcpy(member_of(f, obj), &v->text, sizeof(v->text));
}

void
field_bool(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	if (!expect_type(p, v, JSON_BOOL, "true or false"))
		return;
	if (f->flags & FIELD_OPT)
		*(struct opt_bool *)member_of(f, obj) = (struct opt_bool){ true, v->boolean };
	else
		*(bool *)member_of(f, obj) = v->boolean;
}

/* Reads decimal digits; false when the number does not fit 64 bits. */
static bool
read_digits(const char *s, uint64_t *ret_value)
{
	uint64_t n = 0;

	for (; *s; s++)
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return false;
	*ret_value = n;
	return true;
}

bool
expect_integer(struct parser *p, const struct json_value *v, int64_t min, uint64_t max, uint64_t *ret_value)
{
	bool negative, fits;
	uint64_t n = 0, largest;

	if (!expect_type(p, v, JSON_NUMBER, "a number"))
		return false;
	if (strpbrk(v->text, ".eE")) {
		error_at(p, v, "expected a whole number without fraction or exponent, found %.60s", v->text);
		return false;
	}
	negative = v->text[0] == '-';
	fits = read_digits(v->text + negative, &n);
	largest = !negative ? max : min < 0 ? (uint64_t)0 - (uint64_t)min : 0;
	if (fits && n <= largest && (negative ? min < 0 : min < 0 || n >= (uint64_t)min)) {
		*ret_value = negative ? (uint64_t)0 - n : n;
		return true;
	}
	error_at(p, v, "expected a number from %" PRId64 " to %" PRIu64 ", found %.60s", min, max, v->text);
	return false;
}

static void
store_integer(void *to, unsigned size, uint64_t n)
{
	uint16_t n16 = (uint16_t)n;
	uint32_t n32 = (uint32_t)n;

	if (size == sizeof(n16))
		memcpy(to, &n16, sizeof(n16));
	else if (size == sizeof(n32))
		memcpy(to, &n32, sizeof(n32));
	else
		memcpy(to, &n, sizeof(n));
}

void
field_integer(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	char *to = member_of(f, obj);
	uint64_t n;

	if (!expect_integer(p, v, f->min, f->max, &n))
		return;
	if (f->flags & FIELD_OPT) {
		/* every opt_* is {bool set; T v}: v stands at T's alignment */
		*(bool *)to = true;
		to += f->size;
	}
	store_integer(to, f->size, n);
}
_Static_assert(offsetof(struct opt_u16, v) == sizeof(uint16_t) && offsetof(struct opt_u32, v) == sizeof(uint32_t) &&
		       offsetof(struct opt_u64, v) == sizeof(uint64_t) &&
		       offsetof(struct opt_i64, v) == sizeof(int64_t),
	       "field_integer() finds the value of an opt_* by its size");

static bool
find_name(struct parser *p, const struct name_table *t, const struct json_value *v, uint64_t *ret_value)
{
	if (name_find(t, v->text, ret_value))
		return true;
	if (!error_only_counted(p))
		error_at(p, v, "%s", name_complaint(p->arena, t, v->text));
	return false;
}

void
field_enum(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	uint64_t value;

	if (!expect_type(p, v, JSON_STRING, "a string") || v->broken)
		return;
	if (find_name(p, f->type, v, &value))
		store_integer(member_of(f, obj), f->size ? f->size : sizeof(uint32_t), value);
}

/* ---- lists ----------------------------------------------------------- */

static void
store_list(const struct field *f, void *obj, void *items, size_t n)
{
	memcpy(member_of(f, obj), &items, sizeof(items));
	memcpy((char *)obj + f->count, &n, sizeof(n));
}

/* An array, and not an empty one where that is a mistake. */
static bool
check_array(struct parser *p, const struct field *f, const struct json_value *v, const char *what)
{
	if (!expect_type(p, v, JSON_ARRAY, what))
		return false;
	if ((f->flags & FIELD_SOME) && v->n == 0) {
		error_at(p, v, "must not be empty");
		return false;
	}
	return true;
}

/* Strings of an array that pass `test` (NULL: all strings do). */
static void
take_strings(struct parser *p, const struct field *f, const struct json_value *v, void *obj,
	     bool (*test)(struct parser *p, const struct field *f, const struct json_value *v))
{
	char **items;
	size_t n = 0;

	if (!check_array(p, f, v, "an array of strings"))
		return;
	items = arena_array(p->arena, v->n + (size_t)1, sizeof(*items));
	for (const struct json_value *e = v->first; e; e = e->next)
		if (check_string(p, f, e) && (!test || test(p, f, e)))
			items[n++] = e->text;
	store_list(f, obj, items, n);
}

void
field_strings(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	take_strings(p, f, v, obj, NULL);
}

static bool
is_known_name(struct parser *p, const struct field *f, const struct json_value *v)
{
	uint64_t unused;

	return find_name(p, f->type, v, &unused);
}

void
field_names(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	take_strings(p, f, v, obj, is_known_name);
}

void
field_flags(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	uint64_t bits = 0, bit;

	if (!check_array(p, f, v, "an array of strings"))
		return;
	for (const struct json_value *e = v->first; e; e = e->next)
		if (check_string(p, f, e) && find_name(p, f->type, e, &bit))
			bits |= bit;
	store_integer(member_of(f, obj), f->size, bits);
}

void
field_ids(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	uint32_t *items;
	uint64_t id;
	size_t n = 0;

	if (!check_array(p, f, v, "an array of numbers"))
		return;
	items = arena_array(p->arena, v->n, sizeof(*items));
	for (const struct json_value *e = v->first; e; e = e->next)
		if (expect_integer(p, e, 0, ID_MAX, &id))
			items[n++] = (uint32_t)id;
	store_list(f, obj, items, n);
}

void
field_pairs(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	struct spec_pair *items;
	size_t n = 0;

	if (!expect_type(p, v, JSON_OBJECT, "an object of strings"))
		return;
	items = arena_array(p->arena, v->n, sizeof(*items));
	for (const struct json_value *m = v->first; m; m = m->next) {
		if (m->key[0] == '\0')
			error_key(p, m, "a key must not be empty");
		if (check_string(p, f, m))
			items[n++] = (struct spec_pair){ m->key, m->text };
	}
	store_list(f, obj, items, n);
}

/* ---- objects --------------------------------------------------------- */

void
field_object(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	if (expect_type(p, v, JSON_OBJECT, "an object"))
		parse_object(p, f->type, v, member_of(f, obj));
}

void
field_pointer(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	const struct object_type *t = f->type;
	void *new;

	if (!expect_type(p, v, JSON_OBJECT, "an object"))
		return;
	new = arena_alloc(p->arena, t->size);
	memcpy(member_of(f, obj), &new, sizeof(new));
	parse_object(p, t, v, new);
}

void
field_objects(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	const struct object_type *t = f->type;
	char *items;
	size_t n = 0;

	if (!check_array(p, f, v, "an array of objects"))
		return;
	items = arena_array(p->arena, v->n, t->size);
	for (const struct json_value *e = v->first; e; e = e->next)
		if (expect_type(p, e, JSON_OBJECT, "an object"))
			parse_object(p, t, e, items + n++ * t->size);
	store_list(f, obj, items, n);
}

void
field_map(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	const struct object_type *t = f->type;
	char *items;
	size_t n = 0;

	if (!expect_type(p, v, JSON_OBJECT, "an object of objects"))
		return;
	items = arena_array(p->arena, v->n, t->size);
	for (const struct json_value *m = v->first; m; m = m->next) {
		if (m->key[0] == '\0')
			error_key(p, m, "a key must not be empty");
		if (!expect_type(p, m, JSON_OBJECT, "an object"))
			continue;
		memcpy(items + n * t->size, &m->key, sizeof(m->key));
		parse_object(p, t, m, items + n++ * t->size);
	}
	store_list(f, obj, items, n);
}

void
field_ignored(struct parser *p, const struct field *f, const struct json_value *v, void *obj)
{
	(void)f;
	(void)obj;
	note_at(p, v, "has no meaning on Linux and is ignored");
}

/* Says that a member is unknown, with the name that was probably meant. */
static void
note_unknown(struct parser *p, const struct object_type *t, const struct json_value *m)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	if (issues_full(p->issues, SPEC_NOTE)) {
		issues_count(p->issues, SPEC_NOTE);
		return;
	}
	for (size_t i = 0; i < t->n_fields; i++) {
		size_t d = name_distance(m->key, t->fields[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = t->fields[i].name;
		}
	}
	if (best)
		note_at(p, m, "unknown property is ignored, did you mean \"%s\"?", best);
	else
		note_at(p, m, "unknown property is ignored");
}

static const struct field *
find_field(const struct object_type *t, const char *name)
{
	for (size_t i = 0; i < t->n_fields; i++)
		if (strcmp(t->fields[i].name, name) == 0)
			return &t->fields[i];
	return NULL;
}

void
parse_object(struct parser *p, const struct object_type *t, const struct json_value *v, void *obj)
{
	size_t outer = p->errors_before;
	uint64_t seen = 0;

	p->errors_before = p->issues->count[SPEC_ERROR];
	for (const struct json_value *m = v->first; m; m = m->next) {
		const struct field *f = find_field(t, m->key);

		if (!f) {
			note_unknown(p, t, m);
			continue;
		}
		seen |= UINT64_C(1) << (f - t->fields);
		if (m->type == JSON_NULL && !(f->flags & FIELD_REQUIRED))
			note_at(p, m, "null is taken as absent");
		else if (m->type == JSON_NULL)
			error_at(p, m, "required property is null");
		else
			f->parse(p, f, m, obj);
	}
	for (size_t i = 0; i < t->n_fields; i++)
		if ((t->fields[i].flags & FIELD_REQUIRED) && !(seen & UINT64_C(1) << i))
			error_member(p, v, t->fields[i].name, "required property is missing");
	if (t->check)
		t->check(p, v, obj);
	p->errors_before = outer;
}
