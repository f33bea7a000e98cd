/* Theory of operation: each architecture is a decision of its own, over the number of the
 * call. Neighbours for which the same is decided are a range.
 *
 * Calls that are newer than the profile: who wrote a profile that denies by default knew the
 * calls of their time. A C library tries a newer one first (clone3, faccessat2, …) and
 * falls back to the older when the answer is ENOSYS; with the profile's EPERM it gives up,
 * and KILL kills it. So a call is taken for unknown to the author when its
 * number is above all those that they name, in whatever rule, and is answered as a kernel of
 * that time would. That loosens nothing: the call is denied all the same. runc's
 * filters mean the same since 1.0.0-rc93. */
#include "libcontainer/seccomp/seccomp_decide.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "libcontainer/seccomp/seccomp_calls.h"
#include "libcontainer/seccomp/seccomp_rules.h"
#include "libcontainer/seccomp/seccomp_tables.h"

#define MAX_ARCHES 32
#define X32_BIT	   0x40000000U

struct decider {
	const struct spec_seccomp *s;
	struct bpf_graph *g;
	struct err *err;
	struct seccomp_rules *rules;
	uint32_t default_action;
	uint32_t tokens[MAX_ARCHES]; /* of the architectures, each once */
	size_t n_tokens;
};

/* The numbers of one value of seccomp_data.arch. */
struct arch_ranges {
	struct arena *arena;
	struct bpf_range *ranges;
	size_t n, cap;
};

/* ---- one architecture ------------------------------------------------ */

static void
begin_range(struct arch_ranges *ranges, uint32_t first, bpf_node node)
{
	if (ranges->n > 0 && ranges->ranges[ranges->n - 1].first == first)
		ranges->n--;
	if (ranges->n > 0 && ranges->ranges[ranges->n - 1].node == node)
		return;
	if (ranges->n == ranges->cap) {
		size_t cap = ranges->cap ? 2 * ranges->cap : 128;

		ranges->ranges = arena_grow(ranges->arena, ranges->ranges, ranges->cap * sizeof(*ranges->ranges),
					    cap * sizeof(*ranges->ranges));
		ranges->cap = cap;
	}
	ranges->ranges[ranges->n++] = (struct bpf_range){ first, node };
}

/* Denies without asking anybody, and not with ENOSYS already. */
static bool
hides_unknown(const struct decider *decider)
{
	switch (decider->default_action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
		return true;
	case SECCOMP_RET_ERRNO:
		return decider->default_action != (SECCOMP_RET_ERRNO | ENOSYS);
	default:
		return false;
	}
}

/* The ranges of one architecture, from its first number on. */
static int
decide_arch(struct decider *decider, uint32_t token, struct arch_ranges *ranges)
{
	const struct seccomp_arch *arch = seccomp_arch_find(token);
	bpf_node otherwise = bpf_graph_return(decider->g, decider->default_action);
	bpf_node enosys = bpf_graph_return(decider->g, SECCOMP_RET_ERRNO | ENOSYS);
	uint32_t highest = seccomp_rules_collect(decider->rules, arch), start = token == SCMP_ARCH_X32 ? X32_BIT : 0;
	uint32_t end; /* of the numbers that were decided */

	/* s390 passes numbers above 255 in a register; those that the kernel does not
	 * know arrive as 0, which was setup(2) and is not a call any more. */
	if (hides_unknown(decider) && highest && (token == SCMP_ARCH_S390 || token == SCMP_ARCH_S390X))
		begin_range(ranges, start++, enosys);
	begin_range(ranges, start, otherwise);
	end = start;
	for (size_t i = 0; i < SECCOMP_SLOTS; i++) {
		bpf_node node = otherwise;
		uint32_t number;
		int r;

		if (!seccomp_rules_has(decider->rules, i))
			continue;
		number = seccomp_rules_number(arch, i);
		if (number < start)
			continue;
		r = seccomp_rules_decide(decider->rules, i, arch->wide, otherwise, decider->err, &node);
		if (r < 0)
			return r;
		if (number != end)
			begin_range(ranges, end, otherwise);
		begin_range(ranges, number, node);
		end = number + 1;
	}
	begin_range(ranges, end, otherwise);
	if (hides_unknown(decider) && highest)
		begin_range(ranges, highest + 1, enosys);
	return 0;
}

