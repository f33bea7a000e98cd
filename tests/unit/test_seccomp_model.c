/* Profiles through libseccomp and through knarr: both programs must decide every call the
 * same. Those of Podman, Docker and containerd, and random ones. SECCOMP_MODEL_ROUNDS: how many of
 * the latter. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fd.h"
#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_calls.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "tests/unit/check.h"
#include "tests/unit/seccomp_model.h"

#include <seccomp.h>

#define ROUNDS	       1500
#define CROWDED_ROUNDS 6000

static uint32_t seed = 20261121;

static uint32_t
any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

/* ---- random profiles ------------------------------------------------- */

/* Some with parts of socketcall(2) and ipc(2), some that not all architectures have. */
static const char *const few_calls[] = { "read",	"socket", "socketcall", "ipc",	   "semget", "accept4",
					 "personality", "clone",  "ioctl",	"set_tls", "send",   "openat2" };

/* Releases of libseccomp differ in which architectures have a call; and with 2.5.4, of two calls that
 * x86_64 has not, one becomes the other. */
static bool
libseccomp_agrees(const struct seccomp_call *call)
{
	char *name = seccomp_syscall_resolve_num_arch(0, seccomp_syscall_resolve_name(call->name));
	bool same = name && strcmp(name, call->name) == 0;

	free(name);
	if (!same)
		return false;
	for (const char *const *known = seccomp_known_archs(); *known; known++) {
		uint32_t token = seccomp_arch_token(*known), part;
		const struct seccomp_arch *arch = seccomp_arch_find(token);
		int theirs = seccomp_syscall_resolve_name_arch(token, call->name);

		if (theirs == __NR_SCMP_ERROR)
			return false;
		if (seccomp_call_multiplexer(call, arch, &part) < 0 &&
		    (theirs < 0 ? -1 : theirs) != seccomp_call_number(call, arch))
			return false;
	}
	return true;
}

/* Mostly one of the few, so that rules meet. */
static char *
any_name(void)
{
	struct seccomp_call call;

	if (any(3))
		return (char *)few_calls[any(sizeof(few_calls) / sizeof(few_calls[0]))];
	while (!seccomp_call_nth(any(520), &call) || !libseccomp_agrees(&call))
		;
	return (char *)call.name;
}

static uint64_t
any_value(unsigned kind)
{
	static const uint64_t edges[] = { 0, UINT32_MAX, 1ULL << 32, UINT64_MAX, 0x80000000, 0x7e020000, 1ULL << 63 };

	switch (any(kind)) {
	case 0:
	case 1:
		return any(5);
	case 2:
		return (uint64_t)any(3) << 32 | any(5);
	default:
		return edges[any(sizeof(edges) / sizeof(edges[0]))] + (any(3) ? 0 : any(3) - 1ULL);
	}
}

static void
random_args(struct arena *a, struct spec_seccomp_rule *rule, unsigned ops, unsigned kind)
{
	static const enum spec_seccomp_op all[] = { SPEC_OP_EQ, SPEC_OP_MASKED_EQ, SPEC_OP_NE, SPEC_OP_LT,
						    SPEC_OP_LE, SPEC_OP_GE,	   SPEC_OP_GT };
	bool twice = any(20) == 0;
	unsigned used = 0;

	rule->args = arena_array(a, 4, sizeof(*rule->args));
	for (unsigned n = any(5) ? any(2) + 1 : any(4) + 1; n > 0; n--) {
		struct spec_seccomp_arg *arg = &rule->args[rule->n_args];

		arg->index = any(3) ? any(3) : any(6);
		if (used & 1u << arg->index && !twice)
			continue;
		used |= 1u << arg->index;
		arg->op = all[any(ops)];
		arg->value = any_value(kind);
		arg->value_two = any(3) ? any_value(kind) & arg->value : any_value(kind);
		rule->n_args++;
	}
}

/* Actions are few, so that rules agree now and then. */
static void
random_action(enum spec_seccomp_action *action, struct opt_u32 *errno_ret, unsigned n)
{
	static const enum spec_seccomp_action actions[] = { SPEC_ACT_ALLOW, SPEC_ACT_ERRNO,	   SPEC_ACT_LOG,
							    SPEC_ACT_TRAP,  SPEC_ACT_KILL_PROCESS, SPEC_ACT_KILL,
							    SPEC_ACT_TRACE, SPEC_ACT_NOTIFY };

	*action = actions[any(n)];
	if (seccomp_actions[*action].max_data && any(2))
		*errno_ret = (struct opt_u32){ true, any(2) ? 38 : any(3) };
}

