/* Theory of operation: the config speaks cgroup v1 for the most part. Each group
 * of linux.resources has one function here that turns it into lines "write this
 * value to that file of cgroup v2"; the order of the lines is the order of the
 * writes. Nothing is read or written here, so the whole conversion is tested
 * without a kernel.
 *
 * A value that means "no limit" needs no controller: where the controller is
 * absent there is no limit either. It is written all the same where the file
 * exists, since the directory may have been there before. Zero means "not given"
 * in the places where callers leave it so: limits of memory, cpu.shares, quota and
 * period, and weights. */
#include "cgroups/settings.h"

#include <string.h>

#include "cgroups/cpu_weight.h"
#include "cgroups/settings_list.h"

/* ---- building ---------------------------------------------------------- */

/* ---- memory ------------------------------------------------------------ */

/* memory.swap counts memory and swap together, memory.swap.max swap alone. */
static int
add_swap(struct settings *settings, const struct spec_memory *memory, struct err *err)
{
	static const char property[] = "linux.resources.memory.swap", file[] = "memory.swap.max";
	int64_t limit = memory->limit.set ? memory->limit.v : 0, swap = memory->swap.set ? memory->swap.v : 0;

	if (swap == -1 || (swap == 0 && limit == -1)) {
		settings_add_unlimited(settings, property, file, "max");
		return 0;
	}
	if (swap == 0)
		return 0;
	if (swap < 0)
		return err_plain(err, "%s: %lld is neither -1 nor a size", property, (long long)swap);
	if (limit <= 0)
		return err_plain(err,
				 "%s: %lld counts memory and swap together, which cgroup v2 can limit only where %s",
				 property, (long long)swap,
				 limit < 0 ? "memory.limit is not -1 (hint: with no limit of memory give -1 for both)"
					   : "there is a memory.limit");
	if (swap < limit)
		return err_plain(err, "%s: %lld is less than memory.limit, %lld (it counts memory and swap together)",
				 property, (long long)swap, (long long)limit);
	/* A kernel without swap has no file for "no swap". */
	settings_add(settings, CONTROLLER_MEMORY, property, file,
		     arena_printf(settings->arena, "%lld", (long long)(swap - limit)))
		->optional = swap == limit;
	return 0;
}

static int
add_memory_size(struct settings *settings, const struct opt_i64 *value, const char *property, const char *file,
		struct err *err)
{
	if (!value->set)
		return 0;
	if (value->v < -1)
		return err_plain(err, "%s: %lld is neither -1 nor a size", property, (long long)value->v);
	if (value->v <= 0)
		settings_add_unlimited(settings, property, file, value->v ? "max" : "0");
	else
		settings_add(settings, CONTROLLER_MEMORY, property, file,
			     arena_printf(settings->arena, "%lld", (long long)value->v));
	return 0;
}

/* useHierarchy is not among them: v2 always does. */
static int
refuse_memory(const struct spec_memory *memory, struct err *err)
{
	int e = settings_refuse_if(memory->kernel.set && memory->kernel.v > 0, "linux.resources.memory.kernel", err);

	if (e == 0)
		e = settings_refuse_if(memory->kernel_tcp.set && memory->kernel_tcp.v > 0,
				       "linux.resources.memory.kernelTCP", err);
	if (e == 0)
		e = settings_refuse_if(memory->swappiness.set && memory->swappiness.v > 0,
				       "linux.resources.memory.swappiness", err);
	if (e == 0)
		e = settings_refuse_if(memory->disable_oom_killer.set && memory->disable_oom_killer.v,
				       "linux.resources.memory.disableOOMKiller", err);
	return e;
}

static int
add_memory(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	const struct spec_memory *m = resources->memory;
	int e;

	if (!m)
		return 0;
	/* A limit of 0 is none at all; a reservation of 0 takes an older one back. */
	if (m->limit.v &&
	    (e = add_memory_size(settings, &m->limit, "linux.resources.memory.limit", "memory.max", err)) < 0)
		return e;
	if (m->check_before_update.set && m->check_before_update.v && m->limit.set && m->limit.v > 0) {
		settings->items[settings->n - 1].check_usage = true;
		settings->items[settings->n - 1].limit = (unsigned long long)m->limit.v;
	}
	if ((e = add_swap(settings, m, err)) < 0 ||
	    (e = add_memory_size(settings, &m->reservation, "linux.resources.memory.reservation", "memory.low", err)) <
		    0)
		return e;
	return refuse_memory(m, err);
}

/* ---- cpu --------------------------------------------------------------- */

static int
add_cpu_max(struct settings *settings, const struct spec_cpu *cpu, struct err *err)
{
	long long quota = cpu->quota.set ? cpu->quota.v : 0;
	unsigned long long period = cpu->period.set ? cpu->period.v : 0, burst = cpu->burst.set ? cpu->burst.v : 0;

	if (quota > 0 && period)
		settings_add(settings, CONTROLLER_CPU, "linux.resources.cpu.quota", "cpu.max",
			     arena_printf(settings->arena, "%lld %llu", quota, period));
	else if (quota > 0)
		settings_add(settings, CONTROLLER_CPU, "linux.resources.cpu.quota", "cpu.max",
			     arena_printf(settings->arena, "%lld", quota));
	else if (period)
		settings_add_unlimited(settings, "linux.resources.cpu.period", "cpu.max",
				       arena_printf(settings->arena, "max %llu", period));
	else if (quota < 0)
		settings_add_unlimited(settings, "linux.resources.cpu.quota", "cpu.max", "max");

	if (burst && quota > 0 && burst > (unsigned long long)quota)
		return err_plain(err, "linux.resources.cpu.burst: %llu is more than cpu.quota, %lld", burst, quota);
	if (burst)
		settings_add(settings, CONTROLLER_CPU, "linux.resources.cpu.burst", "cpu.max.burst",
			     arena_printf(settings->arena, "%llu", burst));
	else if (cpu->burst.set)
		settings_add_unlimited(settings, "linux.resources.cpu.burst", "cpu.max.burst", "0");
	return 0;
}

