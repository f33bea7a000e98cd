/* Theory of operation: the kernel runs the program at each mknod(2) and open(2)
 * of a device node with {type and access, major, minor} and takes 1 for yes.
 *
 * "The last rule wins" is straight code when the rules are emitted from the last
 * to the first: r3 holds the access bits that no rule has decided yet. A deny
 * rule that meets one of them ends in 0; an allow rule takes its bits away, and
 * when none is left ends in 1. A rule that decides everything for every device
 * ends the program, for the verifier refuses code that cannot be reached. Rules
 * that follow each other and differ in nothing but a minor beside the others' are
 * one range: all consoles of a machine are one test.
 *
 *	r1 context   r2 type   r3 undecided access   r4 major   r5 minor   r0 answer
 */
#include "cgroups/device_bpf.h"

#include <stddef.h>

struct emitter {
	struct bpf_insn *insns;
	size_t n;
};

static void
emit(struct emitter *e, unsigned code, unsigned dst, unsigned src, int off, int imm)
{
	e->insns[e->n++] = (struct bpf_insn){
		.code = (__u8)code,
		.dst_reg = dst & 15u,
		.src_reg = src & 15u,
		.off = (__s16)off,
		.imm = imm,
	};
}

static void
emit_answer(struct emitter *e, int answer)
{
	emit(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, answer);
	emit(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void
emit_head(struct emitter *e)
{
	const unsigned load = BPF_LDX | BPF_MEM | BPF_W;

	emit(e, load, BPF_REG_2, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	emit(e, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	emit(e, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	emit(e, load, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(e, load, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

static bool
matches_all_devices(const struct device_rule *r)
{
	return r->type == 'a' && r->major == DEVICE_ANY && r->minor == DEVICE_ANY;
}

/* No device number of the kernel is that large (12 and 20 bits), and the
 * immediate operands of the jumps are signed. */
static bool
matches_nothing(const struct device_rule *r)
{
	return !r->access || r->major < DEVICE_ANY || r->minor < DEVICE_ANY || r->major > INT32_MAX ||
	       r->minor > INT32_MAX;
}

/* Rules that are one: those of r with the minors from r.minor to last_minor. */
struct range {
	struct device_rule r;
	int64_t last_minor;
};

/* Takes the rule in, if it only adds a minor next to those that are there, or one of
 * them again. Among rules that decide alike the order means nothing. */
static bool
range_takes(struct range *all, const struct device_rule *one)
{
	const struct device_rule *r = &all->r;

	if (r->minor == DEVICE_ANY || matches_nothing(r) || matches_nothing(one) || one->allow != r->allow ||
	    one->type != r->type || one->major != r->major || one->access != r->access || one->minor == DEVICE_ANY ||
	    one->minor < r->minor - 1 || one->minor > all->last_minor + 1)
		return false;
	if (one->minor < r->minor)
		all->r.minor = one->minor;
	if (one->minor > all->last_minor)
		all->last_minor = one->minor;
	return true;
}

static void
emit_minors(struct emitter *e, const struct range *all)
{
	if (all->r.minor == all->last_minor) {
		emit(e, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, 0, (int)all->r.minor);
		return;
	}
	emit(e, BPF_JMP | BPF_JLT | BPF_K, BPF_REG_5, 0, 0, (int)all->r.minor);
	emit(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_5, 0, 0, (int)all->last_minor);
}

/* Emits them; returns true when nothing can follow. */
static bool
emit_range(struct emitter *e, const struct range *all)
{
	const struct device_rule *r = &all->r;
	const unsigned differs = BPF_JMP | BPF_JNE | BPF_K;
	size_t start = e->n, conditions;

	if (r->type != 'a')
		emit(e, differs, BPF_REG_2, 0, 0, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (r->major != DEVICE_ANY)
		emit(e, differs, BPF_REG_4, 0, 0, (int)r->major);
	if (r->minor != DEVICE_ANY)
		emit_minors(e, all);
	conditions = e->n;

	if (r->access != DEVICE_ACCESS_ALL && r->allow) {
		emit(e, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, ~(int)r->access);
		emit(e, differs, BPF_REG_3, 0, 2, 0);
	} else if (r->access != DEVICE_ACCESS_ALL) {
		emit(e, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_3, 0, 1, (int)r->access);
		emit(e, BPF_JMP | BPF_JA, 0, 0, 2, 0);
	}
	emit_answer(e, r->allow);

	for (size_t i = start; i < conditions; i++)
		e->insns[i].off = (__s16)(e->n - i - 1); /* to the next rule */
	return start == conditions && r->access == DEVICE_ACCESS_ALL;
}

size_t
device_bpf_compile(const struct device_rule *rules, size_t n, struct bpf_insn *insns)
{
	struct emitter e = { .insns = insns };

	emit_head(&e);
	while (n-- > 0) {
		struct range all = { rules[n], rules[n].minor };

		while (n > 0 && range_takes(&all, &rules[n - 1]))
			n--;
		if (!matches_nothing(&all.r) && emit_range(&e, &all))
			return e.n;
	}
	emit_answer(&e, 0);
	return e.n;
}

bool
device_bpf_allows_all(const struct device_rule *rules, size_t n)
{
	while (n-- > 0) {
		if (!rules[n].allow && !matches_nothing(&rules[n]))
			return false;
		if (rules[n].allow && matches_all_devices(&rules[n]) && rules[n].access == DEVICE_ACCESS_ALL)
			return true;
	}
	return false;
}
