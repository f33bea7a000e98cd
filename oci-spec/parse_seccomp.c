/* Theory of operation: config-linux.md#seccomp as tables. Names of system
 * calls are not checked: a profile may name calls that this kernel, this
 * architecture or this libseccomp does not know. */
#include "oci-spec/parse.h"

/* The kernel cuts larger errnos silently (MAX_ERRNO of seccomp(2)). */
#define ERRNO_MAX 4095
#define TRACE_MAX 65535

/* An errno value beside an action that cannot return one is a mistake that the
 * spec wants refused. member: "errnoRet" or "defaultErrnoRet". */
static void
check_errno(struct parser *parser, const struct json_value *value, const char *action, const char *member,
	    const struct opt_u32 *number)
{
	const struct json_value *name = json_get(value, action);
	uint64_t known;

	if (!number->set || !name || name->type != JSON_STRING || !name_find(&names_seccomp_action, name->text, &known))
		return;
	if (known != SPEC_ACT_ERRNO && known != SPEC_ACT_TRACE)
		field_error_member(parser, value, member,
				   "%s returns no errno, only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do", name->text);
	else if (number->v > (known == SPEC_ACT_ERRNO ? ERRNO_MAX : TRACE_MAX))
		field_error_member(parser, value, member, "expected a number from 0 to %d with %s, found %u",
				   known == SPEC_ACT_ERRNO ? ERRNO_MAX : TRACE_MAX, name->text, number->v);
}

static const struct field type_seccomp_arg_fields[] = {
	{ "index", INT_AT(spec_seccomp_arg, index, 0, 5), .flags = FIELD_REQUIRED },
	{ "value", INT_AT(spec_seccomp_arg, value, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
	{ "valueTwo", INT_AT(spec_seccomp_arg, value_two, 0, UINT64_MAX) },
	{ "op", field_enum, AT(spec_seccomp_arg, op), .flags = FIELD_REQUIRED, .type = &names_seccomp_op },
};
OBJECT_TYPE(type_seccomp_arg, spec_seccomp_arg, NULL);

static void
check_rule(struct parser *parser, const struct json_value *value, void *obj)
{
	check_errno(parser, value, "action", "errnoRet", &((struct spec_seccomp_rule *)obj)->errno_ret);
}

static const struct field type_seccomp_rule_fields[] = {
	{ "names", field_strings, STRINGS_AT(spec_seccomp_rule, names),
	  .flags = FIELD_REQUIRED | FIELD_SOME | FIELD_NOT_EMPTY },
	{ "action", field_enum, AT(spec_seccomp_rule, action), .flags = FIELD_REQUIRED, .type = &names_seccomp_action },
	{ "errnoRet", OPT_INT_AT(spec_seccomp_rule, errno_ret, 0, UINT32_MAX) },
	{ "args", field_objects, LIST_AT(spec_seccomp_rule, args, n_args), .type = &type_seccomp_arg },
};
OBJECT_TYPE(type_seccomp_rule, spec_seccomp_rule, check_rule);

static bool
is_notify(const struct json_value *action)
{
	uint64_t known;

	return action && action->type == JSON_STRING && name_find(&names_seccomp_action, action->text, &known) &&
	       known == SPEC_ACT_NOTIFY;
}

void
parse_check_listener(struct parser *parser, const struct json_value *value, const struct spec_seccomp *profile)
{
	const struct json_value *syscalls = json_get(value, "syscalls");
	const struct json_value *action = json_get(value, "defaultAction");

	if (profile->listener_path)
		return;
	if (profile->listener_metadata)
		field_error_member(parser, value, "listenerMetadata", "must not be set without listenerPath");
	if (is_notify(action))
		field_error_at(parser, action, "SCMP_ACT_NOTIFY needs a listenerPath");
	for (const struct json_value *e = syscalls && syscalls->type == JSON_ARRAY ? syscalls->first : NULL; e;
	     e = e->next) {
		action = json_get(e, "action");
		if (is_notify(action))
			field_error_at(parser, action, "SCMP_ACT_NOTIFY needs a listenerPath");
	}
}

static void
check_seccomp(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_seccomp *s = obj;

	check_errno(parser, value, "defaultAction", "defaultErrnoRet", &s->default_errno_ret);
}

static const struct field type_seccomp_fields[] = {
	{ "defaultAction", field_enum, AT(spec_seccomp, default_action), .flags = FIELD_REQUIRED,
	  .type = &names_seccomp_action },
	{ "defaultErrnoRet", OPT_INT_AT(spec_seccomp, default_errno_ret, 0, UINT32_MAX) },
	{ "architectures", field_names, STRINGS_AT(spec_seccomp, architectures), .type = &names_seccomp_arch },
	{ "flags", field_names, STRINGS_AT(spec_seccomp, flags), .type = &names_seccomp_flag },
	{ "listenerPath", field_string, AT(spec_seccomp, listener_path), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "listenerMetadata", field_string, AT(spec_seccomp, listener_metadata), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "syscalls", field_objects, LIST_AT(spec_seccomp, syscalls, n_syscalls), .type = &type_seccomp_rule },
};
SHARED_OBJECT_TYPE(type_seccomp, spec_seccomp, check_seccomp);
