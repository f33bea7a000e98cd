/* seccomp profiles: what the compiled program answers, by the interpreter bpf_run(),
 * and what the kernel does with it, in forked children. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "tests/unit/bpf_run.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

static uint32_t
ask(const struct seccomp_filter *f, uint32_t arch, int nr, uint64_t a0, uint64_t a1)
{
	struct seccomp_data d = { .nr = nr, .arch = arch, .args = { a0, a1 } };
	uint32_t answer;

	/* The kernel would have refused a program that it does not run. */
	NEED(bpf_run(f->program, f->len / sizeof(struct sock_filter), &d, &answer));
	return answer;
}

static struct spec_strings
names(char **items)
{
	struct spec_strings s = { .items = items };

	while (items[s.n])
		s.n++;
	return s;
}
#define NAMES(...) names((char **)(const char *[]){ __VA_ARGS__, NULL })
#define OPT(x)	   ((struct opt_u32){ true, (x) })

static struct seccomp_filter
compile(const struct spec_seccomp *s, struct arena *a)
{
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };
	int r = seccomp_compile(s, a, &e, &f);

	CHECK(r == 0, "%s", e.msg);
	if (r < 0)
		exit(1);
	return f;
}

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "say which AUDIT_ARCH_* this machine has"
#endif

static void
test_actions(void)
{
	static const struct {
		enum spec_seccomp_action action;
		struct opt_u32 errno_ret;
		uint32_t want;
	} rows[] = {
		{ SPEC_ACT_KILL, { false, 0 }, SECCOMP_RET_KILL_THREAD },
		{ SPEC_ACT_KILL_THREAD, { false, 0 }, SECCOMP_RET_KILL_THREAD },
		{ SPEC_ACT_KILL_PROCESS, { false, 0 }, SECCOMP_RET_KILL_PROCESS },
		{ SPEC_ACT_TRAP, { false, 0 }, SECCOMP_RET_TRAP },
		{ SPEC_ACT_ERRNO, { false, 0 }, SECCOMP_RET_ERRNO | EPERM },
		{ SPEC_ACT_ERRNO, { true, 0 }, SECCOMP_RET_ERRNO },
		{ SPEC_ACT_ERRNO, { true, ENOSYS }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_TRACE, { false, 0 }, SECCOMP_RET_TRACE | EPERM },
		{ SPEC_ACT_TRACE, { true, 777 }, SECCOMP_RET_TRACE | 777 },
		{ SPEC_ACT_LOG, { false, 0 }, SECCOMP_RET_LOG },
		{ SPEC_ACT_NOTIFY, { false, 0 }, SECCOMP_RET_USER_NOTIF },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_arena struct arena a = { 0 };
		struct spec_seccomp_rule rules[] = {
			{ .names = NAMES("getpid", "no_such_call"),
			  .action = rows[i].action,
			  .errno_ret = rows[i].errno_ret },
			{ .names = NAMES("getppid"), .action = SPEC_ACT_ALLOW },
		};
		struct spec_seccomp as_rule = { .default_action = SPEC_ACT_ALLOW, .syscalls = rules, .n_syscalls = 2 };
		struct spec_seccomp as_default = { .default_action = rows[i].action,
						   .default_errno_ret = rows[i].errno_ret,
						   .syscalls = rules,
						   .n_syscalls = 2 };
		struct seccomp_filter f = compile(&as_rule, &a);

		CHECK(ask(&f, NATIVE, SYS_getpid, 0, 0) == rows[i].want, "row %zu", i);
		CHECK(ask(&f, NATIVE, SYS_getppid, 0, 0) == SECCOMP_RET_ALLOW, "row %zu", i);
		CHECK(ask(&f, NATIVE, SYS_read, 0, 0) == SECCOMP_RET_ALLOW, "row %zu", i);
		CHECK(f.notify == (rows[i].action == SPEC_ACT_NOTIFY), "row %zu", i);
		f = compile(&as_default, &a);
		CHECK(ask(&f, NATIVE, SYS_getpid, 0, 0) == rows[i].want, "default, row %zu", i);
		CHECK(ask(&f, NATIVE, SYS_getppid, 0, 0) == SECCOMP_RET_ALLOW, "default, row %zu", i);
		CHECK(ask(&f, NATIVE, SYS_read, 0, 0) == rows[i].want, "default, row %zu", i);
	}
}

