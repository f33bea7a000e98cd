/* The compiled device rules against a plain model: random rules, random
 * accesses, and an interpreter for the instructions that the compiler emits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cgroups/devices.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

/* ---- interpreter ------------------------------------------------------- */

static int
run_program(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t reg[11] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t *dst = &reg[i->dst_reg], imm = (uint64_t)(int64_t)i->imm;
		uint32_t word;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			if (i->src_reg != BPF_REG_1 || i->off < 0 || (size_t)i->off + 4 > sizeof(*ctx))
				return -1;
			memcpy(&word, (const char *)ctx + i->off, sizeof(word));
			*dst = word;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			*dst = reg[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			*dst = imm;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			*dst >>= imm;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			*dst &= imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += *dst != imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JLE | BPF_K:
			pc += *dst <= imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += *dst > imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += *dst & imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)reg[0];
		default:
			return -1;
		}
	}
	return -1; /* ran off the end */
}

/* Every instruction but the first must be the target of a way, for the verifier refuses
 * others, and of one only, so that it goes there once; but for the 1 of an answer, which is
 * also what follows when no bit is left. All jumps go forward, so one pass is enough. */
static bool
one_way_to_each(const struct bpf_insn *insns, size_t n)
{
	unsigned *ways = calloc(n + 1, sizeof(*ways));
	bool ok = true;

	ways[0] = 1;
	for (size_t pc = 0; pc < n && ok; pc++) {
		unsigned code = insns[pc].code;
		size_t target = pc + 1 + (size_t)insns[pc].off;
		bool is_answer = pc >= 2 && insns[pc - 2].code == (BPF_JMP | BPF_JSET | BPF_K);

		ok = ways[pc] == 1 || (is_answer && ways[pc] == 2);
		if ((code & 7) == BPF_JMP && code != (BPF_JMP | BPF_EXIT)) {
			ok = ok && insns[pc].off >= 0 && target < n;
			ways[target < n ? target : n]++;
		}
		if (code != (BPF_JMP | BPF_EXIT))
			ways[pc + 1]++;
	}
	ok = ok && !ways[n];
	free(ways);
	return ok;
}

/* The program of the rules; aborts when there is none. */
static struct bpf_insn *
compile(const struct device_rule *rules, size_t n, struct arena *a, size_t *ret_n)
{
	struct bpf_insn *insns = NULL;

	if (device_bpf_compile(rules, n, a, &insns, ret_n) < 0)
		abort();
	return insns;
}

/* ---- model ------------------------------------------------------------- */

static int
model_allows(const struct device_rule *rules, size_t n, char type, int64_t major, int64_t minor, unsigned access)
{
	for (unsigned bit = 1; bit <= 4; bit <<= 1) {
		bool allowed = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < n; i++)
			if ((rules[i].type == 'a' || rules[i].type == type) &&
			    (rules[i].major == DEVICE_ANY || rules[i].major == major) &&
			    (rules[i].minor == DEVICE_ANY || rules[i].minor == minor) && (rules[i].access & bit))
				allowed = rules[i].allow;
		if (!allowed)
			return 0;
	}
	return 1;
}

/* ---- tests ------------------------------------------------------------- */

static uint64_t seed = 88172645463325252ULL;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static int64_t
random_number(void)
{
	static const int64_t numbers[] = { DEVICE_ANY, DEVICE_ANY, DEVICE_ANY, 0, 1, 0, 1, 1048575, 4294967296LL, -7 };

	return numbers[random_below(sizeof(numbers) / sizeof(numbers[0]))];
}

#define MAX_RULES 12

