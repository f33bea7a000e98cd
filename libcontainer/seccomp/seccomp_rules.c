/* Theory of operation: all names are looked up once. Then, for one architecture after the
 * other, rules are collected in a table by the number of their call.
 *
 * A rule without conditions decides its call whatever other rules say about it, and the first such
 * rule counts. What several rules with conditions mean is in seccomp_tree.c. */
#include "libcontainer/seccomp/seccomp_rules.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/log.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "libcontainer/seccomp/seccomp_tree.h"

/* Numbers of an architecture are together, but for some of arm. */
#define N_PRIVATE   16
#define N_NUMBERS   (SECCOMP_SLOTS - N_PRIVATE)
#define ARM_PRIVATE 0x0f0000U

/* A name in a rule. */
struct entry {
	struct seccomp_call call;
	uint32_t rule;
	bool counts; /* false: the rule does what the default does */
	bool always; /* the rule has no conditions */
	uint32_t action;
};

/* A rule with conditions for the call of a slot. */
struct pending {
	const struct entry *entry;
	const struct spec_seccomp_arg *args;
	size_t n_args;
	uint32_t part; /* of socketcall(2), ipc(2); 0: none */
	struct pending *next;
};

/* What the rules say about a number. */
struct slot {
	bool decided;
	uint32_t action;
	struct pending *last; /* its next is the first: a ring */
};

struct seccomp_rules {
	const struct spec_seccomp *s;
	struct bpf_graph *g;
	uint32_t default_action;
	struct entry *entries;
	size_t n_entries;
	size_t n_lost; /* names that nobody knows, in rules that are stricter than the default */
	struct slot *slots;
	uint32_t last_action; /* that was decided without conditions, and its node */
	bpf_node last_node;
};

/* ---- names ----------------------------------------------------------- */

/* The kernel compares actions as signed numbers: the lower is the stricter one. */
static bool
is_stricter(uint32_t action, uint32_t than)
{
	return (int32_t)(action & SECCOMP_RET_ACTION_FULL) < (int32_t)(than & SECCOMP_RET_ACTION_FULL);
}

/* A profile that names the calls of another world is not worth more than some lines. */
#define MAX_WARNINGS 16

static void
report_unknown(struct seccomp_rules *rules, size_t rule, const char *name, uint32_t action)
{
	if (!is_stricter(action, rules->default_action))
		log_debug("linux.seccomp.syscalls[%zu]: unknown system call '%s' left out", rule, name);
	else if (rules->n_lost++ < MAX_WARNINGS)
		log_warning("linux.seccomp.syscalls[%zu]: the system call '%s' is unknown: if the kernel has it, "
			    "it is not restricted by this rule",
			    rule, name);
}

static void
find_calls(struct seccomp_rules *rules, size_t i)
{
	const struct spec_seccomp_rule *rule = &rules->s->syscalls[i];
	uint32_t action = seccomp_action_value(rule->action, rule->errno_ret);
	const struct seccomp_call *before = NULL;

	for (size_t j = 0; j < rule->names.n; j++) {
		struct entry *e = &rules->entries[rules->n_entries];

		if (seccomp_call_find_after(rule->names.items[j], before, &e->call)) {
			e->rule = (uint32_t)i;
			e->counts = action != rules->default_action;
			e->always = rule->n_args == 0;
			e->action = action;
			rules->n_entries++;
			before = &e->call;
		} else {
			report_unknown(rules, i, rule->names.items[j], action);
		}
	}
}

struct seccomp_rules *
seccomp_rules_find(const struct spec_seccomp *profile, struct bpf_graph *graph, uint32_t default_action)
{
	struct seccomp_rules *r = arena_alloc(graph->arena, sizeof(*r));
	size_t n = 1;

	*r = (struct seccomp_rules){
		.s = profile, .g = graph, .default_action = default_action, .last_action = default_action
	};
	r->last_node = bpf_graph_return(graph, default_action);
	for (size_t i = 0; i < profile->n_syscalls; i++)
		n += profile->syscalls[i].names.n;
	r->slots = arena_array(graph->arena, SECCOMP_SLOTS, sizeof(*r->slots));
	r->entries = arena_array(graph->arena, n, sizeof(*r->entries));
	for (size_t i = 0; i < profile->n_syscalls; i++)
		find_calls(r, i);
	if (r->n_lost > MAX_WARNINGS)
		log_warning("linux.seccomp: %zu more unknown system calls that are not restricted",
			    r->n_lost - MAX_WARNINGS);
	return r;
}

/* ---- the rules of each call ------------------------------------------ */

/* Fills out (as many as there are arguments) in the order of the arguments; conditions that
 * always hold are left out. Returns how many there are. */
static size_t
make_conditions(const struct pending *pending, bool wide, struct seccomp_condition *out)
{
	const struct spec_seccomp_arg is_part = { .index = 0, .value = pending->part, .op = SPEC_OP_EQ };
	size_t n = 0;

	for (uint32_t index = 0; index < SECCOMP_MAX_ARGS; index++) {
		const struct spec_seccomp_arg *arg = index == 0 && pending->part ? &is_part : NULL;

		for (size_t i = 0; i < pending->n_args && !arg; i++)
			if (pending->args[i].index == index)
				arg = &pending->args[i];
		if (arg && seccomp_condition_make(arg, wide, &out[n]))
			n++;
	}
	return n;
}

/* The first rule without conditions decides. */
static void
decide(struct slot *slot, uint32_t action)
{
	if (slot->decided)
		return;
	slot->decided = true;
	slot->action = action;
}

