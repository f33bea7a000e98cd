/* Theory of operation: who wrote a profile that denies by default knew the calls
 * of his time. A C library tries a newer one first (clone3, faccessat2, …) and
 * falls back to the older when the answer is ENOSYS; with the profile's EPERM it
 * gives up, and killed it is by KILL. So a call is taken for unknown to the author
 * when its number is above all those that he names, in whatever rule, and is
 * answered as a kernel of that time would. That loosens nothing: the call is
 * denied all the same. runc's filters mean the same since 1.0.0-rc93.
 *
 * Calls get their numbers in the order of their making, in each architecture on
 * its own. What the profile names but libseccomp does not know has no number here.
 *
 *	ld arch
 *	jeq A  ─ no ──────────▶ the next architecture, at last: the program
 *	ld nr
 *	jgt highest of A ─ yes ▶ ret ENOSYS
 *	  no ──────────────────▶ the program
 *
 * x86_64 and x32 share an architecture for the kernel; x32's numbers have bit 30
 * set, and those are left to the program unless the profile lists x32. */
#include "libcontainer/seccomp_unknown.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "libcontainer/seccomp_tables.h"

#define X32_BIT 0x40000000U
/* A block of an architecture is at most so long; all jumps hold in eight bits. */
#define MAX_BLOCK  5
#define MAX_ARCHES 32

struct arch {
	uint32_t audit;	      /* AUDIT_ARCH_*, as the kernel names it */
	uint32_t highest;     /* number; of x86_64 without x32's */
	uint32_t highest_x32; /* 0: not listed */
};

/* Denies without asking anybody, and not with ENOSYS already. */
static bool
wants_answer(const struct spec_seccomp *s)
{
	uint32_t value = seccomp_action_value(s->default_action, s->default_errno_ret);

	switch (s->default_action) {
	case SPEC_ACT_KILL:
	case SPEC_ACT_KILL_THREAD:
	case SPEC_ACT_KILL_PROCESS:
	case SPEC_ACT_TRAP:
		return true;
	case SPEC_ACT_ERRNO:
		return value != (SECCOMP_RET_ERRNO | ENOSYS);
	default:
		return false;
	}
}

/* 0: none is named. Pseudo numbers of multiplexed calls are negative. */
static uint32_t
highest_number(const struct spec_seccomp *s, uint32_t token)
{
	int highest = 0;

	for (size_t i = 0; i < s->n_syscalls; i++) {
		for (size_t j = 0; j < s->syscalls[i].names.n; j++) {
			int nr = seccomp_syscall_resolve_name_arch(token, s->syscalls[i].names.items[j]);

			if (nr > highest)
				highest = nr;
		}
	}
	return (uint32_t)highest;
}

/* libseccomp's tokens are AUDIT_ARCH_*, but for x32, which has none. */
static void
add_arch(const struct spec_seccomp *s, uint32_t token, struct arch *arches, size_t *n)
{
	bool x32 = token == SCMP_ARCH_X32;
	uint32_t audit = x32 ? AUDIT_ARCH_X86_64 : token, highest = highest_number(s, token);
	size_t i = 0;

	if (!highest)
		return;
	while (i < *n && arches[i].audit != audit)
		i++;
	if (i == MAX_ARCHES)
		return;
	if (i == *n)
		arches[(*n)++] = (struct arch){ .audit = audit };
	*(x32 ? &arches[i].highest_x32 : &arches[i].highest) = highest;
}

static bool
is_s390(const struct arch *a)
{
	return a->audit == AUDIT_ARCH_S390 || a->audit == AUDIT_ARCH_S390X;
}

/* Instructions of the block, with the answers' places open. */
static size_t
block_length(const struct arch *a)
{
	size_t n = 3;

	n += is_s390(a) || a->audit == AUDIT_ARCH_X86_64;
	return n + (a->highest_x32 != 0);
}

static struct sock_filter
test(uint16_t op, uint32_t k, size_t yes, size_t no)
{
	return (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, k, (uint8_t)yes, (uint8_t)no);
}

/* `left`: the length of the blocks behind this one, which a jump over the answer,
 * the answer and the program follow. */
static size_t
put_block(const struct arch *a, size_t left, struct sock_filter *out)
{
	size_t n = block_length(a), at = 0;

	/* How far the instruction at place i has to jump. */
#define ANSWER(i)  (n - (i) + left)
#define PROGRAM(i) (ANSWER(i) + 1)
	out[at++] = test(BPF_JEQ, a->audit, 0, n - 1);
	out[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	if (is_s390(a)) {
		/* Numbers above 255 are passed in a register; those that the kernel does
		 * not know arrive as 0, which was setup(2) and is no call any more. */
		out[at] = test(BPF_JEQ, 0, ANSWER(at), 0);
		at++;
	}
	if (a->audit == AUDIT_ARCH_X86_64) {
		out[at] = test(BPF_JGE, X32_BIT, a->highest_x32 ? 1 : PROGRAM(at), 0);
		at++;
	}
	out[at] = test(BPF_JGT, a->highest ? a->highest : X32_BIT, ANSWER(at), PROGRAM(at));
	at++;
	if (a->highest_x32) {
		out[at] = test(BPF_JGT, a->highest_x32, ANSWER(at), PROGRAM(at));
		at++;
	}
#undef ANSWER
#undef PROGRAM
	return at;
}

size_t
seccomp_unknown_calls(const struct spec_seccomp *s, const struct sock_filter *prog, size_t n, struct arena *a,
		      const struct sock_filter **ret_prog)
{
	struct arch arches[MAX_ARCHES];
	struct sock_filter *out;
	size_t n_arches = 0, left = 0, at = 1;

	if (wants_answer(s)) {
		add_arch(s, seccomp_arch_native(), arches, &n_arches);
		for (size_t i = 0; i < s->architectures.n; i++)
			add_arch(s, seccomp_arch_token(s->architectures.items[i]), arches, &n_arches);
	}
	if (!n_arches) {
		*ret_prog = prog;
		return n;
	}
	out = arena_array(a, 3 + n_arches * MAX_BLOCK + n, sizeof(*out)); /* two of them behind the blocks */
	out[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < n_arches; i++)
		left += block_length(&arches[i]);
	for (size_t i = 0; i < n_arches; i++) {
		left -= block_length(&arches[i]);
		at += put_block(&arches[i], left, out + at);
	}
	out[at++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
	out[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	memcpy(out + at, prog, n * sizeof(*prog));
	*ret_prog = out;
	return at + n;
}
