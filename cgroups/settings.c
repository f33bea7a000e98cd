/* Theory of operation: the config speaks cgroup v1 for the most part. Each group
 * of linux.resources has one function here that turns it into lines "write this
 * value to that file of cgroup v2"; the order of the lines is the order of the
 * writes. Nothing is read or written here, so the whole conversion is tested
 * without a kernel.
 *
 * A value that means "no limit" needs no controller: where the controller is
 * absent there is no limit either. It is written all the same where the file
 * exists, since the folder may have been there before. Zero means "not given"
 * in the places where callers leave it so (all but pids.limit). */
#include "cgroups/settings.h"

#include <string.h>

#include "cgroups/cpu_weight.h"

/* ---- building ---------------------------------------------------------- */

static struct setting *
add_setting(struct settings *s, enum controller needs, const char *property, const char *file, const char *value)
{
	struct setting *item;

	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;

		s->items = arena_grow(s->arena, s->items, s->n * sizeof(*s->items), cap * sizeof(*s->items));
		s->cap = cap;
	}
	item = &s->items[s->n++];
	*item = (struct setting){ .property = property, .file = file, .value = value, .needs = needs };
	return item;
}

/* "No limit": needs no controller, and no file. */
static void
add_unlimited(struct settings *s, const char *property, const char *file, const char *value)
{
	add_setting(s, CONTROLLER_NONE, property, file, value)->optional = true;
}

static const char no_v2_file[] = "cgroup v2 has no such setting";

/* Of a controller that v2 does not have at all. */
static void
add_warning(struct settings *s, const char *property)
{
	add_setting(s, CONTROLLER_NONE, property, NULL, no_v2_file);
}

/* Of a controller that v2 has, but not this: what cannot be converted is an error
 * (config-linux.md#unified). */
static int
refuse_if(bool asked, const char *property, struct err *err)
{
	return asked ? err_plain(err, "%s: %s", property, no_v2_file) : 0;
}

/* ---- memory ------------------------------------------------------------ */

/* memory.swap counts memory and swap together, memory.swap.max swap alone. */
static int
add_swap(struct settings *s, const struct spec_memory *m, struct err *err)
{
	static const char property[] = "linux.resources.memory.swap", file[] = "memory.swap.max";
	int64_t limit = m->limit.set ? m->limit.v : 0, swap = m->swap.set ? m->swap.v : 0;

	if (swap == -1 || (swap == 0 && limit == -1)) {
		add_unlimited(s, property, file, "max");
		return 0;
	}
	if (swap == 0)
		return 0;
	if (swap < 0)
		return err_plain(err, "%s: %lld is neither -1 nor a size", property, (long long)swap);
	if (limit <= 0)
		return err_plain(err, "%s: %lld counts memory and swap together and needs a memory.limit", property,
				 (long long)swap);
	if (swap < limit)
		return err_plain(err, "%s: %lld is less than memory.limit, %lld (it counts memory and swap together)",
				 property, (long long)swap, (long long)limit);
	/* A kernel without swap has no file for "no swap". */
	add_setting(s, CONTROLLER_MEMORY, property, file, arena_printf(s->arena, "%lld", (long long)(swap - limit)))
		->optional = swap == limit;
	return 0;
}

static int
add_memory_size(struct settings *s, const struct opt_i64 *v, const char *property, const char *file, struct err *err)
{
	if (!v->set || v->v == 0)
		return 0;
	if (v->v < -1)
		return err_plain(err, "%s: %lld is neither -1 nor a size", property, (long long)v->v);
	if (v->v == -1)
		add_unlimited(s, property, file, "max");
	else
		add_setting(s, CONTROLLER_MEMORY, property, file, arena_printf(s->arena, "%lld", (long long)v->v));
	return 0;
}