static void
add_rule(struct seccomp_rules *rules, struct slot *slot, const struct seccomp_arch *arch, const struct pending *pending)
{
	struct seccomp_condition conditions[SECCOMP_MAX_ARGS];
	struct pending *copy;

	if (slot->decided)
		return;
	if ((!pending->n_args && !pending->part) || make_conditions(pending, arch->wide, conditions) == 0) {
		decide(slot, pending->entry->action);
		return;
	}
	copy = arena_alloc(rules->g->arena, sizeof(*copy));
	*copy = *pending;
	copy->next = slot->last ? slot->last->next : copy;
	if (slot->last)
		slot->last->next = copy;
	slot->last = copy;
}

static bool
same_argument_twice(const struct spec_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

/* Gives NULL for a number that no kernel has. */
static struct slot *
find_slot(struct seccomp_rules *rules, const struct seccomp_arch *arch, int64_t number)
{
	if (number >= arch->base && number < arch->base + N_NUMBERS)
		return &rules->slots[number - arch->base];
	if (number >= ARM_PRIVATE && number < ARM_PRIVATE + N_PRIVATE)
		return &rules->slots[N_NUMBERS + (number - ARM_PRIVATE)];
	return NULL;
}

static void
add_entry(struct seccomp_rules *rules, const struct entry *entry, const struct seccomp_arch *arch, int64_t number,
	  uint32_t part)
{
	const struct spec_seccomp_rule *rule = &rules->s->syscalls[entry->rule];
	struct slot *slot = find_slot(rules, arch, number);
	struct pending p;

	if (!slot)
		return;
	if (entry->always && !part) {
		decide(slot, entry->action);
		return;
	}
	p = (struct pending){ .entry = entry, .args = rule->args, .n_args = rule->n_args, .part = part };
	if (!same_argument_twice(rule)) {
		add_rule(rules, slot, arch, &p);
		return;
	}
	p.n_args = 1;
	for (size_t i = 0; i < rule->n_args; i++) {
		p.args = &rule->args[i];
		add_rule(rules, slot, arch, &p);
	}
}

uint32_t
seccomp_rules_collect(struct seccomp_rules *rules, const struct seccomp_arch *arch)
{
	int64_t highest = 0;

	memset(rules->slots, 0, SECCOMP_SLOTS * sizeof(*rules->slots));
	for (size_t i = 0; i < rules->n_entries; i++) {
		const struct entry *e = &rules->entries[i];
		uint32_t part;
		int64_t number = seccomp_call_number(&e->call, arch);
		int64_t multiplexer = seccomp_call_multiplexer(&e->call, arch, &part);

		if (number > highest)
			highest = number;
		if (multiplexer > highest)
			highest = multiplexer;
		if (!e->counts)
			continue;
		if (multiplexer >= 0)
			add_entry(rules, e, arch, multiplexer, part);
		if (number >= 0)
			add_entry(rules, e, arch, number, 0);
	}
	return (uint32_t)highest;
}

/* ---- decisions ------------------------------------------------------- */

/* A rule into the tree of its call. */
static int
add_conditions(const struct seccomp_rules *rules, const struct pending *pending, struct seccomp_tree *tree,
	       struct err *err)
{
	const struct spec_seccomp_rule *rule = &rules->s->syscalls[pending->entry->rule];
	struct seccomp_condition conditions[SECCOMP_MAX_ARGS];
	size_t n = make_conditions(pending, tree->wide, conditions), other = 0;
	uint32_t action = seccomp_action_value(rule->action, rule->errno_ret);

	switch (seccomp_tree_add(tree, conditions, n, action, pending->entry->rule, &other)) {
	case 0:
		return 0;
	case -EEXIST:
		return err_plain(err,
				 "linux.seccomp.syscalls[%u]: for '%s' it contradicts syscalls[%zu]: another action "
				 "for calls with the same arguments",
				 pending->entry->rule, pending->entry->call.name, other);
	default:
		return err_plain(err,
				 "linux.seccomp.syscalls[%u]: the conditions for '%s' need more than the %d "
				 "instructions that the kernel takes",
				 pending->entry->rule, pending->entry->call.name, BPF_MAXINSNS);
	}
}

bool
seccomp_rules_has(const struct seccomp_rules *rules, size_t slot)
{
	return rules->slots[slot].decided || rules->slots[slot].last;
}

int
seccomp_rules_decide(struct seccomp_rules *rules, size_t slot, bool wide, bpf_node otherwise, struct err *err,
		     bpf_node *ret_node)
{
	const struct slot *s = &rules->slots[slot];
	const struct pending *p = s->last;
	struct seccomp_tree t;

	if (s->decided) {
		if (s->action != rules->last_action) {
			rules->last_action = s->action;
			rules->last_node = bpf_graph_return(rules->g, s->action);
		}
		*ret_node = rules->last_node;
		return 0;
	}
	t = (struct seccomp_tree){ .arena = rules->g->arena, .wide = wide, .left = BPF_MAXINSNS };
	do {
		int e;

		p = p->next;
		e = add_conditions(rules, p, &t, err);
		if (e < 0)
			return e;
	} while (p != s->last);
	*ret_node = seccomp_tree_decide(&t, rules->g, otherwise);
	return 0;
}

uint32_t
seccomp_rules_number(const struct seccomp_arch *arch, size_t slot)
{
	return slot < N_NUMBERS ? arch->base + (uint32_t)slot : ARM_PRIVATE + (uint32_t)(slot - N_NUMBERS);
}