static void
test_operators(void)
{
	const uint64_t big = 0x100000002ULL,
		       values[] = { 0, 1, 2, 3, 0xffffffffULL, big - 1, big, big + 1, UINT64_MAX };

	for (int op = SPEC_OP_NE; op <= SPEC_OP_MASKED_EQ; op++) {
		for (size_t i = 0; i < 2; i++) {
			auto_arena struct arena a = { 0 };
			uint64_t v = i ? big : 2;
			struct spec_seccomp_arg arg = {
				.index = 1, .value = v, .value_two = v & 0xf, .op = (enum spec_seccomp_op)op
			};
			struct spec_seccomp_rule rule = { NAMES("close"), SPEC_ACT_ALLOW, { 0 }, &arg, 1 };
			struct spec_seccomp s = { .default_action = SPEC_ACT_ERRNO,
						  .syscalls = &rule,
						  .n_syscalls = 1 };
			struct seccomp_filter f = compile(&s, &a);

			for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
				uint64_t x = values[j];
				bool want[] = { x != v, x<v, x <= v, x == v, x >= v, x> v, (x & v) == (v & 0xf) };
				bool got = ask(&f, NATIVE, SYS_close, v, x) == SECCOMP_RET_ALLOW;

				CHECK(got == want[op], "op %d: %#llx against %#llx", op, (unsigned long long)x,
				      (unsigned long long)v);
			}
		}
	}
}

static void
test_args(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_arg both[] = { { 0, 1, 0, SPEC_OP_EQ }, { 1, 2, 0, SPEC_OP_EQ } };
	struct spec_seccomp_arg either[] = { { 0, 1, 0, SPEC_OP_EQ }, { 0, 2, 0, SPEC_OP_EQ } };
	struct spec_seccomp_rule rules[] = {
		{ NAMES("close"), SPEC_ACT_ALLOW, { 0 }, both, 2 },
		{ NAMES("dup"), SPEC_ACT_ALLOW, { 0 }, either, 2 },
		{ NAMES("dup"), SPEC_ACT_ALLOW, { 0 }, either, 2 },	  /* again */
		{ NAMES("getuid"), SPEC_ACT_ERRNO, OPT(EPERM), NULL, 0 }, /* as the default */
		{ NAMES("getuid"), SPEC_ACT_ERRNO, OPT(ENOSYS), NULL, 0 },
	};
	struct spec_seccomp s = { .default_action = SPEC_ACT_ERRNO, .syscalls = rules, .n_syscalls = 5 };
	struct seccomp_filter f = compile(&s, &a);

	CHECK(ask(&f, NATIVE, SYS_close, 1, 2) == SECCOMP_RET_ALLOW, "AND");
	CHECK(ask(&f, NATIVE, SYS_close, 1, 3) != SECCOMP_RET_ALLOW, "AND");
	CHECK(ask(&f, NATIVE, SYS_close, 0, 2) != SECCOMP_RET_ALLOW, "AND");
	CHECK(ask(&f, NATIVE, SYS_dup, 1, 0) == SECCOMP_RET_ALLOW, "OR");
	CHECK(ask(&f, NATIVE, SYS_dup, 2, 0) == SECCOMP_RET_ALLOW, "OR");
	CHECK(ask(&f, NATIVE, SYS_dup, 3, 0) != SECCOMP_RET_ALLOW, "OR");
	CHECK(ask(&f, NATIVE, SYS_getuid, 0, 0) == (SECCOMP_RET_ERRNO | ENOSYS), "other errno than the default");
}

