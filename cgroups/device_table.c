/* Theory of operation: the rules of a type are sorted by major, minor, and from the last
 * to the first. What concerns one device is then in four runs at most: rules for all
 * devices, for all of its major, for its minor in every major, and for itself. In each run
 * a rule that only repeats bits of later ones is dropped, so a run has three at most, and
 * a device is decided in a few steps however many rules there are. Only numbers that a
 * rule names can differ from their neighbours; so the table is made by one walk over the
 * sorted rules. */
#include "cgroups/device_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
device_rule_matches_nothing(const struct device_rule *rule)
{
	return !rule->access || rule->major < DEVICE_ANY || rule->minor < DEVICE_ANY || rule->major > INT32_MAX ||
	       rule->minor > INT32_MAX;
}

/* More than jumps of 16 bits can skip; ends what rules for thousands of minors of every
 * major would multiply to. */
#define MAX_PIECES ((size_t)64 * 1024)

struct entry {
	int64_t major, minor;
	size_t index; /* of the rule */
	unsigned access;
	bool allow;
};

/* Entries beside each other. */
struct run {
	const struct entry *items;
	size_t n;
};

struct builder {
	struct arena *arena;
	struct device_minors *pieces; /* of the major in hand */
	size_t n, cap, total;
	struct device_table table;
	size_t majors_cap;
};

/* ---- sorting ------------------------------------------------------------ */

static int
compare(const void *left, const void *right)
{
	const struct entry *x = left, *y = right;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return x->index > y->index ? -1 : x->index < y->index;
}

/* Drops what later rules for the same devices have decided already. */
static size_t
drop_repeated(struct entry *entries, size_t n)
{
	unsigned decided = 0;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct entry *e = &entries[i];

		if (i == 0 || e->major != entries[i - 1].major || e->minor != entries[i - 1].minor)
			decided = 0;
		if (e->access & ~decided) {
			decided |= e->access;
			/* In place: what was passed is compared by its numbers alone. */
			if (kept != i)
				entries[kept] = *e;
			kept++;
		}
	}
	return kept;
}

static struct run
sort_entries(const struct device_rule *rules, size_t n, char type, struct arena *a)
{
	struct entry *entries = arena_array(a, n + 1, sizeof(*entries));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct device_rule *r = &rules[i];

		if ((r->type == type || r->type == 'a') && !device_rule_matches_nothing(r))
			entries[kept++] = (struct entry){ r->major, r->minor, i, r->access, r->allow };
	}
	qsort(entries, kept, sizeof(*entries), compare);
	return (struct run){ entries, drop_repeated(entries, kept) };
}

/* Cuts off the entries of the first major in r, or of its first minor. */
static struct run
take_major(struct run *run)
{
	struct run taken = { run->items, 0 };

	while (taken.n < run->n && run->items[taken.n].major == run->items[0].major)
		taken.n++;
	run->items += taken.n;
	run->n -= taken.n;
	return taken;
}

/* The entries of this minor, if it is the first in r. */
static struct run
take_minor(struct run *run, int64_t minor)
{
	struct run taken = { run->items, 0 };

	while (taken.n < run->n && run->items[taken.n].minor == minor)
		taken.n++;
	run->items += taken.n;
	run->n -= taken.n;
	return taken;
}

/* ---- deciding ----------------------------------------------------------- */

/* The accesses that are allowed to a device which is in these runs: for each bit the
 * last rule that has it counts, none denies. */
static unsigned
decide(struct run runs[4])
{
	unsigned open = DEVICE_ACCESS_ALL, allowed = 0;

	while (open) {
		struct run *last = NULL;

		for (size_t i = 0; i < 4; i++)
			if (runs[i].n && (!last || runs[i].items->index > last->items->index))
				last = &runs[i];
		if (!last)
			break;
		if (last->items->allow)
			allowed |= last->items->access & open;
		open &= ~last->items->access;
		last->items++;
		last->n--;
	}
	return allowed;
}

