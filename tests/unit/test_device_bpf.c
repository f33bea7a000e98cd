/* The compiled device rules against a plain model: random rules, random
 * accesses, and an interpreter for the instructions that the compiler emits. */
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
		case BPF_JMP | BPF_JLT | BPF_K:
			pc += *dst < imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += *dst > imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += *dst & imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			pc += (size_t)i->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)reg[0];
		default:
			return -1;
		}
	}
	return -1; /* ran off the end */
}

/* Every instruction but the first must be the target of a way: the verifier
 * refuses others. All jumps go forward, so one pass is enough. */
static bool
all_reachable(const struct bpf_insn *insns, size_t n)
{
	bool *seen = calloc(n + 1, sizeof(*seen));
	bool ok = true;

	seen[0] = true;
	for (size_t pc = 0; pc < n && ok; pc++) {
		unsigned code = insns[pc].code;
		size_t target = pc + 1 + (size_t)insns[pc].off;

		ok = seen[pc];
		if ((code & 7) == BPF_JMP && code != (BPF_JMP | BPF_EXIT)) {
			ok = ok && insns[pc].off >= 0 && target < n;
			seen[target < n ? target : n] = true;
		}
		if (code != (BPF_JMP | BPF_EXIT) && code != (BPF_JMP | BPF_JA))
			seen[pc + 1] = true;
	}
	ok = ok && !seen[n];
	free(seen);
	return ok;
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
	struct bpf_insn insns[DEVICE_BPF_ROOM(MAX_RULES)];
	unsigned long n_allowed = 0, n_denied = 0;

	for (unsigned round = 0; round < 20000; round++) {
		struct device_rule rules[MAX_RULES];
		size_t n = random_below(MAX_RULES + 1), len;
		bool all;

		for (size_t i = 0; i < n; i++)
			rules[i] = (struct device_rule){ random_below(2), "acb"[random_below(3)], random_number(),
							 random_number(), random_below(8) };
		len = device_bpf_compile(rules, n, insns);
		all = device_bpf_allows_all(rules, n);
		CHECK(len <= DEVICE_BPF_ROOM(n) && all_reachable(insns, len));
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
	struct bpf_insn insns[DEVICE_BPF_ROOM(64)];
	struct device_rule rules[64];
	size_t len;

	for (unsigned round = 0; round < 20000; round++) {
		unsigned accesses = 1 + random_below(7), deny_one_in = 1 + random_below(20);

		for (size_t i = 0; i < N; i++)
			rules[i] = (struct device_rule){ random_below(deny_one_in) != 0, "cccb"[random_below(4)],
							 random_below(5) ? 4 : 7,
							 random_below(12) ? (int64_t)random_below(9) : DEVICE_ANY,
							 random_below(6) ? accesses : random_below(8) };
		len = device_bpf_compile(rules, N, insns);
		CHECK(len <= DEVICE_BPF_ROOM(N) && all_reachable(insns, len));
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
	/* 64 consoles, upwards and downwards, are one range; a hole makes two. */
	for (int down = 0; down < 2; down++) {
		for (int i = 0; i < 64; i++)
			rules[i] = (struct device_rule){ true, 'c', 4, down ? 63 - i : i, 6 };
		len = device_bpf_compile(rules, 64, insns);
		CHECK(len == 16, "%zu", len);
		rules[20].minor = 100;
		CHECK(device_bpf_compile(rules, 64, insns) > len);
	}
	/* Numbers that no device has are in no range. */
	rules[0] = (struct device_rule){ true, 'c', 4, DEVICE_ANY - 1, 6 };
	rules[1] = (struct device_rule){ true, 'c', 4, (int64_t)INT32_MAX + 1, 6 };
	rules[2] = (struct device_rule){ true, 'c', 4, INT32_MAX, 6 };
	rules[3] = rules[1];
	len = device_bpf_compile(rules, 4, insns);
	CHECK(all_reachable(insns, len));
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t minors[] = { INT32_MAX, 5, 0x80000005u };
		struct bpf_cgroup_dev_ctx ctx = { 6u << 16 | 2u, 4, minors[i] };

		CHECK(run_program(insns, len, &ctx) == (i == 0), "minor %u", minors[i]);
	}
}

static int
allows(const struct spec *s, char type, uint32_t major, uint32_t minor, unsigned access)
{
	auto_arena struct arena a = { 0 };
	struct device_rule *rules = NULL;
	size_t n = devices_rules(s, &a, &rules), len;
	struct bpf_insn *insns = arena_array(&a, DEVICE_BPF_ROOM(n), sizeof(*insns));
	struct bpf_cgroup_dev_ctx ctx = { access << 16 | (type == 'b' ? 1u : 2u), major, minor };

	len = device_bpf_compile(rules, n, insns);
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
	struct device_rule *rules;
	auto_arena struct arena a = { 0 };

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
	res.n_devices = 0;
	CHECK(devices_rules(&s, &a, &rules) == 0);
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
	test_config();
	test_allows_all();
	return failed;
}