/* useHierarchy is not among them: v2 always does. */
static int
refuse_memory(const struct spec_memory *m, struct err *err)
{
	int e = refuse_if(m->kernel.set && m->kernel.v > 0, "linux.resources.memory.kernel", err);

	if (e == 0)
		e = refuse_if(m->kernel_tcp.set && m->kernel_tcp.v > 0, "linux.resources.memory.kernelTCP", err);
	if (e == 0)
		e = refuse_if(m->swappiness.set && m->swappiness.v > 0, "linux.resources.memory.swappiness", err);
	if (e == 0)
		e = refuse_if(m->disable_oom_killer.set && m->disable_oom_killer.v,
			      "linux.resources.memory.disableOOMKiller", err);
	return e;
}

static int
add_memory(struct settings *s, const struct spec_resources *r, struct err *err)
{
	const struct spec_memory *m = r->memory;
	int e;

	if (!m)
		return 0;
	if ((e = add_memory_size(s, &m->limit, "linux.resources.memory.limit", "memory.max", err)) < 0)
		return e;
	if (m->check_before_update.set && m->check_before_update.v && m->limit.set && m->limit.v > 0) {
		s->items[s->n - 1].check_usage = true;
		s->items[s->n - 1].limit = (unsigned long long)m->limit.v;
	}
	if ((e = add_swap(s, m, err)) < 0 ||
	    (e = add_memory_size(s, &m->reservation, "linux.resources.memory.reservation", "memory.low", err)) < 0)
		return e;
	return refuse_memory(m, err);
}

/* ---- cpu --------------------------------------------------------------- */

static int
add_cpu_max(struct settings *s, const struct spec_cpu *c, struct err *err)
{
	long long quota = c->quota.set ? c->quota.v : 0;
	unsigned long long period = c->period.set ? c->period.v : 0, burst = c->burst.set ? c->burst.v : 0;

	if (quota > 0 && period)
		add_setting(s, CONTROLLER_CPU, "linux.resources.cpu.quota", "cpu.max",
			    arena_printf(s->arena, "%lld %llu", quota, period));
	else if (quota > 0)
		add_setting(s, CONTROLLER_CPU, "linux.resources.cpu.quota", "cpu.max",
			    arena_printf(s->arena, "%lld", quota));
	else if (period)
		add_unlimited(s, "linux.resources.cpu.period", "cpu.max", arena_printf(s->arena, "max %llu", period));
	else if (quota < 0)
		add_unlimited(s, "linux.resources.cpu.quota", "cpu.max", "max");

	if (burst && quota > 0 && burst > (unsigned long long)quota)
		return err_plain(err, "linux.resources.cpu.burst: %llu is more than cpu.quota, %lld", burst, quota);
	if (burst)
		add_setting(s, CONTROLLER_CPU, "linux.resources.cpu.burst", "cpu.max.burst",
			    arena_printf(s->arena, "%llu", burst));
	return 0;
}

static int
add_cpu(struct settings *s, const struct spec_resources *r, struct err *err)
{
	const struct spec_cpu *c = r->cpu;
	int e;

	if (!c)
		return 0;
	if (c->realtime_runtime.set && c->realtime_runtime.v)
		return err_plain(err, "linux.resources.cpu.realtimeRuntime: cgroup v2 has no realtime limits");
	if (c->realtime_period.set && c->realtime_period.v)
		return err_plain(err, "linux.resources.cpu.realtimePeriod: cgroup v2 has no realtime limits");
	if (c->shares.set && c->shares.v) {
		struct setting *item = add_setting(s, CONTROLLER_CPU, "linux.resources.cpu.shares", "cpu.weight",
						   arena_printf(s->arena, "%u", cpu_weight(c->shares.v)));

		item->soft = item->optional = true;
	}
	if ((e = add_cpu_max(s, c, err)) < 0)
		return e;
	/* After cpu.weight: the kernel refuses weights of idle groups. */
	if (c->idle.set && c->idle.v == 0)
		add_unlimited(s, "linux.resources.cpu.idle", "cpu.idle", "0");
	else if (c->idle.set)
		add_setting(s, CONTROLLER_CPU, "linux.resources.cpu.idle", "cpu.idle",
			    arena_printf(s->arena, "%lld", (long long)c->idle.v));
	if (c->cpus && *c->cpus)
		add_setting(s, CONTROLLER_CPUSET, "linux.resources.cpu.cpus", "cpuset.cpus", c->cpus);
	if (c->mems && *c->mems)
		add_setting(s, CONTROLLER_CPUSET, "linux.resources.cpu.mems", "cpuset.mems", c->mems);
	return 0;
}

