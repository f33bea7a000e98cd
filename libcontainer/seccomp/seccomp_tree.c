/* Theory of operation: several rules for a call may hold at once, and what they say may differ.
 * Which one counts is not in the specification; it is what libseccomp does, and so all
 * runtimes with it:
 *
 *  - conditions are a tree. A rule is a way down from the root, by its arguments in their order;
 *    rules that begin with the same conditions have that part of the way in common;
 *  - of the nodes on one level, those about the higher argument are tried first; then those for
 *    equality (and inequality), then upper bounds, then lower bounds; then the greater value,
 *    of upper bounds the smaller; then the one that was there first;
 *  - where a way down leads to nothing, the next node of the level above is tried;
 *  - a rule ends every longer one that begins as it does: it was there first and takes all
 *    calls, or it comes later and removes them. In the second case they must have the same action: as
 *    with two actions for the same conditions, the profile contradicts itself.
 *
 * libseccomp keeps the two halves of a 64-bit argument as nodes of their own. That shows
 * in one place, the order of values that have the same upper half (same_upper()). Where it only goes wrong
 * with them is not repeated here: with several rules that compare an argument by order or
 * for inequality, it mixes up what comes after, takes a rule to match that does not, or loses one. Here a rule
 * matches when its conditions hold, and never otherwise. */
#include "libcontainer/seccomp/seccomp_tree.h"

#include <endian.h>
#include <errno.h>
#include <linux/seccomp.h>

#include "libcontainer/seccomp/seccomp_tables.h"

#define UPPER(x) ((uint32_t)((x) >> 32))
#define LOWER(x) ((uint32_t)(x))

/* What follows when the condition of a node holds, or when it does not. */
struct branch {
	bool decided;
	uint32_t action;
	size_t rule;
	struct seccomp_tree_node *first; /* when not decided: a level, NULL: nothing */
};

struct seccomp_tree_node {
	struct seccomp_condition condition; /* not negated */
	struct branch when[2];		    /* [true]: it holds */
	struct seccomp_tree_node *next;
};

/* ---- conditions ------------------------------------------------------ */

bool
seccomp_condition_make(const struct spec_seccomp_arg *arg, bool wide, struct seccomp_condition *ret)
{
	static const struct {
		uint8_t code, rank;
		bool negated;
	} operators[] = {
		[SPEC_OP_NE] = { BPF_JEQ, 3, true },	     [SPEC_OP_LT] = { BPF_JGE, 2, true },
		[SPEC_OP_LE] = { BPF_JGT, 2, true },	     [SPEC_OP_EQ] = { BPF_JEQ, 3, false },
		[SPEC_OP_GE] = { BPF_JGE, 1, false },	     [SPEC_OP_GT] = { BPF_JGT, 1, false },
		[SPEC_OP_MASKED_EQ] = { BPF_JEQ, 3, false },
	};
	const uint64_t all = wide ? UINT64_MAX : UINT32_MAX;
	struct seccomp_condition c = { .arg = (uint8_t)arg->index,
				       .code = operators[arg->op].code,
				       .masked = arg->op == SPEC_OP_MASKED_EQ,
				       .negated = operators[arg->op].negated,
				       .rank = operators[arg->op].rank };

	c.mask = c.masked ? arg->value & all : all;
	c.value = (c.masked ? arg->value_two : arg->value) & c.mask;
	if (!c.mask)
		return false;
	*ret = c;
	return true;
}

/* The halves of libseccomp for which both conditions are the same node. */
static bool
same_upper(const struct seccomp_condition *left, const struct seccomp_condition *right)
{
	return left->arg == right->arg && left->rank == right->rank &&
	       (left->code == BPF_JEQ) == (right->code == BPF_JEQ) && left->masked == right->masked &&
	       UPPER(left->mask) == UPPER(right->mask) && UPPER(left->value) == UPPER(right->value);
}

static bool
same(const struct seccomp_condition *left, const struct seccomp_condition *right)
{
	return left->arg == right->arg && left->code == right->code && left->masked == right->masked &&
	       left->mask == right->mask && left->value == right->value;
}

/* a belongs behind b. */
static bool
is_after(const struct seccomp_condition *left, const struct seccomp_condition *right, bool wide)
{
	if (left->arg != right->arg)
		return left->arg < right->arg;
	if (left->rank != right->rank)
		return left->rank < right->rank;
	if (wide && UPPER(left->value) == UPPER(right->value) && !same_upper(left, right))
		return false;
	return left->rank == 2 ? left->value > right->value : left->value < right->value;
}

/* ---- the tree -------------------------------------------------------- */

/* The node of the level that asks the same; a new one in its place if there is none. NULL: too
 * many nodes. */
