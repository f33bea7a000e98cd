/* Theory of operation: config.md#process and config.md#posix-platform-hooks as
 * tables, and the rules between the members of one object. Ranges that only
 * Linux knows (nice values, oom_score_adj) are checked here too, because the
 * kernel's bare EINVAL in the middle of the set-up helps nobody. */
#include <linux/sched.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "oci-spec/parse.h"

/* ---- user, rlimits --------------------------------------------------- */

static const struct field type_user_fields[] = {
	{ "uid", INT_AT(spec_user, uid, 0, ID_MAX), .flags = FIELD_ZERO },
	{ "gid", INT_AT(spec_user, gid, 0, ID_MAX), .flags = FIELD_ZERO },
	{ "umask", OPT_INT_AT(spec_user, umask, 0, 0777) },
	{ "additionalGids", field_ids, STRINGS_AT(spec_user, additional_gids) },
	{ "username", .parse = field_ignored },
};
OBJECT_TYPE(type_user, spec_user, NULL);

static void
check_rlimit(struct parser *parser, const struct json_value *value, void *obj)
{
	struct spec_rlimit *limit = obj;
	const struct json_value *type = json_get(value, "type");

	if (type && type->type == JSON_STRING)
		limit->type = type->text;
	if (field_object_is_clean(parser) && limit->soft > limit->hard)
		field_error_member(parser, value, "soft", "the soft limit is above the hard limit");
}

