/* JSON objects as tables: each object type of the spec is a const array of
 * fields {name, handler, where it goes, limits}, so that parsing reads as
 * data. Handlers report to the parser's issues and go on; they return nothing
 * because a config with any error is refused as a whole. Inside oci-spec only. */
#ifndef KNARR_OCI_SPEC_FIELDS_H
#define KNARR_OCI_SPEC_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/json_out.h"
#include "oci-spec/json_text.h"
#include "oci-spec/names.h"
#include "oci-spec/spec.h"

struct parser {
	struct arena *arena; /* of all that is parsed */
	struct issues *issues;
	size_t errors_before;	/* errors when the present object began */
	bool namespaces_broken; /* linux.namespaces could not be read: no rule may rely on it */
	bool joins;		/* the namespaces will be joined by this process: spec_load_new() */
};

enum field_flags {
	FIELD_REQUIRED = 1 << 0,
	FIELD_ABSOLUTE = 1 << 1,	/* a string, or each of an array: begins with '/' */
	FIELD_NOT_EMPTY = 1 << 2,	/* a string, or each of an array of strings */
	FIELD_SOME = 1 << 3,		/* an array: at least one element */
	FIELD_EMPTY_IS_ABSENT = 1 << 4, /* "" counts as not given */
	FIELD_OPT = 1 << 5,		/* an integer or bool: the member is a struct opt_* */
	FIELD_ZERO = 1 << 6,		/* an integer that the specification requires, its schema and other
					 * runtimes do not: 0 when it is absent, and `check` says so */
};

struct field;

/* Reads value into the member of obj that field tells, or reports why not. */
typedef void field_handler(struct parser *parser, const struct field *field, const struct json_value *value, void *obj);

struct field {
	const char *name;
	field_handler *parse;
	size_t offset; /* of the member in the object's struct */
	size_t count;  /* of the member with the number of elements, for lists */
	unsigned flags;
	unsigned size; /* of an integer member's value, bytes (of an enum: 0 means 4) */
	int64_t min;   /* of integers */
	uint64_t max;
	const void *type; /* struct object_type or struct name_table */
};

struct object_type {
	const struct field *fields;
	size_t n_fields;
	size_t size; /* of the struct */
	/* Rules between the members; called after them. NULL: none. v: the object. */
	void (*check)(struct parser *p, const struct json_value *v, void *obj);
};

#define OBJECT_TYPE(id, struct_name, check_function)                                                                   \
	static const struct object_type id = { id##_fields, sizeof(id##_fields) / sizeof(*id##_fields),                \
					       sizeof(struct struct_name), check_function }

/* The same for a type that another file uses; its declaration is in parse.h. */
#define SHARED_OBJECT_TYPE(id, struct_name, check_function)                                                            \
	const struct object_type id = { id##_fields, sizeof(id##_fields) / sizeof(*id##_fields),                       \
					sizeof(struct struct_name), check_function }

/* Parts of a row. */
#define AT(struct_name, member) .offset = offsetof(struct struct_name, member)
#define LIST_AT(struct_name, items, number)                                                                            \
	.offset = offsetof(struct struct_name, items), .count = offsetof(struct struct_name, number)
#define STRINGS_AT(struct_name, member) LIST_AT(struct_name, member.items, member.n)
#define INT_AT(struct_name, member, least, most)                                                                       \
	.parse = field_integer, AT(struct_name, member), .size = sizeof(((struct struct_name *)0)->member),            \
	.min = least, .max = most
#define OPT_INT_AT(struct_name, member, least, most)                                                                   \
	.parse = field_integer, AT(struct_name, member), .size = sizeof(((struct struct_name *)0)->member.v),          \
	.min = least, .max = most, .flags = FIELD_OPT

/* The largest usable id: 2^32-1 is "no id" to the kernel. */
#define ID_MAX UINT32_C(4294967294)

/* The handlers, each with what the member is (and the one with the number of elements). */
field_handler field_string;  /* char * */
field_handler field_bool;    /* bool, opt_bool */
field_handler field_integer; /* 2 to 8 bytes, or opt_ */
field_handler field_strings; /* char **, size_t */
field_handler field_ids;     /* uint32_t *, size_t */
field_handler field_pairs;   /* spec_pair *, size_t: an object of strings */
field_handler field_enum;    /* integer: a name's value in the name_table */
field_handler field_flags;   /* 4 or 8 bytes: the names' values, or'ed */
field_handler field_names;   /* char **, size_t: names that the name_table has */
field_handler field_object;  /* the struct itself */
field_handler field_pointer; /* pointer to a new struct */
field_handler field_objects; /* struct *, size_t: an array of objects */
field_handler field_map;     /* struct *, size_t: members of any name, which is the struct's first member */
field_handler field_ignored; /* none: known to the spec, but not for Linux, or obsolete */

/* Fills obj (zeroed before) from value; reports unknown and missing properties. */
void field_parse_object(struct parser *parser, const struct object_type *type, const struct json_value *value,
			void *obj);

/* The other way round (write_fields.c): obj as a JSON object, with the members that are
 * set. Only of types whose handlers are strings, numbers, bools, lists, pairs, maps and
 * objects. */
void write_object(struct json_out *j, const struct object_type *type, const void *obj);

/* For check functions: no error inside the present object so far, so that its
 * members hold what the config says. */
bool field_object_is_clean(const struct parser *parser);

/* The type of value is as wanted, or an error "expected WHAT, found …". */
bool field_expect_type(struct parser *parser, const struct json_value *value, enum json_type type, const char *what);

/* An exact integer in [min, max], or an error. min < 0 allows a sign. The
 * value's bits are in *ret_value (two's complement). */
bool field_expect_integer(struct parser *parser, const struct json_value *value, int64_t min, uint64_t max,
			  uint64_t *ret_value);

/* Counts an error and returns true when no more are kept: then its text, which
 * costs memory, need not be made. Else false, and nothing happened. */
bool field_error_only_counted(struct parser *parser);

/* Issues at a value, at its key, or about a member `name` that is missing or
 * wrong in value (at its value if it is there, else at the start of value). */
void field_error_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_error_key(struct parser *parser, const struct json_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_error_member(struct parser *parser, const struct json_value *value, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void field_warn_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_advise_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_advise_member(struct parser *parser, const struct json_value *value, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void field_note_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