static void
test_random(void)
{
	unsigned long n_allowed = 0, n_denied = 0;

	for (unsigned round = 0; round < 20000; round++) {
		auto_arena struct arena a = { 0 };
		struct device_rule rules[MAX_RULES];
		size_t n = random_below(MAX_RULES + 1), len;
		const struct bpf_insn *insns;
		bool all;

		for (size_t i = 0; i < n; i++)
			rules[i] = (struct device_rule){ random_below(2), "acb"[random_below(3)], random_number(),
							 random_number(), random_below(8) };
		insns = compile(rules, n, &a, &len);
		all = device_bpf_allows_all(rules, n);
		CHECK(one_way_to_each(insns, len));
		for (unsigned i = 0; i < 8; i++) {
			static const uint32_t numbers[] = { 0, 1, 0, 1, 2, 1048575 };
			bool block = random_below(2);
			unsigned access = 1 + random_below(7);
			struct bpf_cgroup_dev_ctx ctx = { access << 16 | (block ? 1u : 2u), numbers[random_below(6)],
							  numbers[random_below(6)] };
			int want = model_allows(rules, n, block ? 'b' : 'c', ctx.major, ctx.minor, access);
			int got = run_program(insns, len, &ctx);

			if (got != want || (all && !want)) {
				printf("%s:%d: round %u: %c %u:%u access %u: got %d, want %d\n", __FILE__, __LINE__,
				       round, block ? 'b' : 'c', ctx.major, ctx.minor, access, got, want);
				failed = 1;
				return;
			}
			n_allowed += want == 1;
			n_denied += want == 0;
		}
	}
	CHECK(n_allowed > 10000 && n_denied > 10000);
}

/* Lists as of the nodes of a machine: many rules of few kinds, minors beside each other. */
static void
test_ranges(void)
{
	enum { N = 40 };
	struct device_rule rules[64];

	for (unsigned round = 0; round < 20000; round++) {
		auto_arena struct arena a = { 0 };
		const struct bpf_insn *insns;
		size_t len;
		unsigned accesses = 1 + random_below(7), deny_one_in = 1 + random_below(20);

		for (size_t i = 0; i < N; i++)
			rules[i] = (struct device_rule){ random_below(deny_one_in) != 0, "cccb"[random_below(4)],
							 random_below(5) ? 4 : 7,
							 random_below(12) ? (int64_t)random_below(9) : DEVICE_ANY,
							 random_below(6) ? accesses : random_below(8) };
		insns = compile(rules, N, &a, &len);
		CHECK(one_way_to_each(insns, len));
		for (unsigned i = 0; i < 10; i++) {
			bool block = random_below(3) == 0;
			unsigned access = 1 + random_below(7);
			struct bpf_cgroup_dev_ctx ctx = { access << 16 | (block ? 1u : 2u), random_below(5) ? 4 : 7,
							  i };

			if (run_program(insns, len, &ctx) !=
			    model_allows(rules, N, block ? 'b' : 'c', ctx.major, ctx.minor, access)) {
				CHECK(!"a range differs from its rules");
				return;
			}
		}
	}
}

static void
test_consoles(void)
{
	auto_arena struct arena a = { 0 };
	struct device_rule rules[64];
	const struct bpf_insn *insns;
	size_t len, more;

	/* 64 consoles, upwards and downwards, are one range; a hole makes two. */
	for (int down = 0; down < 2; down++) {
		for (int i = 0; i < 64; i++)
			rules[i] = (struct device_rule){ true, 'c', 4, down ? 63 - i : i, 6 };
		compile(rules, 64, &a, &len);
		CHECK(len == 18, "%zu", len);
		rules[20].minor = 100;
		compile(rules, 64, &a, &more);
		CHECK(more > len);
	}
	/* Numbers that no device has are in no range. */
	rules[0] = (struct device_rule){ true, 'c', 4, DEVICE_ANY - 1, 6 };
	rules[1] = (struct device_rule){ true, 'c', 4, (int64_t)INT32_MAX + 1, 6 };
	rules[2] = (struct device_rule){ true, 'c', 4, INT32_MAX, 6 };
	rules[3] = rules[1];
	insns = compile(rules, 4, &a, &len);
	CHECK(one_way_to_each(insns, len));
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t minors[] = { INT32_MAX, 5, 0x80000005u };
		struct bpf_cgroup_dev_ctx ctx = { 6u << 16 | 2u, 4, minors[i] };

		CHECK(run_program(insns, len, &ctx) == (i == 0), "minor %u", minors[i]);
	}
}

/* ---- many rules --------------------------------------------------------- */

/* Rules for devices that lie apart, some of them for all of a major or of all majors. */
static void
fill_many(struct device_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rules[i] = (struct device_rule){ random_below(3) != 0, "cccb"[random_below(4)],
						 random_below(400) ? (int64_t)random_below(60) * 3 : DEVICE_ANY,
						 random_below(400) ? (int64_t)random_below(600) * 2 : DEVICE_ANY,
						 1 + random_below(7) };
}

