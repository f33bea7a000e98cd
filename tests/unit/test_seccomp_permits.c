/* What seccomp_permits() says about calls of which not all is known. That it reads a program as the
 * kernel does, seccomp_model.c shows with those of all its profiles. */
#include "libcontainer/seccomp/seccomp_permits.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "tests/unit/check.h"

/* A profile with one rule for close. */
static bool
permits(enum spec_seccomp_action by_default, enum spec_seccomp_action action, struct spec_seccomp_arg *args,
	size_t n_args, const struct seccomp_known_call *call)
{
	static char *names[] = { (char *)"close" };
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_rule rule = {
		.names = { .items = names, .n = 1 }, .action = action, .args = args, .n_args = n_args
	};
	struct spec_seccomp s = { .default_action = by_default, .syscalls = &rule, .n_syscalls = 1 };
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	NEED(seccomp_compile(&s, &a, &e, &f) == 0, "%s", e.msg);
	return seccomp_permits(f.program, f.len / sizeof(struct sock_filter), call);
}

static void
test_actions(void)
{
	const struct seccomp_known_call close_call = { SYS_close, 0, { 0 } }, dup_call = { SYS_dup, 0, { 0 } };

	for (int i = 0; i < SPEC_ACT_COUNT; i++) {
		enum spec_seccomp_action action = (enum spec_seccomp_action)i;
		bool passes = action == SPEC_ACT_ALLOW || action == SPEC_ACT_LOG;

		CHECK(permits(SPEC_ACT_ERRNO, action, NULL, 0, &close_call) == passes, "%s", seccomp_actions[i].name);
		CHECK(!permits(SPEC_ACT_ERRNO, action, NULL, 0, &dup_call), "%s", seccomp_actions[i].name);
		CHECK(permits(action, SPEC_ACT_KILL, NULL, 0, &dup_call) == passes, "%s", seccomp_actions[i].name);
	}
}

/* A condition on the second argument. */
static void
test_known_arguments(void)
{
	const uint64_t high = 1ULL << 32;
	struct spec_seccomp_arg is_5 = { 1, 5, 0, SPEC_OP_EQ };
	static const struct {
		unsigned known;
		uint64_t value;
		bool allowed, denied; /* where the rule allows, where it denies */
	} rows[] = {
		{ 0, 0, false, false },				  /* any value: it may be 5, and it may be another */
		{ 0, 5, false, false }, { ~2u, 5, false, false }, /* all but the one that counts */
		{ 2, 5, true, false },	{ 2, 4, false, true },	  { ~0u, 5, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct seccomp_known_call call = { SYS_close, rows[i].known, { 5, rows[i].value, 5, 5, 5, 5 } };

		CHECK(permits(SPEC_ACT_ERRNO, SPEC_ACT_ALLOW, &is_5, 1, &call) == rows[i].allowed, "row %zu", i);
		CHECK(permits(SPEC_ACT_ALLOW, SPEC_ACT_ERRNO, &is_5, 1, &call) == rows[i].denied, "row %zu", i);
	}
	CHECK(!permits(SPEC_ACT_ERRNO, SPEC_ACT_ALLOW, &is_5, 1,
		       &(struct seccomp_known_call){ SYS_close, 2, { 0, high | 5 } }),
	      "the upper half");
	CHECK(permits(SPEC_ACT_ERRNO, SPEC_ACT_ALLOW, NULL, 0, &(struct seccomp_known_call){ SYS_close, 0, { 0 } }),
	      "nobody asks for an argument");
}

static bool
permits_program(const struct sock_filter *program, size_t n)
{
	return seccomp_permits(program, n, &(struct seccomp_known_call){ SYS_close, ~1u, { 0 } });
}
#define PERMITS(...)                                                                                                   \
	permits_program((const struct sock_filter[]){ __VA_ARGS__ },                                                   \
			sizeof((const struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define ALLOW	     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What is not known here is not a yes. */
static void
test_odd_programs(void)
{
	CHECK(PERMITS(ALLOW));
	CHECK(PERMITS(LOAD(offsetof(struct seccomp_data, arch)), ALLOW));
	CHECK(!permits_program(NULL, 0), "no program");
	CHECK(!PERMITS(LOAD(0)), "no end");
	CHECK(!PERMITS(LOAD(offsetof(struct seccomp_data, instruction_pointer)), ALLOW), "where the call is made");
	CHECK(!PERMITS(LOAD(offsetof(struct seccomp_data, instruction_pointer) + 4), ALLOW), "where the call is made");
	CHECK(!PERMITS(LOAD(offsetof(struct seccomp_data, args)), ALLOW), "an argument");
	CHECK(PERMITS(LOAD(offsetof(struct seccomp_data, args) + 8), ALLOW), "a known one");
	CHECK(!PERMITS(LOAD(sizeof(struct seccomp_data)), ALLOW), "behind the data");
	CHECK(!PERMITS(LOAD(UINT32_MAX), ALLOW), "behind the data");
	CHECK(!PERMITS(BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX - 1), ALLOW), "a jump out of it");
}

int
main(void)
{
	test_actions();
	test_known_arguments();
	test_odd_programs();
	return failed;
}