static void
random_profile(struct arena *a, struct spec_seccomp *s)
{
	static const char *const lists[][4] = { { NULL },
						{ "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" },
						{ "SCMP_ARCH_X86" },
						{ "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" },
						{ "SCMP_ARCH_X32" } };
	const char *const *all = seccomp_known_archs();
	unsigned actions = any(7) + 2, ops = any(3) ? any(7) + 1 : 2, kind = any(4) + 2, conditional = any(4);
	size_t n = any(20) == 0 ? any(60) : any(8) + 1;

	*s = (struct spec_seccomp){ .n_syscalls = n };
	random_action(&s->default_action, &s->default_errno_ret, actions);
	s->architectures.items = arena_array(a, 5, sizeof(char *));
	for (const char *const *p = lists[any(5)]; *p; p++)
		s->architectures.items[s->architectures.n++] = (char *)*p;
	if (any(4) == 0)
		s->architectures.items[s->architectures.n++] = (char *)all[any(18)];
	s->syscalls = arena_array(a, n, sizeof(*s->syscalls));
	for (size_t i = 0; i < n; i++) {
		struct spec_seccomp_rule *rule = &s->syscalls[i];

		random_action(&rule->action, &rule->errno_ret, actions);
		rule->names.items = arena_array(a, 40, sizeof(char *));
		for (unsigned k = any(3) ? 1 : any(40) + 1; k > 0; k--)
			rule->names.items[rule->names.n++] = any_name();
		if (any(4) < conditional)
			random_args(a, rule, ops, kind);
	}
}

/* Rules for one call that hold together: which one counts. Kinds of conditions that may be mixed
 * without confusing libseccomp. */
static void
crowded_profile(struct arena *a, struct spec_seccomp *s)
{
	static char *const arches[] = { (char *)"SCMP_ARCH_X86_64", (char *)"SCMP_ARCH_X86", (char *)"SCMP_ARCH_ARM" };
	static char *const names[] = { (char *)"read" };
	static const enum spec_seccomp_op kinds[][4] = {
		{ SPEC_OP_EQ, SPEC_OP_MASKED_EQ, SPEC_OP_MASKED_EQ, SPEC_OP_MASKED_EQ },
		{ SPEC_OP_LT, SPEC_OP_LE, SPEC_OP_LT, SPEC_OP_LE },
		{ SPEC_OP_GT, SPEC_OP_GE, SPEC_OP_GT, SPEC_OP_GE },
		{ SPEC_OP_MASKED_EQ, SPEC_OP_LE, SPEC_OP_GE, SPEC_OP_EQ },
	};
	const enum spec_seccomp_op *ops = kinds[any(4)];
	unsigned upper = any(3) + 1, lower = any(3) ? 8 : 2;

	*s = (struct spec_seccomp){ .default_action = SPEC_ACT_ALLOW, .n_syscalls = any(4) + 2 };
	s->architectures = (struct spec_strings){ .items = (char **)(uintptr_t)arches, .n = 3 };
	s->syscalls = arena_array(a, s->n_syscalls, sizeof(*s->syscalls));
	for (size_t i = 0; i < s->n_syscalls; i++) {
		struct spec_seccomp_rule *rule = &s->syscalls[i];

		*rule = (struct spec_seccomp_rule){ .names = { .items = (char **)(uintptr_t)names, .n = 1 },
						    .action = SPEC_ACT_ERRNO,
						    .errno_ret = { true, any(6) ? (uint32_t)i + 1 : 1 },
						    .n_args = any(3) ? 1 : 2 };
		rule->args = arena_array(a, rule->n_args, sizeof(*rule->args));
		for (uint32_t k = 0; k < rule->n_args; k++)
			rule->args[k] = (struct spec_seccomp_arg){ .index = rule->n_args == 1 ? any(2) : k,
								   .value = (uint64_t)any(upper) << 32 | any(lower),
								   .value_two = (uint64_t)any(upper) << 32 | any(lower),
								   .op = ops[any(4)] };
	}
}

static void
test_crowded(void)
{
	for (unsigned i = 0; i < CROWDED_ROUNDS && !failed; i++) {
		auto_arena struct arena a = { 0 };
		struct spec_seccomp s;

		crowded_profile(&a, &s);
		CHECK(seccomp_model_check(&s, any(UINT32_MAX), 40, SECCOMP_MODEL_NAMED), "round %u", i);
	}
}

static void
test_random(void)
{
	const char *env = getenv("SECCOMP_MODEL_ROUNDS");
	unsigned long rounds = env ? strtoul(env, NULL, 10) : ROUNDS;

	for (unsigned long i = 0; i < rounds && !failed; i++) {
		auto_arena struct arena a = { 0 };
		struct spec_seccomp s;

		random_profile(&a, &s);
		CHECK(seccomp_model_check(&s, any(UINT32_MAX), 60, 0), "round %lu", i);
	}
}

