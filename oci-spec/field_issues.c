/* Theory of operation: what a handler says about a value, with the value's path
 * and place. Texts cost memory, so none is made for an issue that is beyond
 * those that are kept. */
#include "oci-spec/fields.h"

static void __attribute__((format(printf, 5, 0)))
add_issue(struct parser *parser, enum spec_severity severity, const struct json_value *value, size_t offset,
	  const char *fmt, va_list ap)
{
	if (issues_full(parser->issues, severity)) {
		issues_count(parser->issues, severity);
		return;
	}
	issues_vadd(parser->issues, severity, offset, json_path(parser->arena, value), fmt, ap);
}

#define ADD_ISSUE(severity, v, offset)                                                                                 \
	do {                                                                                                           \
		va_list ap_;                                                                                           \
		va_start(ap_, fmt);                                                                                    \
		add_issue(parser, severity, v, offset, fmt, ap_);                                                      \
		va_end(ap_);                                                                                           \
	} while (0)

void
field_error_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_ERROR, value, value->offset);
}

void
field_error_key(struct parser *parser, const struct json_value *value, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_ERROR, value, value->key ? value->key_offset : value->offset);
}

void
field_warn_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_WARNING, value, value->offset);
}

void
field_advise_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_ADVICE, value, value->offset);
}

void
field_note_at(struct parser *parser, const struct json_value *value, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_NOTE, value, value->key ? value->key_offset : value->offset);
}

bool
field_error_only_counted(struct parser *parser)
{
	if (!issues_full(parser->issues, SPEC_ERROR))
		return false;
	issues_count(parser->issues, SPEC_ERROR);
	return true;
}

static void __attribute__((format(printf, 5, 0)))
add_member_issue(struct parser *parser, enum spec_severity severity, const struct json_value *value, const char *name,
		 const char *fmt, va_list ap)
{
	const struct json_value *member = json_get(value, name);
	char *path;

	if (member) {
		add_issue(parser, severity, member, member->offset, fmt, ap);
	} else if (issues_full(parser->issues, severity)) {
		issues_count(parser->issues, severity);
	} else {
		path = json_path(parser->arena, value);
		issues_vadd(parser->issues, severity, value->offset,
			    arena_printf(parser->arena, "%s%s%s", path, *path ? "." : "", name), fmt, ap);
	}
}

void
field_error_member(struct parser *parser, const struct json_value *value, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_member_issue(parser, SPEC_ERROR, value, name, fmt, ap);
	va_end(ap);
}

void
field_advise_member(struct parser *parser, const struct json_value *value, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_member_issue(parser, SPEC_ADVICE, value, name, fmt, ap);
	va_end(ap);
}

bool
field_expect_type(struct parser *parser, const struct json_value *value, enum json_type type, const char *what)
{
	if (value->type == type)
		return true;
	if (field_error_only_counted(parser))
		return false;
	field_error_at(parser, value, "expected %s, found %s", what, json_describe(parser->arena, value));
	return false;
}

bool
field_object_is_clean(const struct parser *parser)
{
	return parser->issues->count[SPEC_ERROR] == parser->errors_before;
}
