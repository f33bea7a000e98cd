/* Theory of operation: two witnesses.
 *
 * libseccomp's program, run by bpf_run(): every answer must be the same, but for calls newer than
 * the profile, which libseccomp leaves to the default. Where the program does not do what libseccomp's
 * tree of rules says, the tree counts (judge()). It is not asked about an architecture of 64 bits
 * where is_confused() says that it gets lost.
 *
 * A plain reading of the profile: the answer must be that of the first rule without conditions, else
 * of one whose conditions hold, else the default. It knows nothing of the order in which
 * rules are tried, and of libseccomp only the numbers. */
#include "tests/unit/seccomp_model.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_calls.h"
#include "libcontainer/seccomp/seccomp_permits.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "tests/unit/bpf_run.h"
#include "tests/unit/seccomp_pfc.h"

#define X32_BIT	   0x40000000U
#define MAX_ARCHES 32
#define N_NUMBERS  1024
#define ENOSYS_NOW (SECCOMP_RET_ERRNO | ENOSYS)

struct seccomp_model_counts seccomp_model_counts;

/* A name of a rule, as numbers of one architecture. One that it has not has a number below -1, for
 * libseccomp keeps the rules for it, too; -1: no multiplexer. */
struct entry {
	const char *name;
	size_t rule;
	int64_t number, multiplexer;
	uint32_t part;
};

struct arch {
	uint32_t token, audit;
	const struct seccomp_arch *info;
	uint32_t highest; /* number named by the profile */
	struct entry *entries;
	size_t n_entries;
	bool left_out; /* libseccomp is not asked about it */
};

struct model {
	const struct spec_seccomp *s;
	uint32_t default_action, seed;
	struct arch arches[MAX_ARCHES];
	size_t n_arches;
	struct seccomp_filter own;
	scmp_filter_ctx ctx; /* of libseccomp */
	char *tree;	     /* that it holds, when somebody asked for it */
	struct sock_filter *theirs;
	size_t n_theirs;
	unsigned vectors;
	unsigned flags;
	size_t n_left_out; /* arches */
	struct arena *arena;
	size_t n_names;
};

static uint32_t
any(struct model *m, uint32_t below)
{
	m->seed = m->seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)m->seed * below >> 32);
}

static uint32_t
action_of(const struct spec_seccomp_rule *rule)
{
	return seccomp_action_value(rule->action, rule->errno_ret);
}

/* ---- libseccomp ------------------------------------------------------ */

static struct scmp_arg_cmp
comparison(const struct spec_seccomp_arg *arg)
{
	return (struct scmp_arg_cmp){ .arg = arg->index,
				      .op = (enum scmp_compare)seccomp_operator_number(arg->op),
				      .datum_a = arg->value,
				      .datum_b = arg->value_two };
}

static bool
stands_alone(const struct spec_seccomp_rule *rule)
{
	for (size_t i = 0; i < rule->n_args; i++)
		for (size_t j = 0; j < i; j++)
			if (rule->args[i].index == rule->args[j].index)
				return true;
	return false;
}

static int
add_rule(scmp_filter_ctx ctx, const struct spec_seccomp_rule *rule, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name), r = 0;
	struct scmp_arg_cmp c[SECCOMP_MAX_ARGS];

	if (nr == __NR_SCMP_ERROR)
		abort();
	for (size_t i = 0; i < rule->n_args && !stands_alone(rule); i++)
		c[i] = comparison(&rule->args[i]);
	if (!stands_alone(rule))
		return seccomp_rule_add_array(ctx, action_of(rule), nr, (unsigned)rule->n_args, c);
	for (size_t i = 0; i < rule->n_args && r == 0; i++) {
		c[0] = comparison(&rule->args[i]);
		r = seccomp_rule_add_array(ctx, action_of(rule), nr, 1, c);
	}
	return r;
}

