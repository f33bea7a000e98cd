/* libseccomp's program compares the number of the system call with each name of
 * the profile. Neighbouring numbers mostly end in the same action, so ranges do
 * with a third of the instructions. Loading the program costs the kernel time per
 * instruction (it converts, compiles, and tries every call number on it), in each
 * run and exec.
 *
 * How: the program is a decision over (architecture, number, arguments), and all
 * that it asks of the first two are comparisons with constants. So for each
 * architecture the outcome is the same for all numbers between two neighbouring
 * constants. An outcome is found by walking the program with both known: either
 * it returns, or it comes to a load of an argument, and what follows is a
 * *rest*: a piece of the program that no longer depends on the number. Equal
 * neighbours become one range, the ranges a binary search, the rests are copied.
 *
 * Whatever is not of this shape is left alone, and the result is tried against
 * the original (bpf_run.h) before anybody loads it. */
#include "libcontainer/seccomp_shrink.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "libcontainer/bpf_run.h"

#define MAX_ARCHES 32
#define MAX_CHAIN  11  /* ranges that are told apart one after the other */
#define MAX_JUMP   255 /* a conditional jump holds eight bits */

#define AT_NR	offsetof(struct seccomp_data, nr)
#define AT_ARCH offsetof(struct seccomp_data, arch)

/* Where a walk ended. */
struct outcome {
	bool is_return;
	uint32_t value; /* of the return; else index of the load that begins the rest */
};

struct range {
	uint32_t first;
	struct outcome outcome;
};

struct shrink {
	const struct sock_filter *in;
	size_t n;
	struct arena *arena;
	uint32_t arches[MAX_ARCHES];
	size_t n_arches;
	uint32_t *bounds; /* sorted: a number is only ever told from another at these */
	size_t n_bounds;
	/* The result grows from its end to its start, since jumps only go forward:
	 * out[0] is the last instruction. An index into it is a label. */
	struct sock_filter *out;
	size_t n_out, cap_out;
	size_t *labels; /* of each copied instruction of the input: label + 1, 0: not copied */
	bool failed;
};

/* ---- reading the program --------------------------------------------- */

static bool
loads(const struct sock_filter *insn, size_t offset)
{
	return insn->code == (BPF_LD | BPF_W | BPF_ABS) && insn->k == offset;
}

/* Walks from pc with a known call until an argument matters. False: the program
 * does something else. */
static bool
walk(const struct shrink *s, size_t pc, uint32_t arch, uint32_t nr, struct outcome *ret)
{
	uint32_t a = 0;

	for (; pc < s->n; pc++) {
		const struct sock_filter *insn = &s->in[pc];

		if (loads(insn, AT_NR)) {
			a = nr;
		} else if (loads(insn, AT_ARCH)) {
			a = arch;
		} else if (insn->code == (BPF_LD | BPF_W | BPF_ABS)) {
			*ret = (struct outcome){ false, (uint32_t)pc };
			return true;
		} else if (insn->code == (BPF_RET | BPF_K)) {
			*ret = (struct outcome){ true, insn->k };
			return true;
		} else if (BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) != BPF_JSET) {
			pc += bpf_jump(insn, a);
		} else {
			return false;
		}
	}
	return false;
}

static int
compare_numbers(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* Every constant of a comparison, and the number after it. */
static void
collect_bounds(struct shrink *s)
{
	size_t n = 0, unique = 0;

	s->bounds = arena_array(s->arena, 2 * s->n + 1, sizeof(*s->bounds));
	s->bounds[n++] = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (BPF_CLASS(s->in[i].code) != BPF_JMP || BPF_OP(s->in[i].code) == BPF_JA)
			continue;
		s->bounds[n++] = s->in[i].k;
		if (s->in[i].k != UINT32_MAX)
			s->bounds[n++] = s->in[i].k + 1;
	}
	qsort(s->bounds, n, sizeof(*s->bounds), compare_numbers);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || s->bounds[i] != s->bounds[unique - 1])
			s->bounds[unique++] = s->bounds[i];
	s->n_bounds = unique;
}

/* The program begins with the architecture: `ld arch` and a chain of jeq. Each
 * test that fails leads to the next test, or out of the chain. */
static bool
collect_arches(struct shrink *s)
{
	size_t pc = 1;

	if (!loads(&s->in[0], AT_ARCH))
		return false;
	for (; pc < s->n; pc++) {
		const struct sock_filter *insn = &s->in[pc];

		if (insn->code == (BPF_JMP | BPF_JA)) {
			pc += insn->k;
		} else if (insn->code == (BPF_JMP | BPF_JEQ | BPF_K)) {
			if (s->n_arches == MAX_ARCHES)
				return false;
			s->arches[s->n_arches++] = insn->k;
			pc += insn->jf;
		} else {
			break;
		}
	}
	return s->n_arches > 0 && pc < s->n && s->in[pc].code == (BPF_RET | BPF_K);
}