/* ---- architectures --------------------------------------------------- */

/* libseccomp's tokens are the kernel's, but for x32, which has none. */
static uint32_t
audit_of(uint32_t token)
{
	return token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token;
}

static bool
is_listed(const struct decider *decider, uint32_t token)
{
	for (size_t i = 0; i < decider->n_tokens; i++)
		if (decider->tokens[i] == token)
			return true;
	return false;
}

/* Native first. Those of the other byte order are left out: this machine has no such calls. */
static int
list_arches(struct decider *decider)
{
	uint32_t native = seccomp_arch_native();

	decider->tokens[decider->n_tokens++] = native;
	for (size_t i = 0; i < decider->s->architectures.n; i++) {
		const char *name = decider->s->architectures.items[i];
		uint32_t token = seccomp_arch_token(name);

		if (!token)
			return err_plain(decider->err, "linux.seccomp.architectures[%zu]: unknown architecture %s", i,
					 name);
		if (!is_listed(decider, token) && !((token ^ native) & __AUDIT_ARCH_LE))
			decider->tokens[decider->n_tokens++] = token;
	}
	return 0;
}

/* For the kernel x86_64 and x32 are one architecture; x32's numbers have a bit of their
 * own. Without x32 they are calls of an architecture that is not listed, but for -1, by
 * which a tracer says that there is no call to make. */
static int
decide_x86_64(struct decider *decider, bpf_node unlisted, struct arch_ranges *ranges)
{
	int r;

	if (is_listed(decider, SCMP_ARCH_X86_64)) {
		r = decide_arch(decider, SCMP_ARCH_X86_64, ranges);
		if (r < 0)
			return r;
	} else {
		begin_range(ranges, 0, unlisted);
	}
	if (is_listed(decider, SCMP_ARCH_X32))
		return decide_arch(decider, SCMP_ARCH_X32, ranges);
	begin_range(ranges, X32_BIT, unlisted);
	begin_range(ranges, UINT32_MAX, bpf_graph_return(decider->g, decider->default_action));
	return 0;
}

/* The decision for one value of seccomp_data.arch. */
static int
decide_audit(struct decider *decider, uint32_t audit, bpf_node unlisted, bpf_node *ret_node)
{
	struct arch_ranges a = { .arena = decider->g->arena };
	int r = audit == AUDIT_ARCH_X86_64 ? decide_x86_64(decider, unlisted, &a) : decide_arch(decider, audit, &a);

	if (r == 0)
		*ret_node = bpf_graph_search(decider->g, offsetof(struct seccomp_data, nr), a.ranges, a.n);
	return r;
}

int
seccomp_decide(const struct spec_seccomp *profile, struct bpf_graph *graph, struct err *err, bpf_node *ret_root)
{
	struct decider d = { .s = profile, .g = graph, .err = err };
	bpf_node unlisted = bpf_graph_return(graph, SECCOMP_RET_KILL_THREAD), root = unlisted;
	int r = list_arches(&d);

	if (r < 0)
		return r;
	d.default_action = seccomp_action_value(profile->default_action, profile->default_errno_ret);
	d.rules = seccomp_rules_find(profile, graph, d.default_action);
	/* From the last to the first, which is asked first. */
	for (size_t i = d.n_tokens; i-- > 0;) {
		uint32_t audit = audit_of(d.tokens[i]);
		struct bpf_question q = { offsetof(struct seccomp_data, arch), BPF_JEQ, BPF_WHOLE_WORD, audit };
		bpf_node node = unlisted;

		if (d.tokens[i] == SCMP_ARCH_X32 && is_listed(&d, SCMP_ARCH_X86_64))
			continue; /* comes with it */
		r = decide_audit(&d, audit, unlisted, &node);
		if (r < 0)
			return r;
		root = bpf_graph_ask(graph, q, node, root);
	}
	*ret_root = root;
	return 0;
}