static int
add_rules(scmp_filter_ctx ctx, const struct model *m)
{
	int r;

	for (size_t i = 0; i < m->n_arches; i++)
		if (!m->arches[i].left_out && (r = seccomp_arch_add(ctx, m->arches[i].token)) < 0 && r != -EEXIST)
			abort();
	if (m->arches[0].left_out && seccomp_arch_remove(ctx, m->arches[0].token) < 0)
		abort();
	for (size_t i = 0; i < m->s->n_syscalls; i++)
		for (size_t j = 0; j < m->s->syscalls[i].names.n; j++)
			if (action_of(&m->s->syscalls[i]) != m->default_action &&
			    (r = add_rule(ctx, &m->s->syscalls[i], m->s->syscalls[i].names.items[j])) < 0)
				return r;
	return 0;
}

/* libseccomp loses memory of its own when it takes a tree of rules apart that it has pruned;
 * its allocator is the only name that a static archive leaves. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:zmalloc\n";
}

/* What libseccomp exports; the caller frees it. */
static int
export_by(int (*export)(const scmp_filter_ctx ctx, int fd), scmp_filter_ctx ctx, char **ret_data, size_t *ret_len)
{
	auto_close int fd = memfd_create("libseccomp", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		abort();
	r = export(ctx, fd);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_all(fd, 1 << 24, ret_data, ret_len) < 0)
		abort();
	return 0;
}

static int
ask_libseccomp(struct model *m)
{
	char *data;
	size_t len;
	int r;

	m->ctx = seccomp_init(m->default_action);
	if (!m->ctx)
		abort();
	r = add_rules(m->ctx, m);
	/* At level 1 it forgets to load the number when the rule that is tried first is for a call
	 * that the architecture has not. */
	if (r == 0)
		r = seccomp_attr_set(m->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = export_by(seccomp_export_bpf, m->ctx, &data, &len);
	if (r < 0)
		return r;
	m->theirs = (struct sock_filter *)data;
	m->n_theirs = len / sizeof(*m->theirs);
	return 0;
}

static bool
ask_tree(struct model *m, const struct arch *a, const struct seccomp_data *d, uint32_t *ret_answer)
{
	size_t len;

	/* At level 2 calls are in a tree of their own. */
	if (!m->tree && (seccomp_attr_set(m->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 1) < 0 ||
			 export_by(seccomp_export_pfc, m->ctx, &m->tree, &len) < 0))
		return false;
	return seccomp_pfc_run(m->tree, a->token == SCMP_ARCH_X32, d, ret_answer);
}

/* ---- the plain reading ----------------------------------------------- */

static bool
holds(const struct spec_seccomp_arg *arg, uint64_t x, bool wide)
{
	uint64_t all = wide ? UINT64_MAX : UINT32_MAX, v = arg->value & all, two = arg->value_two & all;

	x &= all;
	switch (arg->op) {
	case SPEC_OP_NE:
		return x != v;
	case SPEC_OP_LT:
		return x < v;
	case SPEC_OP_LE:
		return x <= v;
	case SPEC_OP_EQ:
		return x == v;
	case SPEC_OP_GE:
		return x >= v;
	case SPEC_OP_GT:
		return x > v;
	default:
		return (x & v) == (two & v);
	}
}

/* A rule as it is meant for one call: args that are left after some are always true, or
 * were replaced by the number of a part. */
static bool
matches(const struct spec_seccomp_rule *rule, const struct seccomp_data *d, bool wide, bool is_part, bool *ret_always)
{
	bool one = stands_alone(rule), result = !one, always = !one;

	for (size_t i = 0; i < rule->n_args; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];
		bool empty = arg->op == SPEC_OP_MASKED_EQ && (wide ? arg->value : (uint32_t)arg->value) == 0;
		bool is = is_part && arg->index == 0 ? true : holds(arg, d->args[arg->index], wide);

		if (one) {
			result |= is;
			always |= empty;
		} else {
			result &= is;
			always &= empty;
		}
	}
	*ret_always = always && !is_part;
	return result;
}