static void
test_archs(void)
{
#if defined(__x86_64__)
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_rule rule = { NAMES("getpid"), SPEC_ACT_ALLOW, { 0 }, NULL, 0 };
	struct spec_seccomp s = { .default_action = SPEC_ACT_ERRNO, .syscalls = &rule, .n_syscalls = 1 };
	struct seccomp_filter f = compile(&s, &a), once;
	char *often[1000];

	CHECK(ask(&f, AUDIT_ARCH_I386, 20, 0, 0) == SECCOMP_RET_KILL_THREAD, "i386 is not listed");
	CHECK(ask(&f, NATIVE, 0x40000000 + SYS_getpid, 0, 0) == SECCOMP_RET_KILL_THREAD, "x32 is not listed");
	s.architectures = NAMES("SCMP_ARCH_X86", "SCMP_ARCH_X32"); /* the native one is kept */
	f = compile(&s, &a);
	CHECK(ask(&f, NATIVE, SYS_getpid, 0, 0) == SECCOMP_RET_ALLOW, "native");
	CHECK(ask(&f, AUDIT_ARCH_I386, 20, 0, 0) == SECCOMP_RET_ALLOW, "i386");
	CHECK(ask(&f, AUDIT_ARCH_I386, 3, 0, 0) == (SECCOMP_RET_ERRNO | EPERM), "i386");
	CHECK(ask(&f, NATIVE, 0x40000000 + SYS_getpid, 0, 0) == SECCOMP_RET_ALLOW, "x32");
	CHECK(ask(&f, AUDIT_ARCH_AARCH64, SYS_getpid, 0, 0) == SECCOMP_RET_KILL_THREAD, "other");
	for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++)
		often[i] = (char *)(i % 2 ? "SCMP_ARCH_X86" : "SCMP_ARCH_X32");
	s.architectures = (struct spec_strings){ .items = often, .n = sizeof(often) / sizeof(often[0]) };
	once = f;
	f = compile(&s, &a);
	CHECK(f.len == once.len && memcmp(f.program, once.program, f.len) == 0, "named often, the same as once");
#endif
}

/* A profile that allows all but what the rules say; gives the message of the error, or "". */
static const char *
compile_error(struct spec_seccomp_rule *rules, size_t n, struct arena *a)
{
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = rules, .n_syscalls = n };
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };
	int r = seccomp_compile(&s, a, &e, &f);

	CHECK((r < 0) == (e.msg[0] != '\0'), "%d '%s'", r, e.msg);
	return arena_strdup(a, e.msg);
}

/* Several rules for a call, of which the first that is tried counts. */
static void
test_precedence(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_arg one = { 0, 1, 0, SPEC_OP_EQ }, above = { 0, 0, 0, SPEC_OP_GT };
	struct spec_seccomp_arg above9 = { 0, 9, 0, SPEC_OP_GT }, second = { 1, 5, 0, SPEC_OP_EQ };
	struct spec_seccomp_arg one_and[] = { one, { 1, 7, 0, SPEC_OP_EQ } };
	struct spec_seccomp_rule rules[] = {
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(1), &above, 1 },
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(2), &one, 1 },
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(3), &above9, 1 },
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(4), &second, 1 },
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(5), one_and, 2 }, /* ended by the second rule */
		{ NAMES("dup"), SPEC_ACT_ERRNO, OPT(1), &one, 1 },
		{ NAMES("dup"), SPEC_ACT_ERRNO, OPT(2), NULL, 0 },
		{ NAMES("dup"), SPEC_ACT_ERRNO, OPT(3), NULL, 0 },
		{ NAMES("dup"), SPEC_ACT_ERRNO, OPT(4), &one, 1 },
	};
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = rules, .n_syscalls = 9 };
	struct seccomp_filter f = compile(&s, &a);

	CHECK(ask(&f, NATIVE, SYS_close, 0, 0) == SECCOMP_RET_ALLOW, "none");
	CHECK(ask(&f, NATIVE, SYS_close, 3, 0) == (SECCOMP_RET_ERRNO | 1), "lower bound");
	CHECK(ask(&f, NATIVE, SYS_close, 1, 0) == (SECCOMP_RET_ERRNO | 2), "equality before a bound");
	CHECK(ask(&f, NATIVE, SYS_close, 10, 0) == (SECCOMP_RET_ERRNO | 3), "the higher lower bound");
	CHECK(ask(&f, NATIVE, SYS_close, 1ULL << 40, 0) == (SECCOMP_RET_ERRNO | 3), "the higher lower bound");
	CHECK(ask(&f, NATIVE, SYS_close, 1, 5) == (SECCOMP_RET_ERRNO | 4), "the higher argument");
	CHECK(ask(&f, NATIVE, SYS_close, 1, 7) == (SECCOMP_RET_ERRNO | 2), "the shorter rule");
	CHECK(ask(&f, NATIVE, SYS_dup, 1, 0) == (SECCOMP_RET_ERRNO | 2), "the first without conditions");
}