/* ---- writing, from the end to the start ------------------------------ */

static size_t
emit(struct shrink *s, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (s->n_out == s->cap_out) {
		size_t cap = s->cap_out ? 2 * s->cap_out : 256;

		s->out = arena_grow(s->arena, s->out, s->cap_out * sizeof(*s->out), cap * sizeof(*s->out));
		s->cap_out = cap;
	}
	s->out[s->n_out] = (struct sock_filter){ code, jt, jf, k };
	return s->n_out++;
}

/* A label within reach of a conditional jump that is emitted next, or after one
 * more instruction: the label itself, or an unconditional jump to it. */
static size_t
within_reach(struct shrink *s, size_t label)
{
	if (s->n_out + 1 - label <= MAX_JUMP)
		return label;
	return emit(s, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(s->n_out - label - 1));
}

static size_t
emit_branch(struct shrink *s, uint16_t code, uint32_t k, size_t yes, size_t no)
{
	yes = within_reach(s, yes);
	no = within_reach(s, no);
	return emit(s, code, (uint8_t)(s->n_out - yes - 1), (uint8_t)(s->n_out - no - 1), k);
}

/* One return for each value is enough, as long as a jump reaches it. */
static size_t
emit_return(struct shrink *s, uint32_t value)
{
	size_t oldest = s->n_out > MAX_JUMP ? s->n_out - MAX_JUMP : 0;

	for (size_t i = s->n_out; i-- > oldest;)
		if (s->out[i].code == (BPF_RET | BPF_K) && s->out[i].k == value)
			return i;
	return emit(s, BPF_RET | BPF_K, 0, 0, value);
}

/* Copies the rest of the program from pc on; gives the label of its start. A rest
 * that asks for the number or the architecture again is not of our shape. */
static size_t
emit_rest(struct shrink *s, size_t pc)
{
	const struct sock_filter *insn = &s->in[pc];
	size_t label;

	if (pc >= s->n || loads(insn, AT_NR) || loads(insn, AT_ARCH)) {
		s->failed = true;
		return 0;
	}
	if (insn->code == (BPF_RET | BPF_K))
		return emit_return(s, insn->k);
	if (insn->code == (BPF_JMP | BPF_JA))
		return emit_rest(s, pc + 1 + insn->k);
	if (s->labels[pc])
		return s->labels[pc] - 1;
	if (BPF_CLASS(insn->code) == BPF_JMP) {
		size_t yes = emit_rest(s, pc + 1 + insn->jt), no = emit_rest(s, pc + 1 + insn->jf);

		label = s->failed ? 0 : emit_branch(s, insn->code, insn->k, yes, no);
	} else {
		size_t next = emit_rest(s, pc + 1);

		/* What follows must stand right behind it. */
		if (!s->failed && next != s->n_out - 1)
			emit(s, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(s->n_out - next - 1));
		label = s->failed ? 0 : emit(s, insn->code, 0, 0, insn->k);
	}
	s->labels[pc] = label + 1;
	return label;
}

static size_t
emit_outcome(struct shrink *s, struct outcome o)
{
	return o.is_return ? emit_return(s, o.value) : emit_rest(s, o.value);
}

static bool
same_outcome(struct outcome a, struct outcome b)
{
	return a.is_return == b.is_return && a.value == b.value;
}

static size_t emit_search(struct shrink *s, const struct range *r, size_t n);

/* A single number between two ranges of one outcome costs one comparison for
 * equality instead of two for order. Gives the index of the first of such three
 * ranges, or n. */
static size_t
find_single(const struct range *r, size_t n)
{
	for (size_t i = 0; i + 2 < n; i++)
		if (r[i + 2].first == r[i + 1].first + 1 && same_outcome(r[i].outcome, r[i + 2].outcome))
			return i;
	return n;
}

static size_t
emit_single(struct shrink *s, const struct range *r, size_t n, size_t at)
{
	struct range merged[MAX_CHAIN];
	size_t rest, yes;

	memcpy(merged, r, (at + 1) * sizeof(*r));
	memcpy(merged + at + 1, r + at + 3, (n - at - 3) * sizeof(*r));
	rest = emit_search(s, merged, n - 2);
	yes = s->failed ? 0 : emit_outcome(s, r[at + 1].outcome);
	return s->failed ? 0 : emit_branch(s, BPF_JMP | BPF_JEQ | BPF_K, r[at + 1].first, yes, rest);
}