/* Whether the name stands for this call; `is_part`: as a part of socketcall(2) or ipc(2). */
static bool
is_call(const struct entry *e, const struct arch *a, const struct seccomp_data *d, bool *is_part, bool *part_matches)
{
	*is_part = *part_matches = false;
	if (e->number == (uint32_t)d->nr)
		return true;
	if (e->multiplexer != (uint32_t)d->nr)
		return false;
	*is_part = true;
	*part_matches = a->info->wide ? d->args[0] == e->part : (uint32_t)d->args[0] == e->part;
	return true;
}

static bool
is_plain(const struct model *m, const struct arch *a, const struct seccomp_data *d, uint32_t answer)
{
	bool any_matches = false, found = false;

	for (size_t i = 0; i < a->n_entries; i++) {
		const struct spec_seccomp_rule *rule = &m->s->syscalls[a->entries[i].rule];
		bool is_part, part_matches, always;

		if (!is_call(&a->entries[i], a, d, &is_part, &part_matches) || action_of(rule) == m->default_action)
			continue;
		if (!matches(rule, d, a->info->wide, is_part, &always) || (is_part && !part_matches))
			continue;
		if (always)
			return answer == action_of(rule);
		any_matches = true;
		found |= answer == action_of(rule);
	}
	return any_matches ? found : answer == m->default_action;
}

/* Where libseccomp goes wrong, or does not come to an end: it splits what an argument of 64 bits is
 * compared with into two, and comparisons by order or for inequality that have the same upper half
 * share a node. That is harmless unless what comes after them differs: the action, or further
 * conditions. */
static bool
is_confused(const struct model *m, const struct arch *a, int64_t number)
{
	unsigned ranges[SECCOMP_MAX_ARGS] = { 0 };
	bool several = false, differ = false, found = false, twice = false;
	uint32_t action = 0;

	for (size_t i = 0; i < a->n_entries; i++) {
		const struct spec_seccomp_rule *rule = &m->s->syscalls[a->entries[i].rule];
		bool is_part = a->entries[i].multiplexer == number;

		if ((a->entries[i].number != number && !is_part) || action_of(rule) == m->default_action)
			continue;
		differ |= found && action != action_of(rule);
		found = true;
		action = action_of(rule);
		several |= (rule->n_args > 1 && !stands_alone(rule)) || is_part;
		for (size_t k = 0; k < rule->n_args; k++)
			if (rule->args[k].op != SPEC_OP_EQ && rule->args[k].op != SPEC_OP_MASKED_EQ)
				twice |= ranges[rule->args[k].index]++ > 0;
	}
	return a->info->wide && twice && (several || differ);
}

static void
find_confusion(struct model *m)
{
	for (size_t i = 0; i < m->n_arches; i++) {
		struct arch *a = &m->arches[i];

		for (size_t j = 0; j < a->n_entries && !a->left_out; j++)
			a->left_out = is_confused(m, a, a->entries[j].number) ||
				      (a->entries[j].multiplexer != -1 && is_confused(m, a, a->entries[j].multiplexer));
		m->n_left_out += a->left_out;
	}
}

/* ---- comparing ------------------------------------------------------- */

static bool
hides_unknown(const struct model *m)
{
	uint32_t kind = m->default_action & SECCOMP_RET_ACTION_FULL;

	return m->default_action != ENOSYS_NOW &&
	       (kind == SECCOMP_RET_KILL_PROCESS || kind == SECCOMP_RET_KILL_THREAD || kind == SECCOMP_RET_TRAP ||
		kind == SECCOMP_RET_ERRNO);
}

static bool
is_unknown(const struct model *m, const struct arch *a, uint32_t nr)
{
	if (!a || !hides_unknown(m) || !a->highest)
		return false;
	if ((a->token == SCMP_ARCH_S390 || a->token == SCMP_ARCH_S390X) && nr == 0)
		return true;
	return nr > a->highest;
}

/* Its program decides otherwise. That may be because it does not load an argument again, or an upper
 * half, where it comes from further conditions that did not hold; its tree tells. Where the tree
 * itself decides what no rule says, it has lost one that it took to be covered by another. */