static void
test_contradictions(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_arg one[] = { { 0, 1, 0, SPEC_OP_EQ }, { 1, 2, 0, SPEC_OP_EQ } };
	struct spec_seccomp_arg masked = { 0, 0xff, 1, SPEC_OP_MASKED_EQ },
				masked_wide = { 0, 0xff, 0x101, SPEC_OP_MASKED_EQ };
	struct spec_seccomp_rule rules[] = {
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(1), one, 1 },
		{ NAMES("dup", "close"), SPEC_ACT_ERRNO, OPT(2), one, 1 },
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(3), one, 2 },
	};
	const char *text = "linux.seccomp.syscalls[1]: for 'close' it contradicts syscalls[0]";

	CHECK(strstr(compile_error(rules, 2, &a), text), "the same conditions");
	rules[0].n_args = 2;
	CHECK(strstr(compile_error(rules, 2, &a), text), "a longer one before");
	rules[0].n_args = 1;
	rules[1].n_args = 2;
	CHECK(!*compile_error(rules, 2, &a), "a longer one behind");
	CHECK(!*compile_error(rules, 3, &a), "two longer ones behind, both of which it ends");
	rules[1].n_args = 1;
	rules[1].errno_ret = OPT(1);
	CHECK(!*compile_error(rules, 2, &a), "the same action");
	rules[1].errno_ret = OPT(2);
	rules[1].args = &masked;
	CHECK(!*compile_error(rules, 2, &a), "another condition");
	rules[0].args = &masked_wide;
	CHECK(strstr(compile_error(rules, 2, &a), text), "values without what the mask takes away");
	rules[0].action = SPEC_ACT_ALLOW;
	rules[0].errno_ret.set = false;
	CHECK(!*compile_error(rules, 2, &a), "what the default does");
}

/* libseccomp 2.5.4 and 2.6.0 make programs of these that decide otherwise, or none at all. */
static void
test_better(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_arg above9 = { 0, 9, 0, SPEC_OP_GT };
	struct spec_seccomp_arg above5[] = { { 0, 5, 0, SPEC_OP_GT }, { 1, 2, 0, SPEC_OP_EQ } };
	struct spec_seccomp_arg unequal[] = { { 0, 3, 0, SPEC_OP_NE }, { 1, 2, 0, SPEC_OP_NE } };
	struct spec_seccomp_arg bit = { 0, 1, 1, SPEC_OP_MASKED_EQ };
	struct spec_seccomp_rule rules[] = {
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(1), &above9, 1 },
		{ NAMES("close"), SPEC_ACT_ERRNO, OPT(1), above5, 2 },
		{ NAMES("dup"), SPEC_ACT_ERRNO, OPT(1), unequal, 2 },
		{ NAMES("dup"), SPEC_ACT_ERRNO, OPT(2), &bit, 1 },
	};
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = rules, .n_syscalls = 4 };
	struct seccomp_filter f = compile(&s, &a);

	CHECK(ask(&f, NATIVE, SYS_close, 7, 2) == (SECCOMP_RET_ERRNO | 1), "lost there");
	CHECK(ask(&f, NATIVE, SYS_close, 7, 3) == SECCOMP_RET_ALLOW);
	CHECK(ask(&f, NATIVE, SYS_dup, 5, 2) == (SECCOMP_RET_ERRNO | 2), "compares the wrong argument there");
	CHECK(ask(&f, NATIVE, SYS_dup, 4, 2) == SECCOMP_RET_ALLOW);
}