/* The kernel has no weight for an idle group, refuses one, and forgets that of before. So
 * idle 0 comes before cpu.weight, and beside idle 1 there is none. */
static void
add_weight_and_idle(struct settings *settings, const struct spec_cpu *cpu)
{
	bool is_idle = cpu->idle.set && cpu->idle.v != 0;

	if (cpu->idle.set && !is_idle)
		settings_add_unlimited(settings, "linux.resources.cpu.idle", "cpu.idle", "0");
	if (cpu->shares.set && cpu->shares.v && !is_idle) {
		struct setting *item =
			settings_add(settings, CONTROLLER_CPU, "linux.resources.cpu.shares", "cpu.weight",
				     arena_printf(settings->arena, "%u", cpu_weight(cpu->shares.v)));

		item->soft = item->optional = true;
	}
	if (is_idle)
		settings_add(settings, CONTROLLER_CPU, "linux.resources.cpu.idle", "cpu.idle",
			     arena_printf(settings->arena, "%lld", (long long)cpu->idle.v));
}

static int
add_cpu(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	const struct spec_cpu *c = resources->cpu;
	int e;

	if (!c)
		return 0;
	if (c->realtime_runtime.set && c->realtime_runtime.v)
		return err_plain(err, "linux.resources.cpu.realtimeRuntime: cgroup v2 has no realtime limits");
	if (c->realtime_period.set && c->realtime_period.v)
		return err_plain(err, "linux.resources.cpu.realtimePeriod: cgroup v2 has no realtime limits");
	add_weight_and_idle(settings, c);
	if ((e = add_cpu_max(settings, c, err)) < 0)
		return e;
	if (c->cpus && *c->cpus)
		settings_add(settings, CONTROLLER_CPUSET, "linux.resources.cpu.cpus", "cpuset.cpus", c->cpus);
	if (c->mems && *c->mems)
		settings_add(settings, CONTROLLER_CPUSET, "linux.resources.cpu.mems", "cpuset.mems", c->mems);
	return 0;
}

/* ---- pids -------------------------------------------------------------- */

static int
add_pids(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	static const char property[] = "linux.resources.pids.limit";

	if (!resources->pids_limit.set)
		return 0;
	if (resources->pids_limit.v < -1)
		return err_plain(err, "%s: %lld is neither -1 nor a number of tasks", property,
				 (long long)resources->pids_limit.v);
	if (resources->pids_limit.v == -1)
		settings_add_unlimited(settings, property, "pids.max", "max");
	else /* 0 is a limit too (config-linux.md#pids), of what the program may make beside
	      * itself: with 0 in the file it could not be made either, and systemd takes none */
		settings_add(settings, CONTROLLER_PIDS, property, "pids.max",
			     arena_printf(settings->arena, "%lld",
					  resources->pids_limit.v ? (long long)resources->pids_limit.v : 1));
	return 0;
}

/* ---- unified ----------------------------------------------------------- */

static void
add_unified_key(struct settings *settings, const struct spec_pair *pair)
{
	settings_add(settings, controller_of_file(pair->key),
		     arena_printf(settings->arena, "linux.resources.unified[\"%s\"]", pair->key), pair->key,
		     pair->value);
}

/* Last, so that what is written in v2's own words wins. A partition comes after all
 * of its CPUs are known. */
static int
add_unified(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	const struct spec_pair *partition = NULL;

	for (size_t i = 0; i < resources->unified.n; i++) {
		const struct spec_pair *p = &resources->unified.items[i];

		if (!settings_is_file_name(p->key))
			return err_plain(err, "linux.resources.unified: '%s' is not the name of a cgroup file", p->key);
		if (!strcmp(p->key, SETTINGS_PARTITION))
			partition = p;
		else
			add_unified_key(settings, p);
	}
	if (partition)
		add_unified_key(settings, partition);
	return 0;
}

/* ---- all --------------------------------------------------------------- */

int
settings_compile(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	static int (*const groups[])(struct settings *, const struct spec_resources *, struct err *) = {
		add_memory,	    add_cpu,	   add_pids,	     settings_block_io,
		settings_hugepages, settings_rdma, settings_network, add_unified,
	};

	if (!resources)
		return 0;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int e = groups[i](settings, resources, err);

		if (e < 0)
			return e;
	}
	return 0;
}

const struct setting *
settings_first_needed(const struct settings *settings)
{
	for (size_t i = 0; i < settings->n; i++) {
		const struct setting *item = &settings->items[i];

		/* Core files (cgroup.max.depth) are of no controller, and must be there. */
		if (item->file && !item->soft && (item->needs != CONTROLLER_NONE || !item->optional))
			return item;
	}
	return NULL;
}