static const char *
judge(struct model *m, const struct arch *a, const struct seccomp_data *d, uint32_t own)
{
	uint32_t tree;

	if (!a || m->flags & SECCOMP_MODEL_TRUST)
		return "not as libseccomp";
	if (!ask_tree(m, a, d, &tree))
		return "libseccomp's tree gives no answer";
	if (own == tree)
		seccomp_model_counts.confused++;
	else if (!is_plain(m, a, d, tree))
		seccomp_model_counts.wrong++;
	else
		return "not as libseccomp's tree";
	return NULL;
}

/* seccomp_permits() about a call whose arguments it is told, and about one with only some of them:
 * then it may say no, but yes is for whatever the others are. */
static bool
permits_as_answered(const struct model *m, const struct seccomp_data *d, uint32_t own)
{
	struct seccomp_known_call call = { .number = d->nr, .known = (1u << SECCOMP_MAX_ARGS) - 1 };
	uint32_t kind = own & SECCOMP_RET_ACTION_FULL;
	bool passes = kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG;
	size_t n = m->own.len / sizeof(struct sock_filter);

	if (d->arch != seccomp_arch_native())
		return true;
	memcpy(call.args, d->args, sizeof(call.args));
	if (seccomp_permits(m->own.program, n, &call) != passes)
		return false;
	/* Which ones changes from call to call. */
	call.known &= (uint32_t)d->nr ^ (uint32_t)(d->args[0] + d->args[1] + d->args[2]);
	for (size_t i = 0; i < SECCOMP_MAX_ARGS; i++)
		if (!(call.known & 1u << i))
			call.args[i] = 0;
	return passes || !seccomp_permits(m->own.program, n, &call);
}

static bool
compare_call(struct model *m, const struct arch *a, const struct seccomp_data *d)
{
	bool asked = m->theirs && (a ? !a->left_out : !m->n_left_out);
	uint32_t own = 0, theirs = 0;
	const char *how = NULL;

	if (!bpf_run(m->own.program, m->own.len / sizeof(struct sock_filter), d, &own) ||
	    (asked && !bpf_run(m->theirs, m->n_theirs, d, &theirs)))
		how = "no answer";
	else if (is_unknown(m, a, (uint32_t)d->nr))
		how = own == ENOSYS_NOW ? NULL : "newer than the profile";
	else if (asked && own != theirs)
		how = judge(m, a, d, own);
	seccomp_model_counts.decisions++;
	if (!how && a && !is_unknown(m, a, (uint32_t)d->nr) && !is_plain(m, a, d, own))
		how = "not as the profile says";
	if (!how && !permits_as_answered(m, d, own))
		how = "seccomp_permits() says otherwise";
	if (!how)
		return true;
	printf("%s: arch %#x nr %#x args %#llx %#llx %#llx %#llx: %#x, libseccomp %#x\n", how, d->arch, (unsigned)d->nr,
	       (unsigned long long)d->args[0], (unsigned long long)d->args[1], (unsigned long long)d->args[2],
	       (unsigned long long)d->args[3], own, theirs);
	seccomp_model_print(m->s);
	return false;
}

/* Values at the boundary of a condition; the last one is it. */
#define BOUNDARIES 8

static uint64_t
boundary(const struct spec_seccomp_arg *arg, bool second, unsigned kind, unsigned bit)
{
	uint64_t v = second ? arg->value_two : arg->value;

	switch (kind) {
	case 0:
		return v - 1;
	case 1:
		return v + 1;
	case 2:
		return v ^ 1ULL << 32;
	case 3:
		return v + (1ULL << 32);
	case 4:
		return v ^ 1ULL << bit;
	case 5:
		return arg->value_two | ~arg->value;
	case 6:
		return v & UINT32_MAX;
	default:
		return v;
	}
}

static uint64_t
any_boundary(struct model *m, const struct spec_seccomp_arg *arg)
{
	bool second = any(m, 4) == 0;
	unsigned kind = any(m, BOUNDARIES);

	return boundary(arg, second, kind, any(m, 64));
}

