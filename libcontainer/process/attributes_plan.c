/* Theory of operation: see attributes.h. What the kernel would answer with a bare
 * EINVAL in the child is checked here, where the message can say why. */
#include "libcontainer/attributes.h"

#include <limits.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

#define LONG_BITS (sizeof(unsigned long) * CHAR_BIT)

/* Highest number in a list, as the kernel's interface of memory nodes has it. */
#define MAX_NODE 32767

/* ---- scheduler ------------------------------------------------------- */

static int
check_scheduler(const struct spec_scheduler *c, struct err *err)
{
	bool realtime = c->policy == SCHED_FIFO || c->policy == SCHED_RR;
	bool deadline = c->policy == SCHED_DEADLINE;

	if (realtime && (!c->priority.set || c->priority.v < 1 || c->priority.v > 99))
		return err_plain(err, "process.scheduler.priority: SCHED_FIFO and SCHED_RR need one in 1 … 99");
	if (!realtime && c->priority.set && c->priority.v != 0)
		return err_plain(err, "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one");
	if (c->nice.set && (c->nice.v < -20 || c->nice.v > 19))
		return err_plain(err, "process.scheduler.nice: %d is not in -20 … 19", c->nice.v);
	if (!deadline && (c->runtime || c->deadline || c->period))
		return err_plain(err, "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE only");
	if (deadline && (!c->runtime || c->runtime > c->deadline || (c->period && c->deadline > c->period)))
		return err_plain(err, "process.scheduler: SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
	return 0;
}

static int
plan_scheduler(struct plan_builder *b, const struct spec_scheduler *c, struct err *err)
{
	int r = check_scheduler(c, err);

	if (r < 0)
		return r;
	plan_add(b, PLAN_SET_SCHEDULER, "process.scheduler")->u.scheduler = (struct plan_scheduler){
		.policy = c->policy,
		.nice = c->nice.v,
		.priority = (uint32_t)c->priority.v,
		.flags = c->flags,
		.runtime = c->runtime,
		.deadline = c->deadline,
		.period = c->period,
	};
	return 0;
}

/* ---- memory policy --------------------------------------------------- */

/* A number with blanks around it, which the schema allows; leaves *p behind them. */
static bool
parse_number(const char **p, unsigned long *ret_number)
{
	char *end;

	*p += strspn(*p, " ");
	if (**p < '0' || **p > '9')
		return false;
	*ret_number = strtoul(*p, &end, 10);
	*p = end + strspn(end, " ");
	return *ret_number <= MAX_NODE;
}

/* One number or range. */
static bool
parse_range(const char **p, unsigned long *first, unsigned long *last)
{
	if (!parse_number(p, first))
		return false;
	*last = *first;
	if (**p != '-')
		return true;
	*p += 1;
	return parse_number(p, last) && *first <= *last;
}

int
attributes_parse_list(struct arena *a, const char *property, const char *list, struct err *err,
		      unsigned long **ret_mask, uint32_t *ret_bits)
{
	unsigned long *mask = arena_array(a, (MAX_NODE + 1) / LONG_BITS, sizeof(*mask));
	unsigned long first, last, highest = 0;

	for (const char *p = list;;) {
		if (!parse_range(&p, &first, &last) || (*p && *p != ','))
			return err_plain(err, "%s: expected a list as \"0-3,7\" (at most %d), found \"%s\"", property,
					 MAX_NODE, list);
		for (unsigned long n = first; n <= last; n++)
			mask[n / LONG_BITS] |= 1UL << n % LONG_BITS;
		if (last > highest)
			highest = last;
		if (!*p++)
			break;
	}
	*ret_mask = mask;
	*ret_bits = (uint32_t)((highest / LONG_BITS + 1) * LONG_BITS);
	return 0;
}

static int
plan_memory_policy(struct plan_builder *b, const struct spec_memory_policy *m, struct err *err)
{
	bool given = m->nodes && m->nodes[strspn(m->nodes, " ")];
	bool takes_none = m->mode == MPOL_DEFAULT || m->mode == MPOL_LOCAL;
	struct plan_memory_policy p = { .mode = m->mode, .flags = m->flags };
	unsigned long *mask;
	uint32_t bits = 0;
	int r;

	if (given && takes_none)
		return err_plain(err, "linux.memoryPolicy.nodes: this mode takes none");
	if (!given && !takes_none && m->mode != MPOL_PREFERRED)
		return err_plain(err, "linux.memoryPolicy.nodes: this mode needs at least one");
	if ((m->flags & MPOL_F_STATIC_NODES) && (m->flags & MPOL_F_RELATIVE_NODES))
		return err_plain(err, "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude "
				      "each other");
	if (given) {
		r = attributes_parse_list(b->arena, "linux.memoryPolicy.nodes", m->nodes, err, &mask, &bits);
		if (r < 0)
			return r;
		p.nodes = plan_data(b, mask, bits / CHAR_BIT);
		p.max_node = bits + 1; /* the kernel reads one bit less than it is told */
	}
	plan_add(b, PLAN_SET_MEMORY_POLICY, "linux.memoryPolicy")->u.memory_policy = p;
	return 0;
}

/* ---- labels ---------------------------------------------------------- */

static void
plan_label(struct plan_builder *b, const char *property, const char *file, const char *text)
{
	struct plan_label l = { .file = plan_string(b, file), .text = plan_string(b, text) };

	plan_add(b, PLAN_SET_LABEL, "%s", property)->u.label = l;
}

int
attributes_plan_labels(struct plan_builder *b, const struct spec_process *p, const struct host *h, struct err *err)
{
	const char *profile = p->apparmor_profile, *label = p->selinux_label;

	if (profile && profile[0]) {
		if (!h->apparmor)
			return err_plain(err,
					 "process.apparmorProfile: '%s' asked for, but AppArmor is not active on this "
					 "host",
					 profile);
		plan_label(b, "process.apparmorProfile", host_kernel_at_least(h, 5, 8) ? "apparmor/exec" : "exec",
			   arena_printf(b->arena, "exec %s", profile));
	}
	if (label && label[0]) {
		if (!h->selinux)
			return err_plain(err,
					 "process.selinuxLabel: '%s' asked for, but SELinux is not active on this host",
					 label);
		plan_label(b, "process.selinuxLabel", "exec", label);
	}
	return 0;
}

/* ---- all of it ------------------------------------------------------- */

int
attributes_plan(struct plan_builder *b, const struct spec *s, struct err *err)
{
	const struct spec_process *p = s->process;
	int r = 0;

	if (p && p->scheduler)
		r = plan_scheduler(b, p->scheduler, err);
	if (r == 0 && p && p->io_priority)
		plan_add(b, PLAN_SET_IO_PRIORITY, "process.ioPriority")->u.io_priority =
			(struct plan_io_priority){ p->io_priority->class, p->io_priority->priority };
	if (r == 0 && s->linux_.personality.set)
		plan_add(b, PLAN_SET_PERSONALITY, "linux.personality")->u.personality.domain =
			s->linux_.personality.domain;
	if (r == 0 && s->linux_.memory_policy)
		r = plan_memory_policy(b, s->linux_.memory_policy, err);
	return r;
}