/* ---- building ----------------------------------------------------------- */

static void
add_piece(struct builder *builder, int64_t first, unsigned access)
{
	if (builder->n && builder->pieces[builder->n - 1].access == access)
		return;
	if (builder->n == builder->cap) {
		size_t cap = builder->cap ? 2 * builder->cap : 16;

		builder->pieces = arena_grow(builder->arena, builder->pieces, builder->n * sizeof(*builder->pieces),
					     cap * sizeof(*builder->pieces));
		builder->cap = cap;
	}
	builder->pieces[builder->n++] = (struct device_minors){ (uint32_t)first, access };
}

static int64_t
first_minor(const struct run *run)
{
	return run->n ? run->items->minor : INT64_MAX;
}

/* The pieces of one major, whose own rules are own; every: those for all majors. */
static struct device_majors
make_minors(struct builder *builder, int64_t first, struct run every, struct run own)
{
	struct run all = take_minor(&every, DEVICE_ANY), own_all = take_minor(&own, DEVICE_ANY);
	unsigned rest = decide((struct run[4]){ all, own_all });
	int64_t next = 0;

	builder->n = builder->cap = 0;
	builder->pieces = NULL;
	while (every.n || own.n) {
		int64_t minor = first_minor(&every) < first_minor(&own) ? first_minor(&every) : first_minor(&own);
		struct run here = take_minor(&every, minor), own_here = take_minor(&own, minor);

		if (minor > next)
			add_piece(builder, next, rest);
		add_piece(builder, minor, decide((struct run[4]){ all, own_all, here, own_here }));
		next = minor + 1;
	}
	add_piece(builder, next, rest);
	return (struct device_majors){ (uint32_t)first, builder->pieces, builder->n };
}

static bool
same_minors(const struct device_majors *left, const struct device_majors *right)
{
	return left->n == right->n &&
	       (left->minors == right->minors || !memcmp(left->minors, right->minors, left->n * sizeof(*left->minors)));
}

static int
add_major(struct builder *builder, int64_t first, struct device_majors majors)
{
	struct device_table *t = &builder->table;

	majors.first = (uint32_t)first;
	if (t->n && same_minors(&t->majors[t->n - 1], &majors))
		return 0;
	builder->total += majors.n;
	if (builder->total > MAX_PIECES)
		return -E2BIG;
	if (t->n == builder->majors_cap) {
		size_t cap = builder->majors_cap ? 2 * builder->majors_cap : 16;

		t->majors = arena_grow(builder->arena, t->majors, t->n * sizeof(*t->majors), cap * sizeof(*t->majors));
		builder->majors_cap = cap;
	}
	t->majors[t->n++] = majors;
	return 0;
}

int
device_table_make(const struct device_rule *rules, size_t n, char type, struct arena *a, struct device_table *ret_table)
{
	struct builder b = { .arena = a };
	struct run rest = sort_entries(rules, n, type, a), every = { 0 };
	struct device_majors others;
	int64_t next = 0;
	int r = 0;

	if (rest.n && rest.items->major == DEVICE_ANY)
		every = take_major(&rest);
	others = make_minors(&b, 0, every, (struct run){ 0 });
	while (r == 0 && rest.n) {
		int64_t major = rest.items->major;
		struct run own = take_major(&rest);

		if (major > next)
			r = add_major(&b, next, others);
		if (r == 0)
			r = add_major(&b, major, make_minors(&b, major, every, own));
		next = major + 1;
	}
	if (r == 0)
		r = add_major(&b, next, others);
	*ret_table = b.table;
	return r;
}

bool
device_table_equal(const struct device_table *left, const struct device_table *right)
{
	if (left->n != right->n)
		return false;
	for (size_t i = 0; i < left->n; i++)
		if (left->majors[i].first != right->majors[i].first ||
		    !same_minors(&left->majors[i], &right->majors[i]))
			return false;
	return true;
}