/* Arguments that make some rule of the profile match, or nearly. */
static void
choose_args(struct model *m, struct seccomp_data *d)
{
	for (size_t i = 0; i < SECCOMP_MAX_ARGS; i++)
		d->args[i] = any(m, 2) ? d->args[i] : any(m, 30);
	for (unsigned n = any(m, 3) + 1; n > 0; n--) {
		const struct spec_seccomp_rule *rule = &m->s->syscalls[any(m, (uint32_t)m->s->n_syscalls)];

		for (size_t i = 0; i < rule->n_args; i++)
			d->args[rule->args[i].index] = any_boundary(m, &rule->args[i]);
	}
	if (any(m, 3) == 0)
		d->args[0] = any(m, 25); /* parts */
}

/* Makes all conditions of the rule hold, but one that is at each of its boundaries. */
static bool
compare_boundaries(struct model *m, const struct arch *a, const struct entry *e, uint32_t nr)
{
	const struct spec_seccomp_rule *rule = &m->s->syscalls[e->rule];
	struct seccomp_data d = { .nr = (int)nr, .arch = a->audit };

	for (size_t i = 0; i < rule->n_args; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];

		if (arg->op == SPEC_OP_MASKED_EQ)
			d.args[arg->index] = arg->value_two & arg->value;
		else
			d.args[arg->index] = arg->op == SPEC_OP_NE || arg->op == SPEC_OP_GT ? arg->value + 1
					     : arg->op == SPEC_OP_LT			    ? arg->value - 1
											    : arg->value;
	}
	if (e->multiplexer == nr)
		d.args[0] = e->part;
	for (size_t i = 0; i < rule->n_args; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];
		uint64_t holds_with = d.args[arg->index];

		for (unsigned kind = 0; kind < 2 * BOUNDARIES; kind++) {
			d.args[arg->index] = boundary(arg, kind % 2, kind / 2, any(m, 64));
			if (!compare_call(m, a, &d))
				return false;
		}
		d.args[arg->index] = holds_with;
	}
	return true;
}

static bool
compare_args(struct model *m, const struct arch *a, uint32_t nr)
{
	struct seccomp_data d = { .nr = (int)nr, .arch = a->audit };

	for (size_t i = 0; i < a->n_entries; i++)
		if ((a->entries[i].number == nr || a->entries[i].multiplexer == nr) &&
		    !compare_boundaries(m, a, &a->entries[i], nr))
			return false;
	for (unsigned i = 0; i < m->vectors; i++) {
		choose_args(m, &d);
		if (!compare_call(m, a, &d))
			return false;
	}
	return true;
}

/* What is asked about a number: nothing, itself, with arguments. */
enum depth { DEPTH_NONE, DEPTH_NUMBER, DEPTH_ARGS };

static void
deepen(const struct arch *a, uint8_t *depths, int64_t number, enum depth depth)
{
	int64_t i = number - a->info->base;

	if (number >= 0 && i >= 0 && i < N_NUMBERS && depths[i] < depth)
		depths[i] = (uint8_t)depth;
}

static bool
compare_arch(struct model *m, const struct arch *a)
{
	uint8_t depths[N_NUMBERS];

	memset(depths, m->flags & SECCOMP_MODEL_NAMED ? DEPTH_NONE : DEPTH_NUMBER, sizeof(depths));
	deepen(a, depths, a->info->base, DEPTH_NUMBER);
	deepen(a, depths, a->info->base + N_NUMBERS - 1, DEPTH_NUMBER);
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct entry *e = &a->entries[i];

		deepen(a, depths, e->number - 1, DEPTH_NUMBER);
		deepen(a, depths, e->number, m->s->syscalls[e->rule].n_args ? DEPTH_ARGS : DEPTH_NUMBER);
		deepen(a, depths, e->number + 1, DEPTH_NUMBER);
		deepen(a, depths, e->multiplexer, DEPTH_ARGS);
	}
	for (uint32_t i = 0; i < N_NUMBERS; i++) {
		uint32_t nr = a->info->base + i;
		struct seccomp_data d = { .nr = (int)nr, .arch = a->audit };

		if ((depths[i] >= DEPTH_NUMBER && !compare_call(m, a, &d)) ||
		    (depths[i] == DEPTH_ARGS && !compare_args(m, a, nr)))
			return false;
	}
	return true;
}