/* Calls that the libseccomp at hand need not know. */
static void
test_newer_calls(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_rule rules[] = {
		{ NAMES("statmount", "mseal", "open_tree_attr", "rseq_slice_yield"), SPEC_ACT_ERRNO, OPT(7), NULL, 0 },
	};
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = rules, .n_syscalls = 1 };
	struct seccomp_filter f;

	log_captured[0] = '\0';
	f = compile(&s, &a);
	for (int nr = 456; nr < 473; nr++)
		CHECK((ask(&f, NATIVE, nr, 0, 0) == (SECCOMP_RET_ERRNO | 7)) ==
			      (nr == 457 || nr == 462 || nr == 467 || nr == 471),
		      "%d", nr);
	CHECK(!*log_captured, "%s", log_captured);
}

static void
test_unknown_names(void)
{
	static const struct {
		enum spec_seccomp_action by_default, action;
		bool warns;
	} rows[] = {
		{ SPEC_ACT_ALLOW, SPEC_ACT_ERRNO, true },	 { SPEC_ACT_ALLOW, SPEC_ACT_LOG, true },
		{ SPEC_ACT_ALLOW, SPEC_ACT_KILL_PROCESS, true }, { SPEC_ACT_LOG, SPEC_ACT_ALLOW, false },
		{ SPEC_ACT_ERRNO, SPEC_ACT_ALLOW, false },	 { SPEC_ACT_ERRNO, SPEC_ACT_KILL, true },
		{ SPEC_ACT_ERRNO, SPEC_ACT_ERRNO, false },	 { SPEC_ACT_KILL, SPEC_ACT_KILL_PROCESS, true },
		{ SPEC_ACT_KILL, SPEC_ACT_TRAP, false },	 { SPEC_ACT_LOG, SPEC_ACT_TRACE, true },
		{ SPEC_ACT_NOTIFY, SPEC_ACT_LOG, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_arena struct arena a = { 0 };
		struct spec_seccomp_rule rules[] = {
			{ NAMES("getpid"), SPEC_ACT_LOG, { 0 }, NULL, 0 },
			{ NAMES("getppid", "no_such_call"), rows[i].action, { 0 }, NULL, 0 },
		};
		struct spec_seccomp s = { .default_action = rows[i].by_default, .syscalls = rules, .n_syscalls = 2 };

		log_captured[0] = '\0';
		compile(&s, &a);
		CHECK(!rows[i].warns == !*log_captured, "row %zu: '%s'", i, log_captured);
		if (rows[i].warns)
			CHECK(strstr(log_captured, "linux.seccomp.syscalls[1]") &&
				      strstr(log_captured, "'no_such_call'"),
			      "%s", log_captured);
	}
	log_captured[0] = '\0';
}

static void
test_many_unknown_names(void)
{
	auto_arena struct arena a = { 0 };
	char *list[1000];
	struct spec_seccomp_rule rule = { { .items = list, .n = 1000 }, SPEC_ACT_ERRNO, { 0 }, NULL, 0 };
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = &rule, .n_syscalls = 1 };
	unsigned lines = 0;

	for (size_t i = 0; i < 1000; i++)
		list[i] = (char *)"no_such_call";
	log_captured[0] = '\0';
	compile(&s, &a);
	for (const char *p = log_captured; *p; p++)
		lines += *p == '\n';
	CHECK(lines == 17 && strstr(log_captured, "984 more"), "%u lines: %s", lines, log_captured);
	log_captured[0] = '\0';
}

/* As many rules as a config can hold are compiled, or refused, in a time that does not grow with
 * their square. */