static void
test_many(void)
{
	static struct device_rule rules[5000];
	static const size_t counts[] = { 100, 800, 1600, 5000 };

	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		auto_arena struct arena a = { 0 };
		const struct bpf_insn *insns;
		unsigned n_allowed = 0;
		size_t len;

		fill_many(rules, counts[k]);
		insns = compile(rules, counts[k], &a, &len);
		CHECK(one_way_to_each(insns, len));
		for (unsigned i = 0; i < 4000; i++) {
			/* Half of them are about a rule's own numbers, or beside them. */
			const struct device_rule *r = &rules[random_below((unsigned)counts[k])];
			bool block = random_below(4) == 0, near = random_below(2);
			unsigned access = 1 + random_below(7);
			struct bpf_cgroup_dev_ctx ctx = {
				access << 16 | (block ? 1u : 2u),
				near && r->major >= 0 ? (uint32_t)r->major : random_below(200),
				near && r->minor >= 0 ? (uint32_t)r->minor + random_below(2) : random_below(1300)
			};
			int want = model_allows(rules, counts[k], block ? 'b' : 'c', ctx.major, ctx.minor, access);

			n_allowed += want == 1;
			if (run_program(insns, len, &ctx) != want) {
				CHECK(!"a program of many rules differs from them", "%zu rules, %u:%u", counts[k],
				      ctx.major, ctx.minor);
				return;
			}
		}
		CHECK(n_allowed > 100 && n_allowed < 3900, "%u", n_allowed);
	}
}

/* A rule for a device apart costs two comparisons and an answer. */
static void
test_size(void)
{
	static struct device_rule rules[20000];
	struct bpf_insn *insns;
	size_t len = 0, n;
	int r = 0;

	rules[0] = (struct device_rule){ false, 'a', DEVICE_ANY, DEVICE_ANY, DEVICE_ACCESS_ALL };
	for (int i = 1; i < 20000; i++)
		rules[i] = (struct device_rule){ true, "cb"[i % 2], 200 + i % 5, 3 * i, 6 };
	for (n = 500; n <= 8000; n *= 2) {
		auto_arena struct arena a = { 0 };

		r = device_bpf_compile(rules, n, &a, &insns, &len);
		CHECK(r == 0 && len <= 6 * n + 100, "%zu rules: %d, %zu instructions", n, r, len);
	}
	/* All for the minors of one major: the program cannot be larger than its jumps reach. */
	for (int i = 1; i < 20000; i++)
		rules[i].major = 200, rules[i].type = 'c';
	for (n = 5000; n <= 20000; n += 15000) {
		auto_arena struct arena a = { 0 };

		r = device_bpf_compile(rules, n, &a, &insns, &len);
		CHECK(r == (n == 5000 ? 0 : -E2BIG), "%zu rules: %d", n, r);
	}
	/* What would be the product of the two is refused before it takes memory. */
	for (int i = 1; i < 20000; i++)
		rules[i] = (struct device_rule){ true, 'c', i % 2 ? 2 * i : DEVICE_ANY, i % 2 ? DEVICE_ANY : 3 * i, 6 };
	auto_arena struct arena a = { 0 };
	CHECK(device_bpf_compile(rules, 20000, &a, &insns, &len) == -E2BIG);
}

/* ---- configs ------------------------------------------------------------ */

static int
allows(const struct spec *s, char type, uint32_t major, uint32_t minor, unsigned access)
{
	auto_arena struct arena a = { 0 };
	struct device_rule *rules = NULL;
	size_t n = cgroup_devices_rules(s, &a, &rules), len;
	const struct bpf_insn *insns = compile(rules, n, &a, &len);
	struct bpf_cgroup_dev_ctx ctx = { access << 16 | (type == 'b' ? 1u : 2u), major, minor };

	return run_program(insns, len, &ctx);
}

/* After "deny everything" only those nodes can be made that a rule, or linux.devices,
 * names. s has two rules. */