static bool
check_unlisted_x32(const struct model *m, const struct seccomp_data *d)
{
	uint32_t own, want = d->nr == -1 ? m->default_action : SECCOMP_RET_KILL_THREAD;

	if (bpf_run(m->own.program, m->own.len / sizeof(struct sock_filter), d, &own) && own == want)
		return true;
	printf("x32 is not listed: %#x\n", (unsigned)d->nr);
	return false;
}

/* Numbers that are not calls of the architecture, and architectures that are not listed. */
static bool
compare_odd(struct model *m)
{
	const uint32_t odd[] = { UINT32_MAX, UINT32_MAX - 1, X32_BIT - 1, X32_BIT + N_NUMBERS, INT32_MAX,
				 0x80000000, 0xf0001,	     0xf0005,	  any(m, UINT32_MAX) },
		       others[] = { 0,
				    AUDIT_ARCH_X86_64,
				    AUDIT_ARCH_I386,
				    AUDIT_ARCH_AARCH64,
				    AUDIT_ARCH_ARM,
				    AUDIT_ARCH_S390X,
				    AUDIT_ARCH_PPC64LE,
				    any(m, UINT32_MAX) };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]) + m->n_arches; j++) {
			bool listed = j < m->n_arches;
			struct seccomp_data d = { .nr = (int)odd[i],
						  .arch = listed ? m->arches[j].audit : others[j - m->n_arches] };
			const struct arch *a = NULL;

			for (size_t k = 0; k < m->n_arches; k++)
				if (m->arches[k].audit == d.arch &&
				    (d.arch != AUDIT_ARCH_X86_64 ||
				     (m->arches[k].token == SCMP_ARCH_X32) == (odd[i] >= X32_BIT)))
					a = &m->arches[k];
			if (d.arch == AUDIT_ARCH_X86_64 && !a && !check_unlisted_x32(m, &d))
				return false;
			if (!compare_call(m, a, &d))
				return false;
		}
	}
	return true;
}

/* ---- the profile ----------------------------------------------------- */

/* The same for the same name. */
static int64_t
missing_number(const struct arch *a, const char *name)
{
	int64_t i = 0;

	while (strcmp(a->entries[i].name, name) != 0)
		i++;
	return -2 - i;
}

static void
add_arch(struct model *m, uint32_t token)
{
	struct arch *a = &m->arches[m->n_arches];

	for (size_t i = 0; i < m->n_arches; i++)
		if (m->arches[i].token == token)
			return;
	if ((token ^ seccomp_arch_native()) & __AUDIT_ARCH_LE)
		return;
	*a = (struct arch){ .token = token,
			    .audit = token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token,
			    .info = seccomp_arch_find(token),
			    .entries = arena_array(m->arena, m->n_names + 1, sizeof(*a->entries)) };
	for (size_t i = 0; i < m->s->n_syscalls; i++) {
		for (size_t j = 0; j < m->s->syscalls[i].names.n; j++) {
			struct entry *e = &a->entries[a->n_entries++];
			struct seccomp_call call;

			if (!seccomp_call_find(m->s->syscalls[i].names.items[j], &call))
				abort();
			e->rule = i;
			e->name = call.name;
			e->number = seccomp_call_number(&call, a->info);
			if (e->number < 0)
				e->number = missing_number(a, call.name);
			e->multiplexer = seccomp_call_multiplexer(&call, a->info, &e->part);
			if (e->number > a->highest)
				a->highest = (uint32_t)e->number;
			if (e->multiplexer > a->highest)
				a->highest = (uint32_t)e->multiplexer;
		}
	}
	m->n_arches++;
}

/* Whether a contradiction can be one that does not count: another rule for the call has no
 * conditions, or an architecture has no such call. */