/* ---- pids -------------------------------------------------------------- */

static int
add_pids(struct settings *s, const struct spec_resources *r, struct err *err)
{
	static const char property[] = "linux.resources.pids.limit";

	if (!r->pids_limit.set)
		return 0;
	if (r->pids_limit.v < -1)
		return err_plain(err, "%s: %lld is neither -1 nor a number of tasks", property,
				 (long long)r->pids_limit.v);
	if (r->pids_limit.v == -1)
		add_unlimited(s, property, "pids.max", "max");
	else /* 0 is a limit too: config-linux.md#pids */
		add_setting(s, CONTROLLER_PIDS, property, "pids.max",
			    arena_printf(s->arena, "%lld", (long long)r->pids_limit.v));
	return 0;
}

/* ---- block io ---------------------------------------------------------- */

/* The BFQ scheduler's file takes v1 weights; io.weight goes from 1 to 10000.
 * device: "8:0 ", or "" for the group's own weight. */
static int
add_weight(struct settings *s, unsigned weight, const char *property, const char *device, struct err *err)
{
	struct setting *item;

	if (weight == 0)
		return 0;
	if (weight < 10 || weight > 1000)
		return err_plain(err, "%s: %u is not between 10 and 1000", property, weight);
	item = add_setting(s, CONTROLLER_IO, property, "io.bfq.weight", arena_printf(s->arena, "%s%u", device, weight));
	item->alt_file = "io.weight";
	item->alt_value = arena_printf(s->arena, "%s%u", device, 1 + (weight - 10) * 9999 / 990);
	return 0;
}

static int
add_weights(struct settings *s, const struct spec_block_io *io, struct err *err)
{
	int e;

	if (io->weight.set && (e = add_weight(s, io->weight.v, "linux.resources.blockIO.weight", "", err)) < 0)
		return e;
	if ((e = refuse_if(io->leaf_weight.set && io->leaf_weight.v, "linux.resources.blockIO.leafWeight", err)) < 0)
		return e;
	for (size_t i = 0; i < io->n_weight_devices; i++) {
		const struct spec_weight_device *d = &io->weight_devices[i];
		const char *property = arena_printf(s->arena, "linux.resources.blockIO.weightDevice[%zu]", i);
		const char *device = arena_printf(s->arena, "%lld:%lld ", (long long)d->major, (long long)d->minor);

		if (d->weight.set && (e = add_weight(s, d->weight.v, property, device, err)) < 0)
			return e;
		property = arena_printf(s->arena, "%s.leafWeight", property);
		if ((e = refuse_if(d->leaf_weight.set && d->leaf_weight.v, property, err)) < 0)
			return e;
	}
	return 0;
}

static void
add_throttles(struct settings *s, const struct spec_throttles *t, const char *name, const char *key)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct spec_throttle_device *d = &t->items[i];
		const char *property = arena_printf(s->arena, "linux.resources.blockIO.%s[%zu]", name, i);
		long long major = d->major, minor = d->minor;

		/* v1 takes a rate of 0 as "no limit". */
		if (d->rate == 0)
			add_unlimited(s, property, "io.max",
				      arena_printf(s->arena, "%lld:%lld %s=max", major, minor, key));
		else
			add_setting(s, CONTROLLER_IO, property, "io.max",
				    arena_printf(s->arena, "%lld:%lld %s=%llu", major, minor, key,
						 (unsigned long long)d->rate));
	}
}

static int
add_block_io(struct settings *s, const struct spec_resources *r, struct err *err)
{
	const struct spec_block_io *io = r->block_io;
	int e;

	if (!io)
		return 0;
	if ((e = add_weights(s, io, err)) < 0)
		return e;
	add_throttles(s, &io->read_bps, "throttleReadBpsDevice", "rbps");
	add_throttles(s, &io->write_bps, "throttleWriteBpsDevice", "wbps");
	add_throttles(s, &io->read_iops, "throttleReadIOPSDevice", "riops");
	add_throttles(s, &io->write_iops, "throttleWriteIOPSDevice", "wiops");
	return 0;
}

