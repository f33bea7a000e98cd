/* Theory of operation: what a handler says about a value, with the value's path
 * and place. Texts cost memory, so none is made for an issue that is beyond
 * those that are kept. */
#include "oci-spec/fields.h"

static void __attribute__((format(printf, 5, 0)))
add_issue(struct parser *p, enum spec_severity severity, const struct json_value *v, size_t offset, const char *fmt,
	  va_list ap)
{
	if (issues_full(p->issues, severity)) {
		issues_count(p->issues, severity);
		return;
	}
	issues_vadd(p->issues, severity, offset, json_path(p->arena, v), fmt, ap);
}

#define ADD_ISSUE(severity, v, offset)                                                                                 \
	do {                                                                                                           \
		va_list ap_;                                                                                           \
		va_start(ap_, fmt);                                                                                    \
		add_issue(p, severity, v, offset, fmt, ap_);                                                           \
		va_end(ap_);                                                                                           \
	} while (0)

void
error_at(struct parser *p, const struct json_value *v, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_ERROR, v, v->offset);
}

void
error_key(struct parser *p, const struct json_value *v, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_ERROR, v, v->key ? v->key_offset : v->offset);
}

void
warn_at(struct parser *p, const struct json_value *v, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_WARNING, v, v->offset);
}

void
note_at(struct parser *p, const struct json_value *v, const char *fmt, ...)
{
	ADD_ISSUE(SPEC_NOTE, v, v->key ? v->key_offset : v->offset);
}

bool
error_only_counted(struct parser *p)
{
	if (!issues_full(p->issues, SPEC_ERROR))
		return false;
	issues_count(p->issues, SPEC_ERROR);
	return true;
}

void
error_member(struct parser *p, const struct json_value *v, const char *name, const char *fmt, ...)
{
	const struct json_value *member = json_get(v, name);
	char *path;
	va_list ap;

	va_start(ap, fmt);
	if (member) {
		add_issue(p, SPEC_ERROR, member, member->offset, fmt, ap);
	} else if (!error_only_counted(p)) {
		path = json_path(p->arena, v);
		issues_vadd(p->issues, SPEC_ERROR, v->offset,
			    arena_printf(p->arena, "%s%s%s", path, *path ? "." : "", name), fmt, ap);
	}
	va_end(ap);
}

bool
expect_type(struct parser *p, const struct json_value *v, enum json_type type, const char *what)
{
	if (v->type == type)
		return true;
	if (error_only_counted(p))
		return false;
	error_at(p, v, "expected %s, found %s", what, json_describe(p->arena, v));
	return false;
}

bool
object_is_clean(const struct parser *p)
{
	return p->issues->count[SPEC_ERROR] == p->errors_before;
}