static bool
may_be_moot(const struct model *m)
{
	for (size_t i = 0; i < m->s->n_syscalls; i++) {
		const struct spec_seccomp_rule *rule = &m->s->syscalls[i];

		if (action_of(rule) == m->default_action)
			continue;
		if (rule->n_args == 0)
			return true;
		for (size_t j = 0; j < rule->n_args; j++)
			if (rule->args[j].op == SPEC_OP_MASKED_EQ && (uint32_t)rule->args[j].value == 0)
				return true;
	}
	for (size_t i = 0; i < m->n_arches; i++)
		for (size_t j = 0; j < m->arches[i].n_entries; j++)
			if (m->arches[i].entries[j].number < 0)
				return true;
	return false;
}

static bool
compare_all(struct model *m)
{
	seccomp_model_counts.compared++;
	for (size_t i = 0; i < m->n_arches; i++)
		if (!compare_arch(m, &m->arches[i]))
			return false;
	return compare_odd(m);
}

bool
seccomp_model_check(const struct spec_seccomp *s, uint32_t seed, unsigned vectors, unsigned flags)
{
	auto_arena struct arena a = { 0 };
	struct model m = { .s = s, .seed = seed, .vectors = vectors, .flags = flags, .arena = &a };
	struct err e = { 0 };
	int own, theirs;
	bool ok = true;

	m.default_action = seccomp_action_value(s->default_action, s->default_errno_ret);
	for (size_t i = 0; i < s->n_syscalls; i++)
		m.n_names += s->syscalls[i].names.n;
	add_arch(&m, seccomp_arch_native());
	for (size_t i = 0; i < s->architectures.n; i++)
		add_arch(&m, seccomp_arch_token(s->architectures.items[i]));
	own = seccomp_compile(s, &a, &e, &m.own);
	if (!(flags & SECCOMP_MODEL_TRUST))
		find_confusion(&m);
	seccomp_model_counts.partly += m.n_left_out && m.n_left_out < m.n_arches;
	seccomp_model_counts.alone += m.n_left_out == m.n_arches;
	theirs = m.n_left_out < m.n_arches ? ask_libseccomp(&m) : own;
	if (own == 0 && theirs == 0)
		ok = compare_all(&m);
	else if (own < 0 && (theirs < 0 || m.n_left_out)) /* for what it was not asked */
		seccomp_model_counts.refused++;
	else if (own == 0 && theirs == -EEXIST && may_be_moot(&m))
		seccomp_model_counts.accepted++;
	else
		ok = false;
	if (!ok)
		printf("knarr: %d '%s', libseccomp: %d\n", own, e.msg, theirs);
	if (!ok && own != theirs)
		seccomp_model_print(s);
	seccomp_release(m.ctx);
	free(m.theirs);
	free(m.tree);
	return ok;
}

void
seccomp_model_print(const struct spec_seccomp *s)
{
	static const char *const ops[] = { "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ" };

	printf("{\"defaultAction\":\"%s\",\"architectures\":[", seccomp_actions[s->default_action].name);
	for (size_t i = 0; i < s->architectures.n; i++)
		printf("%s\"%s\"", i ? "," : "", s->architectures.items[i]);
	printf("],\"syscalls\":[");
	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct spec_seccomp_rule *rule = &s->syscalls[i];

		printf("%s\n{\"names\":[", i ? "," : "");
		for (size_t j = 0; j < rule->names.n; j++)
			printf("%s\"%s\"", j ? "," : "", rule->names.items[j]);
		printf("],\"action\":\"%s\"", seccomp_actions[rule->action].name);
		if (rule->errno_ret.set)
			printf(",\"errnoRet\":%u", rule->errno_ret.v);
		printf(",\"args\":[");
		for (size_t j = 0; j < rule->n_args; j++)
			printf("%s{\"index\":%u,\"op\":\"SCMP_CMP_%s\",\"value\":%llu,\"valueTwo\":%llu}", j ? "," : "",
			       rule->args[j].index, ops[rule->args[j].op], (unsigned long long)rule->args[j].value,
			       (unsigned long long)rule->args[j].value_two);
		printf("]}");
	}
	printf("]}\n");
}