/* ---- the profiles that most containers have --------------------------- */

static bool
counts(const char *name)
{
	struct seccomp_call call;

	return seccomp_call_find(name, &call) && libseccomp_agrees(&call);
}

/* Whatever this libseccomp does not know is taken out. */
static void
drop_arches(struct spec_seccomp *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->architectures.n; i++)
		if (seccomp_arch_token(s->architectures.items[i]))
			s->architectures.items[n++] = s->architectures.items[i];
	s->architectures.n = n;
}

static void
drop_names(struct spec_seccomp *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_syscalls; i++) {
		struct spec_seccomp_rule rule = s->syscalls[i];
		size_t k = 0;

		for (size_t j = 0; j < rule.names.n; j++)
			if (counts(rule.names.items[j]))
				rule.names.items[k++] = rule.names.items[j];
		rule.names.n = k;
		if (k)
			s->syscalls[n++] = rule;
	}
	s->n_syscalls = n;
}

/* The profile with other defaults, and for other architectures. */
static void
compare_variants(struct spec_seccomp *s, const char *file)
{
	static const struct {
		enum spec_seccomp_action action;
		struct opt_u32 errno_ret;
	} defaults[] = { { SPEC_ACT_ERRNO, { false, 0 } },	  { SPEC_ACT_ERRNO, { true, 38 } },
			 { SPEC_ACT_ERRNO, { true, 95 } },	  { SPEC_ACT_ALLOW, { false, 0 } },
			 { SPEC_ACT_KILL_PROCESS, { false, 0 } }, { SPEC_ACT_LOG, { false, 0 } } };
	struct spec_strings arches = { .items = (char **)(uintptr_t)seccomp_known_archs() };

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		s->default_action = defaults[i].action;
		s->default_errno_ret = defaults[i].errno_ret;
		CHECK(seccomp_model_check(s, 7, 1000, SECCOMP_MODEL_TRUST), "%s, default %zu", file, i);
	}
	s->architectures = arches;
	CHECK(seccomp_model_check(s, 7, 500, SECCOMP_MODEL_TRUST), "%s, the native architecture", file);
	while (arches.items[arches.n])
		arches.n++;
	s->architectures = arches;
	CHECK(seccomp_model_check(s, 7, 500, SECCOMP_MODEL_TRUST), "%s, all architectures", file);
}

/* most: instructions */
static void
test_profile(const char *file, size_t most)
{
	const char *top = getenv("top_srcdir");
	auto_arena struct arena a = { 0 };
	char *path = arena_printf(&a, "%s/tests/data/%s", top ? top : ".", file), *text;
	struct seccomp_filter filter = { 0 };
	struct spec_report report;
	struct err e = { 0 };
	struct spec *s = NULL;
	size_t len;

	NEED(fd_read_file_at(AT_FDCWD, path, SPEC_MAX_SIZE, &text, &len) == 0, "%s", path);
	NEED(spec_parse(path, text, len, &a, &report, &s) == 0, "%s", path);
	free(text);
	NEED(s->linux_.seccomp, "%s", path);
	drop_arches(s->linux_.seccomp);
	CHECK(seccomp_compile(s->linux_.seccomp, &a, &e, &filter) == 0, "%s: %s", file, e.msg);
	CHECK(filter.len / 8 <= most, "%s: %zu instructions", file, filter.len / 8);
	drop_names(s->linux_.seccomp);
	CHECK(seccomp_model_check(s->linux_.seccomp, 7, 3000, SECCOMP_MODEL_TRUST), "%s as it is", file);
	compare_variants(s->linux_.seccomp, file);
}

int
main(void)
{
	test_profile("bundles/podman/config.json", 250);
	test_profile("seccomp/docker.json", 250);
	test_profile("seccomp/containerd.json", 250);
	test_profile("configs/podman.json", 50);
	test_profile("spec/spec-example.json", 50);
	test_profile("spec/full.json", 50);
	test_random();
	test_crowded();
	printf("%lu programs (%lu without libseccomp, %lu partly), %lu refused, %lu accepted, %lu decisions; of "
	       "libseccomp's "
	       "%lu wrong, %lu confused\n",
	       seccomp_model_counts.compared, seccomp_model_counts.alone, seccomp_model_counts.partly,
	       seccomp_model_counts.refused, seccomp_model_counts.accepted, seccomp_model_counts.decisions,
	       seccomp_model_counts.wrong, seccomp_model_counts.confused);
	return failed;
}