static void
test_making_nodes(struct spec *s)
{
	struct spec_device_rule *rule = s->linux_.resources->devices + 1, saved = *rule;

	CHECK(allows(s, 'b', 8, 0, BPF_DEVCG_ACC_MKNOD) == 0);
	CHECK(allows(s, 'c', 10, 200, BPF_DEVCG_ACC_MKNOD) == 1); /* one of linux.devices */
	CHECK(allows(s, 'c', 1, 3, BPF_DEVCG_ACC_MKNOD) == 1);
	/* Docker's rule. */
	*rule = (struct spec_device_rule){ .allow = true, .type = 'c', .mknod = true };
	CHECK(allows(s, 'c', 240, 7, BPF_DEVCG_ACC_MKNOD) == 1);
	CHECK(allows(s, 'c', 240, 7, BPF_DEVCG_ACC_READ) == 0);
	CHECK(allows(s, 'b', 8, 0, BPF_DEVCG_ACC_MKNOD) == 0);
	*rule = saved;
}

/* What `runc spec` and Docker write: deny all, then a few. */
static void
test_config(void)
{
	struct spec_device_rule list[] = {
		{ .allow = false, .type = 'a', .read = true, .write = true, .mknod = true },
		{ .allow = true, .type = 'c', .major = { true, 10 }, .minor = { true, 229 }, .read = true },
	};
	struct spec_device devices[] = { { .type = 'u', .major = 10, .minor = 200 }, { .type = 'p' } };
	struct spec_resources res = { .devices = list, .n_devices = 2 };
	struct spec s = { .linux_ = { .resources = &res, .devices = devices, .n_devices = 2 } };

	CHECK(allows(&s, 'c', 1, 3, 6) == 1);
	CHECK(allows(&s, 'c', 136, 77, 6) == 1);
	CHECK(allows(&s, 'b', 8, 0, BPF_DEVCG_ACC_READ) == 0);
	CHECK(allows(&s, 'c', 10, 229, BPF_DEVCG_ACC_READ) == 1);
	CHECK(allows(&s, 'c', 10, 229, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE) == 0);
	CHECK(allows(&s, 'c', 10, 200, 2) == 0); /* linux.devices allows nothing */
	CHECK(allows(&s, 'c', 1, 1, BPF_DEVCG_ACC_READ) == 0);
	test_making_nodes(&s);
	list[0].read = list[0].write = list[0].mknod = false; /* no access given: all */
	CHECK(allows(&s, 'c', 1, 1, BPF_DEVCG_ACC_READ) == 0);
}

/* Without rules: every node can be made, the default devices alone be used. */
static void
test_default(void)
{
	struct spec_device devices[] = { { .type = 'u', .major = 10, .minor = 200 } };
	struct spec_resources res = { .devices = NULL };
	struct spec s = { .linux_ = { .devices = devices, .n_devices = 1 } };

	for (int i = 0; i < 2; i++, s.linux_.resources = &res) {
		CHECK(cgroup_devices_are_default(&s));
		CHECK(allows(&s, 'c', 1, 3, 7) == 1);
		CHECK(allows(&s, 'c', 136, 77, 6) == 1);
		CHECK(allows(&s, 'b', 8, 0, BPF_DEVCG_ACC_MKNOD) == 1);
		CHECK(allows(&s, 'c', 1, 1, BPF_DEVCG_ACC_MKNOD) == 1);
		CHECK(allows(&s, 'b', 8, 0, BPF_DEVCG_ACC_READ) == 0);
		CHECK(allows(&s, 'c', 1, 1, BPF_DEVCG_ACC_READ) == 0);
		CHECK(allows(&s, 'c', 5, 1, BPF_DEVCG_ACC_READ) == 0);
		CHECK(allows(&s, 'c', 10, 200, BPF_DEVCG_ACC_READ) == 0); /* linux.devices allows nothing */
	}
}

static void
test_allows_all(void)
{
	struct device_rule rules[] = { { true, 'a', -1, -1, 7 }, { true, 'c', 1, 3, 7 } };

	CHECK(device_bpf_allows_all(rules, 2));
	rules[1].allow = false;
	CHECK(!device_bpf_allows_all(rules, 2));
	rules[0].access = 6;
	rules[1].allow = true;
	CHECK(!device_bpf_allows_all(rules, 2));
	CHECK(!device_bpf_allows_all(rules, 0));
}

int
main(void)
{
	test_random();
	test_ranges();
	test_consoles();
	test_many();
	test_size();
	test_config();
	test_default();
	test_allows_all();
	return failed;
}