static size_t
emit_search(struct shrink *s, const struct range *r, size_t n)
{
	size_t upper, lower, single;

	if (n == 1)
		return emit_outcome(s, r[0].outcome);
	/* Only near the leaves: a chain of comparisons takes its time in order. */
	single = n <= MAX_CHAIN ? find_single(r, n) : n;
	if (single < n)
		return emit_single(s, r, n, single);
	upper = emit_search(s, r + n / 2, n - n / 2);
	lower = s->failed ? 0 : emit_search(s, r, n / 2);
	return s->failed ? 0 : emit_branch(s, BPF_JMP | BPF_JGE | BPF_K, r[n / 2].first, upper, lower);
}

static size_t
find_ranges(struct shrink *s, uint32_t arch, struct range *ranges)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_bounds; i++) {
		struct outcome o;

		if (!walk(s, 0, arch, s->bounds[i], &o)) {
			s->failed = true;
			return 0;
		}
		if (n == 0 || !same_outcome(ranges[n - 1].outcome, o))
			ranges[n++] = (struct range){ s->bounds[i], o };
	}
	return n;
}

static void
rewrite(struct shrink *s)
{
	struct range *ranges = arena_array(s->arena, s->n_bounds, sizeof(*ranges));
	size_t other, label;
	struct outcome o;

	/* An architecture that the profile does not know: the same for every call. */
	if (!walk(s, 0, 0, 0, &o) || !o.is_return) {
		s->failed = true;
		return;
	}
	other = emit_return(s, o.value);
	/* The first test must be emitted last. */
	for (size_t i = s->n_arches; !s->failed && i-- > 0;) {
		size_t n = find_ranges(s, s->arches[i], ranges);

		if (s->failed)
			return;
		label = emit_search(s, ranges, n);
		if (s->failed)
			return;
		if (label != s->n_out - 1)
			emit(s, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(s->n_out - label - 1));
		label = emit(s, BPF_LD | BPF_W | BPF_ABS, 0, 0, AT_NR);
		other = emit_branch(s, BPF_JMP | BPF_JEQ | BPF_K, s->arches[i], label, other);
	}
	emit(s, BPF_LD | BPF_W | BPF_ABS, 0, 0, AT_ARCH);
}

/* ---- trusting nothing ------------------------------------------------ */

static bool
same_decision(const struct shrink *s, const struct sock_filter *prog, size_t n, const struct seccomp_data *data)
{
	uint32_t before, after;

	return bpf_run(s->in, s->n, data, &before) && bpf_run(prog, n, data, &after) && before == after;
}

/* Each number at a boundary, with arguments that are constants of the program:
 * every one of them in turn, its halves in both places. */
static bool
verify(const struct shrink *s, const struct sock_filter *prog, size_t n)
{
	uint32_t seed = 1;

	for (size_t i = 0; i <= s->n_arches; i++) {
		for (size_t b = 0; b < 2 * s->n_bounds; b++) {
			struct seccomp_data data = { .nr = (int)(s->bounds[b / 2] - b % 2),
						     .arch = i < s->n_arches ? s->arches[i] : 0 };

			for (unsigned t = 0; t < 8; t++) {
				for (size_t x = 0; x < 6; x++) {
					uint32_t low = s->bounds[(seed = seed * 1103515245 + 12345) / 8 % s->n_bounds];
					uint32_t high = s->bounds[(seed = seed * 1103515245 + 12345) / 8 % s->n_bounds];

					data.args[x] = low | (t % 4 ? 0 : (uint64_t)high << 32);
				}
				if (!same_decision(s, prog, n, &data))
					return false;
			}
		}
	}
	return true;
}

size_t
seccomp_shrink(const struct sock_filter *prog, size_t n, struct arena *a, struct sock_filter **ret_prog)
{
	struct shrink s = { .in = prog, .n = n, .arena = a };
	struct sock_filter *result;

	if (n < 4 || !collect_arches(&s))
		return 0;
	collect_bounds(&s);
	s.labels = arena_array(a, n, sizeof(*s.labels));
	rewrite(&s);
	if (s.failed || s.n_out >= n)
		return 0;
	result = arena_array(a, s.n_out, sizeof(*result));
	for (size_t i = 0; i < s.n_out; i++)
		result[i] = s.out[s.n_out - 1 - i];
	if (!verify(&s, result, s.n_out))
		return 0;
	*ret_prog = result;
	return s.n_out;
}