static const struct field type_rlimit_fields[] = {
	{ "type", field_enum, AT(spec_rlimit, resource), .flags = FIELD_REQUIRED, .type = &names_rlimit },
	{ "soft", INT_AT(spec_rlimit, soft, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
	{ "hard", INT_AT(spec_rlimit, hard, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
};
OBJECT_TYPE(type_rlimit, spec_rlimit, check_rlimit);

/* ---- capabilities ---------------------------------------------------- */

static void
warn_capability(struct parser *parser, const struct json_value *value)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	for (unsigned i = 0; i <= CAP_LAST_CAP; i++) {
		const char *name = name_of_capability(parser->arena, i);
		size_t d = name_distance(value->text, name);

		if (d < best_distance) {
			best_distance = d;
			best = name;
		}
	}
	if (best)
		field_warn_at(parser, value, "unknown capability %s is left out, did you mean \"%s\"?",
			      json_quote(parser->arena, value->text), best);
	else
		field_warn_at(parser, value, "unknown capability %s is left out",
			      json_quote(parser->arena, value->text));
}

/* The spec asks for a warning, not an error, about an unknown capability. */
static void
field_capabilities(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	uint64_t *mask = (void *)((char *)obj + field->offset);

	if (!field_expect_type(parser, value, JSON_ARRAY, "an array of strings"))
		return;
	for (const struct json_value *e = value->first; e; e = e->next) {
		int number;

		if (!field_expect_type(parser, e, JSON_STRING, "a string") || e->broken)
			continue;
		number = name_to_capability(e->text);
		if (number >= 0 && number < 64)
			*mask |= UINT64_C(1) << number;
		else if (!issues_full(parser->issues, SPEC_WARNING))
			warn_capability(parser, e);
	}
}

static const struct field type_capabilities_fields[] = {
	{ "bounding", field_capabilities, AT(spec_capabilities, bounding) },
	{ "effective", field_capabilities, AT(spec_capabilities, effective) },
	{ "inheritable", field_capabilities, AT(spec_capabilities, inheritable) },
	{ "permitted", field_capabilities, AT(spec_capabilities, permitted) },
	{ "ambient", field_capabilities, AT(spec_capabilities, ambient) },
};

/* "CAP_CHOWN, CAP_KILL" in the arena. */
static const char *
capability_list(struct arena *a, uint64_t set)
{
	const char *list = "";

	for (unsigned cap = 0; cap < 64; cap++)
		if (set & UINT64_C(1) << cap)
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", name_of_capability(a, cap));
	return list;
}

/* What capset(2) and PR_CAP_AMBIENT_RAISE refuse; credentials_plan.c leaves it out.
 * Ambient capabilities without inheritable ones are what buildah lists for each command
 * of a build: no warning on stderr. */
static void
check_capabilities(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_capabilities *c = obj;
	uint64_t inheritable = c->inheritable & ~c->bounding, effective = c->effective & ~c->permitted;
	uint64_t ambient = c->ambient & ~(c->permitted & c->inheritable & c->bounding);

	if (inheritable)
		field_warn_at(parser, json_get(value, "inheritable"), "left out %s: not in the bounding set",
			      capability_list(parser->arena, inheritable));
	if (effective)
		field_warn_at(parser, json_get(value, "effective"), "left out %s: not in the permitted set",
			      capability_list(parser->arena, effective));
	if (ambient)
		field_advise_at(parser, json_get(value, "ambient"),
				"left out %s: not in both the permitted and the inheritable set",
				capability_list(parser->arena, ambient));
}
OBJECT_TYPE(type_capabilities, spec_capabilities, check_capabilities);

/* ---- scheduling ------------------------------------------------------ */

/* What sched_setattr(2) would refuse with EINVAL. */
static void
check_scheduler(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_scheduler *s = obj;
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	uint64_t period = s->period ? s->period : s->deadline;

	if (!field_object_is_clean(parser) || (s->flags & SCHED_FLAG_KEEP_ALL))
		return;
	if (!realtime && s->priority.v != 0)
		field_error_member(parser, value, "priority", "only SCHED_FIFO and SCHED_RR have a priority");
	if (realtime && s->priority.v == 0)
		field_error_member(parser, value, "priority", "%s needs a priority from 1 to 99",
				   name_of(&names_sched_policy, s->policy));
	if (s->policy != SCHED_DEADLINE) {
		if (s->runtime || s->deadline || s->period)
			field_error_at(parser, value, "only SCHED_DEADLINE has runtime, deadline and period");
		return;
	}
	/* the kernel's granularity is 2^10 ns (DL_SCALE) */
	if (s->runtime < 1024 || s->runtime > s->deadline || s->deadline > period)
		field_error_at(parser, value,
			       "SCHED_DEADLINE needs 1024 <= runtime <= deadline <= period (nanoseconds)");
}

static const struct field type_scheduler_fields[] = {
	{ "policy", field_enum, AT(spec_scheduler, policy), .flags = FIELD_REQUIRED, .type = &names_sched_policy },
	{ "nice", OPT_INT_AT(spec_scheduler, nice, -20, 19) },
	{ "priority", OPT_INT_AT(spec_scheduler, priority, 0, 99) },
	{ "flags", field_flags, AT(spec_scheduler, flags), .size = sizeof(uint64_t), .type = &names_sched_flag },
	{ "runtime", INT_AT(spec_scheduler, runtime, 0, UINT64_MAX) },
	{ "deadline", INT_AT(spec_scheduler, deadline, 0, UINT64_MAX) },
	{ "period", INT_AT(spec_scheduler, period, 0, UINT64_MAX) },
};
OBJECT_TYPE(type_scheduler, spec_scheduler, check_scheduler);

static const struct field type_io_priority_fields[] = {
	{ "class", field_enum, AT(spec_io_priority, class), .flags = FIELD_REQUIRED, .type = &names_io_class },
	{ "priority", INT_AT(spec_io_priority, priority, 0, 7), .flags = FIELD_ZERO },
};
OBJECT_TYPE(type_io_priority, spec_io_priority, NULL);

static void
check_affinity(struct parser *parser, const struct json_value *value, void *obj)
{
	(void)obj;
	check_number_list(parser, json_get(value, "initial"));
	check_number_list(parser, json_get(value, "final"));
}

static const struct field type_affinity_fields[] = {
	{ "initial", field_string, AT(spec_cpu_affinity, initial) },
	{ "final", field_string, AT(spec_cpu_affinity, final) },
};
OBJECT_TYPE(type_affinity, spec_cpu_affinity, check_affinity);

/* ---- process --------------------------------------------------------- */

struct console_size {
	bool set;
	uint64_t height, width;
};
_Static_assert(sizeof(struct console_size) == sizeof(((struct spec_process *)0)->console_size), "same layout");

static void
check_console_size(struct parser *parser, const struct json_value *value, void *obj)
{
	(void)parser;
	(void)value;
	((struct console_size *)obj)->set = true;
}

static const struct field type_console_fields[] = {
	{ "height", INT_AT(console_size, height, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
	{ "width", INT_AT(console_size, width, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
};
OBJECT_TYPE(type_console, console_size, check_console_size);

static void
check_rlimit_duplicates(struct parser *parser, const struct json_value *value)
{
	uint64_t seen = 0;

	if (!value || value->type != JSON_ARRAY)
		return;
	for (const struct json_value *e = value->first; e; e = e->next) {
		const struct json_value *type = json_get(e, "type");
		uint64_t number;

		if (!type || type->type != JSON_STRING || !name_find(&names_rlimit, type->text, &number))
			continue;
		if (seen & UINT64_C(1) << number)
			field_error_at(parser, type, "duplicate resource limit \"%s\"", type->text);
		seen |= UINT64_C(1) << number;
	}
}

static void
check_env(struct parser *parser, const struct json_value *env)
{
	if (!env || env->type != JSON_ARRAY)
		return;
	for (const struct json_value *e = env->first; e; e = e->next)
		if (e->type == JSON_STRING && (e->text[0] == '=' || !strchr(e->text, '=')))
			field_warn_at(parser, e, "expected NAME=value, found %s", json_quote(parser->arena, e->text));
}

/* One string, as execve(2) takes it at most: MAX_ARG_STRLEN of the kernel, 32 pages. */
static size_t
check_length(struct parser *parser, const struct json_value *value, const char *what)
{
	size_t most = 32 * (size_t)sysconf(_SC_PAGESIZE), len = value->type == JSON_STRING ? value->n + (size_t)1 : 0;

	if (len > most)
		field_error_at(parser, value, "%s of %zu bytes is longer than the kernel takes (%zu)", what, len - 1,
			       most - 1);
	return len + sizeof(char *);
}

static size_t
check_lengths(struct parser *parser, const struct json_value *list, const char *what)
{
	size_t sum = 0;

	for (const struct json_value *e = list && list->type == JSON_ARRAY ? list->first : NULL; e; e = e->next)
		sum += check_length(parser, e, what);
	return sum;
}

/* And all of them: whatever the limit of the stack, no more than this. */
static void
check_size(struct parser *parser, const struct json_value *value)
{
	const size_t most = (size_t)6 * 1024 * 1024;
	size_t args = check_lengths(parser, json_get(value, "args"), "an argument");
	size_t env = check_lengths(parser, json_get(value, "env"), "a variable");

	if (args + env > most)
		field_error_member(parser, value, args > env ? "args" : "env",
				   "%zu bytes of arguments and %zu of environment are more than the kernel takes (%zu)",
				   args, env, most);
}

static void
check_process(struct parser *parser, const struct json_value *value, void *obj)
{
	struct spec_process *process = obj;

	check_rlimit_duplicates(parser, json_get(value, "rlimits"));
	check_env(parser, json_get(value, "env"));
	check_size(parser, value);
	if (!process->terminal) {
		process->console_size.set = false; /* the spec: ignored */
		return;
	}
	if (process->console_size.height > UINT16_MAX || process->console_size.width > UINT16_MAX)
		field_error_member(parser, value, "consoleSize", "a terminal has at most 65535 lines and columns");
}

static const struct field type_process_fields[] = {
	{ "terminal", field_bool, AT(spec_process, terminal) },
	{ "consoleSize", field_object, AT(spec_process, console_size), .type = &type_console },
	{ "cwd", field_string, AT(spec_process, cwd), .flags = FIELD_REQUIRED | FIELD_ABSOLUTE },
	{ "env", field_strings, STRINGS_AT(spec_process, env) },
	{ "args", field_strings, STRINGS_AT(spec_process, args), .flags = FIELD_REQUIRED | FIELD_SOME },
	{ "rlimits", field_objects, LIST_AT(spec_process, rlimits, n_rlimits), .type = &type_rlimit },
	{ "apparmorProfile", field_string, AT(spec_process, apparmor_profile), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "capabilities", field_pointer, AT(spec_process, capabilities), .type = &type_capabilities },
	{ "noNewPrivileges", field_bool, AT(spec_process, no_new_privileges) },
	{ "oomScoreAdj", OPT_INT_AT(spec_process, oom_score_adj, -1000, 1000) },
	{ "scheduler", field_pointer, AT(spec_process, scheduler), .type = &type_scheduler },
	{ "selinuxLabel", field_string, AT(spec_process, selinux_label), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "ioPriority", field_pointer, AT(spec_process, io_priority), .type = &type_io_priority },
	{ "execCPUAffinity", field_pointer, AT(spec_process, exec_cpu_affinity), .type = &type_affinity },
	{ "user", field_object, AT(spec_process, user), .type = &type_user },
	{ "commandLine", .parse = field_ignored },
};
SHARED_OBJECT_TYPE(type_process, spec_process, check_process);

/* ---- hooks ----------------------------------------------------------- */

static void
check_hook(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct json_value *env = json_get(value, "env");

	((struct spec_hook *)obj)->has_env = env != NULL;
	check_env(parser, env);
}

static const struct field type_hook_fields[] = {
	{ "path", field_string, AT(spec_hook, path), .flags = FIELD_REQUIRED | FIELD_ABSOLUTE },
	{ "args", field_strings, STRINGS_AT(spec_hook, args) },
	{ "env", field_strings, STRINGS_AT(spec_hook, env) },
	{ "timeout", OPT_INT_AT(spec_hook, timeout, 1, INT64_MAX) },
};
OBJECT_TYPE(type_hook, spec_hook, check_hook);

#define HOOK_LIST(name, member)                                                                                        \
	{                                                                                                              \
		name, field_objects, STRINGS_AT(spec_hooks, member), .type = &type_hook                                \
	}

static const struct field type_hooks_fields[] = {
	HOOK_LIST("prestart", prestart),
	HOOK_LIST("createRuntime", create_runtime),
	HOOK_LIST("createContainer", create_container),
	HOOK_LIST("startContainer", start_container),
	HOOK_LIST("poststart", poststart),
	HOOK_LIST("poststop", poststop),
};
SHARED_OBJECT_TYPE(type_hooks, spec_hooks, NULL);