/* ---- hugetlb, rdma, network -------------------------------------------- */

/* A file of a cgroup, and nothing else: the config names it or a part of it. */
static bool
is_file_name(const char *name)
{
	return *name && *name != '.' && !strpbrk(name, "/\n") && strlen(name) < 256;
}

static int
add_hugepages(struct settings *s, const struct spec_resources *r, struct err *err)
{
	for (size_t i = 0; i < r->n_hugepage_limits; i++) {
		const struct spec_hugepage_limit *h = &r->hugepage_limits[i];
		const char *property = arena_printf(s->arena, "linux.resources.hugepageLimits[%zu]", i);
		const char *value = arena_printf(s->arena, "%llu", (unsigned long long)h->limit);

		if (!is_file_name(h->page_size) || strchr(h->page_size, '.'))
			return err_plain(err, "%s.pageSize: '%s' is not a size like \"2MB\"", property, h->page_size);
		/* Reservations are counted since Linux 5.7. */
		add_setting(s, CONTROLLER_HUGETLB, property,
			    arena_printf(s->arena, "hugetlb.%s.rsvd.max", h->page_size), value)
			->optional = true;
		add_setting(s, CONTROLLER_HUGETLB, property, arena_printf(s->arena, "hugetlb.%s.max", h->page_size),
			    value);
	}
	return 0;
}

static int
add_rdma(struct settings *s, const struct spec_resources *r, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < r->n_rdma; i++) {
		const struct spec_rdma *d = &r->rdma[i];
		const char *value = d->device;

		if (d->hca_handles.set)
			value = arena_printf(s->arena, "%s hca_handle=%u", value, d->hca_handles.v);
		if (d->hca_objects.set)
			value = arena_printf(s->arena, "%s hca_object=%u", value, d->hca_objects.v);
		add_setting(s, CONTROLLER_RDMA, arena_printf(s->arena, "linux.resources.rdma[\"%s\"]", d->device),
			    "rdma.max", value);
	}
	return 0;
}

static int
add_network(struct settings *s, const struct spec_resources *r, struct err *err)
{
	(void)err;
	if (r->network && r->network->class_id.set && r->network->class_id.v)
		add_warning(s, "linux.resources.network.classID");
	if (r->network && r->network->n_priorities)
		add_warning(s, "linux.resources.network.priorities");
	return 0;
}

/* ---- unified ----------------------------------------------------------- */

static void
add_unified_key(struct settings *s, const struct spec_pair *p)
{
	add_setting(s, controller_of_file(p->key), arena_printf(s->arena, "linux.resources.unified[\"%s\"]", p->key),
		    p->key, p->value);
}

/* Last, so that what is written in v2's own words wins. A partition comes after all
 * of its processors are known. */
static int
add_unified(struct settings *s, const struct spec_resources *r, struct err *err)
{
	const struct spec_pair *partition = NULL;

	for (size_t i = 0; i < r->unified.n; i++) {
		const struct spec_pair *p = &r->unified.items[i];

		if (!is_file_name(p->key))
			return err_plain(err, "linux.resources.unified: '%s' is not the name of a cgroup file", p->key);
		if (!strcmp(p->key, SETTINGS_PARTITION))
			partition = p;
		else
			add_unified_key(s, p);
	}
	if (partition)
		add_unified_key(s, partition);
	return 0;
}

/* ---- all --------------------------------------------------------------- */

int
settings_compile(struct settings *s, const struct spec_resources *r, struct err *err)
{
	static int (*const groups[])(struct settings *, const struct spec_resources *, struct err *) = {
		add_memory, add_cpu, add_pids, add_block_io, add_hugepages, add_rdma, add_network, add_unified,
	};

	if (!r)
		return 0;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int e = groups[i](s, r, err);

		if (e < 0)
			return e;
	}
	return 0;
}

const struct setting *
settings_first_needed(const struct settings *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].needs != CONTROLLER_NONE && !s->items[i].soft)
			return &s->items[i];
	return NULL;
}
