/* Theory of operation: the kernel runs the program at each mknod(2) and open(2) of a
 * device node with {type and access, major, minor} and takes 1 for yes.
 *
 * The verifier goes every way through a program. Rule after rule, as "the last rule wins"
 * is easiest written, that grows with the square of their number: it took 1.3 s for 800
 * rules and refused 1,600. So the rules are made a table first (device_table.h), and the
 * program looks into it as into a sorted list, by halves: each instruction is on one way
 * only, which is verified once, and no device takes more than a few comparisons.
 *
 *	r0 answer   r1 context   r2 type   r3 access asked for   r4 major   r5 minor
 */
#include "cgroups/device_bpf.h"

#include <errno.h>
#include <stddef.h>

#include "cgroups/device_table.h"

struct emitter {
	struct arena *arena;
	struct bpf_insn *insns;
	size_t n, cap;
};

static void
emit(struct emitter *emitter, unsigned code, unsigned dst, unsigned src, int off, int imm)
{
	if (emitter->n == emitter->cap) {
		size_t cap = emitter->cap ? 2 * emitter->cap : 128;

		emitter->insns = arena_grow(emitter->arena, emitter->insns, emitter->n * sizeof(*emitter->insns),
					    cap * sizeof(*emitter->insns));
		emitter->cap = cap;
	}
	emitter->insns[emitter->n++] = (struct bpf_insn){
		.code = (__u8)code,
		.dst_reg = dst & 15u,
		.src_reg = src & 15u,
		.off = (__s16)off,
		.imm = imm,
	};
}

static void
emit_head(struct emitter *emitter)
{
	const unsigned load = BPF_LDX | BPF_MEM | BPF_W;

	emit(emitter, load, BPF_REG_2, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(emitter, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	emit(emitter, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	emit(emitter, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	emit(emitter, load, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(emitter, load, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit(emitter, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
}

/* Lets the jump at `jump` go to what is emitted next. */
static int
end_jump(struct emitter *emitter, size_t jump)
{
	size_t skipped = emitter->n - jump - 1;

	if (skipped > INT16_MAX)
		return -E2BIG;
	emitter->insns[jump].off = (__s16)skipped;
	return 0;
}

static void
emit_answer(struct emitter *emitter, unsigned allowed)
{
	if (allowed && allowed != DEVICE_ACCESS_ALL)
		emit(emitter, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_3, 0, 1, (int)(DEVICE_ACCESS_ALL & ~allowed));
	if (allowed)
		emit(emitter, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1);
	emit(emitter, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The operand is signed, and a first number may be INT32_MAX + 1: the one before it is
 * compared. */
static int
emit_minors(struct emitter *emitter, const struct device_minors *minors, size_t n)
{
	size_t half = n / 2, jump = emitter->n;
	int r;

	if (n == 1) {
		emit_answer(emitter, minors->access);
		return 0;
	}
	emit(emitter, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_5, 0, 0, (int)(minors[half].first - 1));
	r = emit_minors(emitter, minors, half);
	if (r == 0)
		r = end_jump(emitter, jump);
	return r < 0 ? r : emit_minors(emitter, minors + half, n - half);
}

static size_t
count_minors(const struct device_majors *majors, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += majors[i].n;
	return sum;
}

/* A jump has 16 bits: the smaller half is the one that is skipped. */
static int
emit_majors(struct emitter *emitter, const struct device_majors *majors, size_t n)
{
	size_t half = n / 2, jump = emitter->n;
	const struct device_majors *low = majors, *high = majors + half;
	bool low_first;
	int r;

	if (n == 1)
		return emit_minors(emitter, majors->minors, majors->n);
	low_first = count_minors(low, half) <= count_minors(high, n - half);
	emit(emitter, BPF_JMP | (low_first ? BPF_JGT : BPF_JLE) | BPF_K, BPF_REG_4, 0, 0, (int)(high->first - 1));
	r = low_first ? emit_majors(emitter, low, half) : emit_majors(emitter, high, n - half);
	if (r == 0)
		r = end_jump(emitter, jump);
	if (r < 0)
		return r;
	return low_first ? emit_majors(emitter, high, n - half) : emit_majors(emitter, low, half);
}

static int
emit_types(struct emitter *emitter, const struct device_table *blocks, const struct device_table *chars)
{
	bool blocks_first = count_minors(blocks->majors, blocks->n) <= count_minors(chars->majors, chars->n);
	const struct device_table *first = blocks_first ? blocks : chars, *second = blocks_first ? chars : blocks;
	size_t jump = emitter->n;
	int r;

	if (device_table_equal(blocks, chars))
		return emit_majors(emitter, blocks->majors, blocks->n);
	emit(emitter, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 0,
	     blocks_first ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	r = emit_majors(emitter, first->majors, first->n);
	if (r == 0)
		r = end_jump(emitter, jump);
	return r < 0 ? r : emit_majors(emitter, second->majors, second->n);
}

int
device_bpf_compile(const struct device_rule *rules, size_t n, struct arena *a, struct bpf_insn **ret_insns,
		   size_t *ret_n)
{
	struct emitter e = { .arena = a };
	struct device_table blocks, chars;
	int r = device_table_make(rules, n, 'b', a, &blocks);

	if (r == 0)
		r = device_table_make(rules, n, 'c', a, &chars);
	if (r < 0)
		return r;
	emit_head(&e);
	r = emit_types(&e, &blocks, &chars);
	if (r < 0)
		return r;
	*ret_insns = e.insns;
	*ret_n = e.n;
	return 0;
}

static bool
matches_all_devices(const struct device_rule *rule)
{
	return rule->type == 'a' && rule->major == DEVICE_ANY && rule->minor == DEVICE_ANY;
}

bool
device_bpf_allows_all(const struct device_rule *rules, size_t n)
{
	while (n-- > 0) {
		if (!rules[n].allow && !device_rule_matches_nothing(&rules[n]))
			return false;
		if (rules[n].allow && matches_all_devices(&rules[n]) && rules[n].access == DEVICE_ACCESS_ALL)
			return true;
	}
	return false;
}
