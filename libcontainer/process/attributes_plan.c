/* What the kernel would answer with a bare
 * EINVAL in the child is checked here, where the message can say why. */
#include "libcontainer/process/attributes.h"

#include <limits.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

/* SCHED_FLAG_RESET_ON_FORK of <linux/sched.h>, which clashes with <sched.h>. */
#define FLAG_RESET_ON_FORK 1

#define LONG_BITS (sizeof(unsigned long) * CHAR_BIT)

/* Highest number in a list, as the kernel's interface of memory nodes has it. */
#define MAX_NODE 32767

/* ---- scheduler ------------------------------------------------------- */

static int
check_scheduler(const struct spec_scheduler *scheduler, struct err *err)
{
	bool realtime = scheduler->policy == SCHED_FIFO || scheduler->policy == SCHED_RR;
	bool deadline = scheduler->policy == SCHED_DEADLINE;

	if (realtime && (!scheduler->priority.set || scheduler->priority.v < 1 || scheduler->priority.v > 99))
		return err_plain(err, "process.scheduler.priority: SCHED_FIFO and SCHED_RR need one in 1 … 99");
	if (!realtime && scheduler->priority.set && scheduler->priority.v != 0)
		return err_plain(err, "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one");
	if (scheduler->nice.set && (scheduler->nice.v < -20 || scheduler->nice.v > 19))
		return err_plain(err, "process.scheduler.nice: %d is not in -20 … 19", scheduler->nice.v);
	if (!deadline && (scheduler->runtime || scheduler->deadline || scheduler->period))
		return err_plain(err, "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE only");
	if (deadline && (!scheduler->runtime || scheduler->runtime > scheduler->deadline ||
			 (scheduler->period && scheduler->deadline > scheduler->period)))
		return err_plain(err, "process.scheduler: SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
	return 0;
}

/* A process of SCHED_DEADLINE may make no other, and one that resets its policy on fork
 * hands it down to none: sched(7). */
static bool
is_inherited(const struct spec_scheduler *scheduler)
{
	return scheduler->policy != SCHED_DEADLINE && !(scheduler->flags & FLAG_RESET_ON_FORK);
}

static int
plan_scheduler(struct plan_builder *b, const struct spec_scheduler *scheduler, struct err *err)
{
	int r = check_scheduler(scheduler, err);
	struct plan_scheduler planned = {
		.policy = scheduler->policy,
		.nice = scheduler->nice.v,
		.priority = (uint32_t)scheduler->priority.v,
		.flags = scheduler->flags,
		.runtime = scheduler->runtime,
		.deadline = scheduler->deadline,
		.period = scheduler->period,
	};

	if (r < 0)
		return r;
	if (b->spawn.enters_pidns_last && !is_inherited(scheduler)) {
		b->spawn.has_scheduler = true;
		b->spawn.scheduler = planned;
	} else {
		plan_add(b, PLAN_SET_SCHEDULER, "process.scheduler")->u.scheduler = planned;
	}
	return 0;
}

/* ---- memory policy --------------------------------------------------- */

/* A number with blanks around it, which the schema allows; leaves *p behind them. */
static bool
parse_number(const char **text, unsigned long *ret_number)
{
	char *end;

	*text += strspn(*text, " ");
	if (**text < '0' || **text > '9')
		return false;
	*ret_number = strtoul(*text, &end, 10);
	*text = end + strspn(end, " ");
	return *ret_number <= MAX_NODE;
}

/* One number or range. */
static bool
parse_range(const char **text, unsigned long *first, unsigned long *last)
{
	if (!parse_number(text, first))
		return false;
	*last = *first;
	if (**text != '-')
		return true;
	*text += 1;
	return parse_number(text, last) && *first <= *last;
}

int
attributes_parse_list(struct arena *a, const char *property, const char *list, struct err *err,
		      unsigned long **ret_mask, uint32_t *ret_bits)
{
	unsigned long *mask = arena_array(a, (MAX_NODE + 1) / LONG_BITS, sizeof(*mask));
	/* By how many ranges more a number is in than the one before it: a long list of large
	 * ranges costs no more than its length. */
	int32_t *change = arena_array(a, MAX_NODE + 2, sizeof(*change)), ranges = 0;
	unsigned long first, last, highest = 0;

	for (const char *p = list;;) {
		if (!parse_range(&p, &first, &last) || (*p && *p != ','))
			return err_plain(err, "%s: expected a list like \"0-3,7\" (at most %d), found \"%s\"", property,
					 MAX_NODE, list);
		change[first]++;
		change[last + 1]--;
		if (last > highest)
			highest = last;
		if (!*p++)
			break;
	}
	for (unsigned long n = 0; n <= highest; n++)
		if ((ranges += change[n]) > 0)
			mask[n / LONG_BITS] |= 1UL << n % LONG_BITS;
	*ret_mask = mask;
	*ret_bits = (uint32_t)((highest / LONG_BITS + 1) * LONG_BITS);
	return 0;
}

static int
plan_memory_policy(struct plan_builder *b, const struct spec_memory_policy *policy, struct err *err)
{
	bool given = policy->nodes && policy->nodes[strspn(policy->nodes, " ")];
	bool takes_none = policy->mode == MPOL_DEFAULT || policy->mode == MPOL_LOCAL;
	struct plan_memory_policy p = { .mode = policy->mode, .flags = policy->flags };
	unsigned long *mask;
	uint32_t bits = 0;
	int r;

	if (given && takes_none)
		return err_plain(err, "linux.memoryPolicy.nodes: this mode takes none");
	if (!given && !takes_none && policy->mode != MPOL_PREFERRED)
		return err_plain(err, "linux.memoryPolicy.nodes: this mode needs at least one");
	if ((policy->flags & MPOL_F_STATIC_NODES) && (policy->flags & MPOL_F_RELATIVE_NODES))
		return err_plain(err, "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude "
				      "each other");
	if (given) {
		r = attributes_parse_list(b->arena, "linux.memoryPolicy.nodes", policy->nodes, err, &mask, &bits);
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
attributes_plan_labels(struct plan_builder *b, const struct spec_process *process, const struct host *host,
		       struct err *err)
{
	const char *profile = process->apparmor_profile, *label = process->selinux_label;

	if (profile && profile[0]) {
		if (!host->apparmor)
			return err_plain(err,
					 "process.apparmorProfile: '%s' requested, but AppArmor is not active on this "
					 "host",
					 profile);
		plan_label(b, "process.apparmorProfile", host_kernel_at_least(host, 5, 8) ? "apparmor/exec" : "exec",
			   arena_printf(b->arena, "exec %s", profile));
	}
	if (label && label[0]) {
		if (!host->selinux)
			return err_plain(err,
					 "process.selinuxLabel: '%s' requested, but SELinux is not active on this host",
					 label);
		plan_label(b, "process.selinuxLabel", "exec", label);
	}
	return 0;
}

/* ---- all of it ------------------------------------------------------- */

int
attributes_plan(struct plan_builder *b, const struct spec *spec, struct err *err)
{
	const struct spec_process *p = spec->process;
	int r = 0;

	if (p && p->scheduler)
		r = plan_scheduler(b, p->scheduler, err);
	if (r == 0 && p && p->io_priority)
		plan_add(b, PLAN_SET_IO_PRIORITY, "process.ioPriority")->u.io_priority =
			(struct plan_io_priority){ p->io_priority->class, p->io_priority->priority };
	if (r == 0 && spec->linux_.personality.set)
		plan_add(b, PLAN_SET_PERSONALITY, "linux.personality")->u.personality.domain =
			spec->linux_.personality.domain;
	if (r == 0 && spec->linux_.memory_policy)
		r = plan_memory_policy(b, spec->linux_.memory_policy, err);
	return r;
}