static void
test_many_rules(void)
{
	enum { N = 100000 };
	auto_arena struct arena a = { 0 };
	struct spec_seccomp_rule *rules = arena_array(&a, N, sizeof(*rules));
	struct spec_seccomp_arg *args = arena_array(&a, N, sizeof(*args));
	struct spec_strings close_only = NAMES("close");
	clock_t start = clock();

	for (size_t i = 0; i < N; i++) {
		args[i] = (struct spec_seccomp_arg){ 1, i % 500, 0, SPEC_OP_EQ };
		rules[i] = (struct spec_seccomp_rule){ close_only, SPEC_ACT_ERRNO, { 0 }, &args[i], 1 };
	}
	CHECK(!*compile_error(rules, N, &a), "500 different rules, each 200 times");
	for (size_t i = 0; i < N; i++)
		args[i].value = i;
	CHECK(strstr(compile_error(rules, N, &a), "more than the 4096 instructions"), "too many");
	rules[N - 1].n_args = 0;
	CHECK(!*compile_error(rules, N, &a), "one without conditions takes all");
	rules[N - 1].n_args = 1;
	for (size_t i = 0; i < N; i++)
		args[i].value = 0;
	CHECK(!*compile_error(rules, N, &a), "all the same");
	CHECK(clock() - start < 10 * CLOCKS_PER_SEC, "%ld ms", (clock() - start) * 1000 / CLOCKS_PER_SEC);
}

/* Which defaults leave a call that is newer than the profile to its own answer. */
static void
test_unknown_calls(void)
{
	static const struct {
		enum spec_seccomp_action action;
		struct opt_u32 errno_ret;
		uint32_t want;
	} rows[] = {
		{ SPEC_ACT_ERRNO, { false, 0 }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_ERRNO, { true, EPERM }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_ERRNO, { true, ENOSYS }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_KILL, { false, 0 }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_KILL_THREAD, { false, 0 }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_KILL_PROCESS, { false, 0 }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_TRAP, { false, 0 }, SECCOMP_RET_ERRNO | ENOSYS },
		{ SPEC_ACT_TRACE, { false, 0 }, SECCOMP_RET_TRACE | EPERM },
		{ SPEC_ACT_LOG, { false, 0 }, SECCOMP_RET_LOG },
		{ SPEC_ACT_ALLOW, { false, 0 }, SECCOMP_RET_ALLOW },
		{ SPEC_ACT_NOTIFY, { false, 0 }, SECCOMP_RET_USER_NOTIF },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_arena struct arena a = { 0 };
		struct spec_seccomp_rule rules[] = {
			{ NAMES("getpid", "openat2", "no_such_call"), SPEC_ACT_KILL_PROCESS, { 0 }, NULL, 0 },
			{ NAMES("read"), SPEC_ACT_ERRNO, OPT(EDOM), NULL, 0 },
		};
		struct spec_seccomp s = { .default_action = rows[i].action,
					  .default_errno_ret = rows[i].errno_ret,
					  .syscalls = rules,
					  .n_syscalls = 2 };
		struct seccomp_filter f = compile(&s, &a);

		CHECK(ask(&f, NATIVE, SYS_openat2 + 1, 0, 0) == rows[i].want, "row %zu", i);
		CHECK(ask(&f, NATIVE, 100000, 0, 0) == rows[i].want, "row %zu", i);
		CHECK(ask(&f, NATIVE, SYS_openat2, 0, 0) == SECCOMP_RET_KILL_PROCESS, "the highest, row %zu", i);
		CHECK(ask(&f, NATIVE, SYS_read, 0, 0) == (SECCOMP_RET_ERRNO | EDOM), "row %zu", i);
		if (rows[i].action == SPEC_ACT_ERRNO)
			CHECK(ask(&f, NATIVE, SYS_openat2 - 1, 0, 0) ==
				      (SECCOMP_RET_ERRNO | (rows[i].errno_ret.set ? rows[i].errno_ret.v : EPERM)),
			      "row %zu", i);
	}
}