static struct seccomp_tree_node *
find_node(struct seccomp_tree *tree, struct seccomp_tree_node **level, const struct seccomp_condition *condition)
{
	struct seccomp_tree_node *n, **at;
	bool among_upper = false;

	for (at = level; *at; at = &(*at)->next) {
		if (same(&(*at)->condition, condition))
			return *at;
		if (is_after(&(*at)->condition, condition, tree->wide))
			break;
		if (tree->wide && same_upper(&(*at)->condition, condition))
			among_upper = true;
		else if (among_upper)
			break;
	}
	if (!tree->left)
		return NULL;
	tree->left--;
	n = arena_alloc(tree->arena, sizeof(*n));
	n->condition = *condition;
	n->condition.negated = false;
	n->next = *at;
	*at = n;
	return n;
}

/* The branch that decides by the last of these conditions, but not the first: it is tried
 * before, since its arguments are higher, and takes all calls for which all of them hold. NULL: there
 * is none. */
static const struct branch *
find_cover(const struct seccomp_tree *tree, const struct seccomp_condition *way, size_t n)
{
	for (size_t first = 1; first < n; first++) {
		const struct seccomp_tree_node *node = tree->first;

		for (size_t i = first; node && i < n;) {
			const struct branch *b = &node->when[!way[i].negated];

			if (!same(&node->condition, &way[i])) {
				node = node->next;
				continue;
			}
			if (b->decided)
				return b;
			node = b->first;
			i++;
		}
	}
	return NULL;
}

/* Whether whatever the branch at the end of the way decides is this action. The way has room for all
 * arguments. */
static bool
decides_only(const struct seccomp_tree *tree, const struct branch *branch, struct seccomp_condition *way, size_t n,
	     uint32_t action, size_t *ret_other)
{
	if (branch->decided && branch->action != action) {
		const struct branch *cover = find_cover(tree, way, n);

		*ret_other = branch->rule;
		return cover && cover->action == branch->action;
	}
	if (branch->decided)
		return true;
	for (const struct seccomp_tree_node *node = branch->first; node; node = node->next) {
		way[n] = node->condition;
		for (size_t i = 0; i < 2; i++) {
			way[n].negated = !i;
			if (!decides_only(tree, &node->when[i], way, n + 1, action, ret_other))
				return false;
		}
	}
	return true;
}

int
seccomp_tree_add(struct seccomp_tree *tree, const struct seccomp_condition *conditions, size_t n, uint32_t action,
		 size_t rule, size_t *ret_other)
{
	struct seccomp_condition way[SECCOMP_MAX_ARGS];
	struct seccomp_tree_node **level = &tree->first;
	struct branch *b;

	if (find_cover(tree, conditions, n))
		return 0;
	for (size_t i = 0;; i++) {
		struct seccomp_tree_node *node = find_node(tree, level, &conditions[i]);

		if (!node)
			return -E2BIG;
		way[i] = conditions[i];
		b = &node->when[!conditions[i].negated];
		if (i == n - 1)
			break;
		if (b->decided)
			return 0; /* by a shorter rule */
		level = &b->first;
	}
	if (!decides_only(tree, b, way, n, action, ret_other))
		return -EEXIST;
	if (!b->decided)
		*b = (struct branch){ .decided = true, .action = action, .rule = rule };
	return 0;
}

/* ---- to a graph ------------------------------------------------------ */

#define LOWER_FIRST (__BYTE_ORDER == __LITTLE_ENDIAN)

static uint8_t
offset_of(const struct seccomp_condition *condition, bool upper)
{
	return (uint8_t)(offsetof(struct seccomp_data, args) + 8 * condition->arg + (upper == LOWER_FIRST ? 4 : 0));
}

static bpf_node
ask_half(struct bpf_graph *graph, const struct seccomp_condition *condition, uint8_t code, bool upper, bpf_node yes,
	 bpf_node no)
{
	struct bpf_question q = { offset_of(condition, upper), code,
				  upper ? UPPER(condition->mask) : LOWER(condition->mask),
				  upper ? UPPER(condition->value) : LOWER(condition->value) };

	return bpf_graph_ask(graph, q, yes, no);
}

static bpf_node
ask(struct bpf_graph *graph, const struct seccomp_condition *condition, bool wide, bpf_node yes, bpf_node no)
{
	bpf_node lower = ask_half(graph, condition, condition->code, false, yes, no);

	if (!wide)
		return lower;
	lower = ask_half(graph, condition, BPF_JEQ, true, lower, no);
	return condition->code == BPF_JEQ ? lower : ask_half(graph, condition, BPF_JGT, true, yes, lower);
}

static bpf_node
decide_level(struct bpf_graph *graph, const struct seccomp_tree_node *node, bool wide, bpf_node otherwise)
{
	bpf_node outcomes[2], rest;

	if (!node || graph->full)
		return otherwise;
	rest = decide_level(graph, node->next, wide, otherwise);
	for (size_t i = 0; i < 2; i++)
		outcomes[i] = node->when[i].decided ? bpf_graph_return(graph, node->when[i].action)
						    : decide_level(graph, node->when[i].first, wide, rest);
	return ask(graph, &node->condition, wide, outcomes[true], outcomes[false]);
}

bpf_node
seccomp_tree_decide(const struct seccomp_tree *tree, struct bpf_graph *graph, bpf_node otherwise)
{
	return decide_level(graph, tree->first, tree->wide, otherwise);
}