/* The same numbers as libseccomp's for every architecture alone, and for all together. */
static void
test_unknown_calls_archs(void)
{
	const char *const *known = seccomp_known_archs();
	struct spec_strings all = names((char **)known);

	for (size_t i = 0; i <= all.n; i++) {
		auto_arena struct arena a = { 0 };
		struct spec_seccomp_rule rule = { NAMES("getpid", "openat2"), SPEC_ACT_ALLOW, { 0 }, NULL, 0 };
		struct spec_seccomp s = { .default_action = SPEC_ACT_KILL_PROCESS, .syscalls = &rule, .n_syscalls = 1 };
		struct seccomp_filter f;

		s.architectures = i < all.n ? names((char *[]){ all.items[i], NULL }) : all;
		f = compile(&s, &a);
		for (size_t j = 0; j < all.n; j++) {
			uint32_t token = seccomp_arch_token(all.items[j]);
			bool x32 = token == SCMP_ARCH_X32;
			uint32_t audit = x32 ? AUDIT_ARCH_X86_64 : token;
			int last = 0;

			if (j != i && i < all.n && token != seccomp_arch_native())
				continue;
			if (((token ^ seccomp_arch_native()) & __AUDIT_ARCH_LE) && !x32)
				continue; /* accepted, but there are no such calls here */
			for (size_t k = 0; k < rule.names.n; k++) {
				int nr = seccomp_syscall_resolve_name_arch(token, rule.names.items[k]);

				last = nr > last ? nr : last;
			}
			CHECK(ask(&f, audit, last, 0, 0) == SECCOMP_RET_ALLOW, "%s in %zu", all.items[j], i);
			CHECK(ask(&f, audit, last + 1, 0, 0) == (SECCOMP_RET_ERRNO | ENOSYS), "%s in %zu", all.items[j],
			      i);
			CHECK(ask(&f, audit, last - 1, 0, 0) == SECCOMP_RET_KILL_PROCESS, "%s in %zu", all.items[j], i);
			if (strncmp(all.items[j], "SCMP_ARCH_S390", 14) == 0)
				CHECK(ask(&f, audit, 0, 0, 0) == (SECCOMP_RET_ERRNO | ENOSYS), "%s in %zu",
				      all.items[j], i);
		}
	}
}

static void
expect_refused(const struct spec_seccomp *s, const char *text, int line)
{
	struct err e = { 0 };
	int r = seccomp_check(s, &e);

	CHECK(text ? r < 0 && strstr(e.msg, text) : r == 0, "line %d: %d '%s'", line, r, e.msg);
}
#define REFUSED(text, ...) expect_refused(&(struct spec_seccomp){ __VA_ARGS__ }, text, __LINE__)
#define RULE(...)	   .syscalls = &(struct spec_seccomp_rule){ __VA_ARGS__ }, .n_syscalls = 1

static void
test_check(void)
{
	struct spec_seccomp_arg arg = { 0, 1, 0, SPEC_OP_EQ }, far = { 6, 1, 0, SPEC_OP_EQ };

	REFUSED(NULL, .default_action = SPEC_ACT_ALLOW);
	REFUSED("denies execve (linux.seccomp.defaultAction: SCMP_ACT_ERRNO)", .default_action = SPEC_ACT_ERRNO);
	REFUSED("denies execve", .default_action = SPEC_ACT_KILL);
	REFUSED("denies execve (linux.seccomp.syscalls[0]: SCMP_ACT_TRAP)", .default_action = SPEC_ACT_ALLOW,
		RULE(NAMES("read", "execve"), SPEC_ACT_TRAP, { 0 }, NULL, 0));
	REFUSED(NULL, .default_action = SPEC_ACT_ALLOW, RULE(NAMES("execve"), SPEC_ACT_ERRNO, { 0 }, &arg, 1));
	REFUSED(NULL, .default_action = SPEC_ACT_KILL, RULE(NAMES("execve"), SPEC_ACT_ALLOW, { 0 }, &arg, 1));
	REFUSED("syscalls[0].args[0].index", .default_action = SPEC_ACT_ALLOW,
		RULE(NAMES("read"), SPEC_ACT_ERRNO, { 0 }, &far, 1));
	REFUSED("defaultErrnoRet: the action SCMP_ACT_ALLOW takes no errno", .default_action = SPEC_ACT_ALLOW,
		.default_errno_ret = OPT(1));
	REFUSED("syscalls[0].errnoRet: the action SCMP_ACT_KILL takes no errno", .default_action = SPEC_ACT_ALLOW,
		RULE(NAMES("read"), SPEC_ACT_KILL, OPT(1), NULL, 0));
	REFUSED("4096 is above 4095", .default_action = SPEC_ACT_ALLOW,
		RULE(NAMES("read"), SPEC_ACT_ERRNO, OPT(4096), NULL, 0));
	REFUSED("listenerPath", .default_action = SPEC_ACT_ALLOW, RULE(NAMES("read"), SPEC_ACT_NOTIFY, { 0 }, NULL, 0));
	REFUSED(NULL, .default_action = SPEC_ACT_NOTIFY, .listener_path = (char *)"/s");
	REFUSED("architectures[1]", .default_action = SPEC_ACT_ALLOW,
		.architectures = NAMES("SCMP_ARCH_X86", "SCMP_ARCH_VAX"));
	REFUSED("flags[0]", .default_action = SPEC_ACT_ALLOW, .flags = NAMES("SECCOMP_FILTER_FLAG_X"));
	REFUSED(NULL, .default_action = SPEC_ACT_ALLOW,
		.flags = NAMES("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
			       "SECCOMP_FILTER_FLAG_SPEC_ALLOW"));
}

/* Loads s in a child, which then makes one call; returns its wait status. */
static int
in_child(const struct spec_seccomp *s, int want_errno)
{
	auto_arena struct arena a = { 0 };
	struct seccomp_filter f = compile(s, &a);
	struct sock_fprog prog = { (unsigned short)(f.len / 8), (struct sock_filter *)(uintptr_t)f.program };
	uint32_t flags = f.flags | (f.notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		long r;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(99);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) < 0)
			_exit(errno);
		r = syscall(SYS_getppid);
		_exit(want_errno ? r == -1 && errno == want_errno ? 0 : 98 : r > 0 ? 0 : 97);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void
test_kernel(void)
{
	struct spec_seccomp_rule rule = { NAMES("getppid"), SPEC_ACT_ERRNO, OPT(EDOM), NULL, 0 };
	struct spec_seccomp s = { .default_action = SPEC_ACT_ALLOW, .syscalls = &rule, .n_syscalls = 1 };
	int status = in_child(&s, EDOM);

	CHECK(status == 0, "ERRNO: %#x", (unsigned)status);
	s.flags = NAMES("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	status = in_child(&s, EDOM);
	CHECK(status == 0, "all flags: %#x", (unsigned)status);
	rule.names = NAMES("getpgid");
	rule.errno_ret.set = false;
	rule.action = SPEC_ACT_NOTIFY;
	status = in_child(&s, 0);
	CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EBUSY), "NOTIFY: %#x",
	      (unsigned)status);
	s.flags = (struct spec_strings){ 0 };
	rule.names = NAMES("getppid");
	rule.action = SPEC_ACT_LOG;
	status = in_child(&s, 0);
	CHECK(status == 0, "LOG: %#x", (unsigned)status);
	rule.action = SPEC_ACT_TRACE;
	status = in_child(&s, ENOSYS);
	CHECK(status == 0, "TRACE: %#x", (unsigned)status);
	rule.action = SPEC_ACT_TRAP;
	status = in_child(&s, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "TRAP: %#x", (unsigned)status);
	rule.action = SPEC_ACT_KILL;
	status = in_child(&s, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "KILL: %#x", (unsigned)status);
	rule.action = SPEC_ACT_KILL_PROCESS;
	status = in_child(&s, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "KILL_PROCESS: %#x", (unsigned)status);
}

int
main(void)
{
	test_actions();
	test_operators();
	test_args();
	test_archs();
	test_precedence();
	test_contradictions();
	test_better();
	test_newer_calls();
	test_unknown_names();
	test_many_unknown_names();
	test_many_rules();
	test_unknown_calls();
	test_unknown_calls_archs();
	test_check();
	test_kernel();
	return failed;
}
