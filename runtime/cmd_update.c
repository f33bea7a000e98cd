/* knarr update: new limits for a container that runs. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/command.h"
#include "runtime/config_report.h"

struct values {
	const char *resources;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_share, *cpu_burst, *cpu_idle, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *blkio_weight;
	const char *l3_cache_schema, *mem_bw_schema;
};

#define VALUE(member) offsetof(struct values, member)

/* clang-format off */
static const struct option_row rows[] = {
	{ "resources", 'r', OPTION_TEXT, "FILE", VALUE(resources),
	  "JSON file with an object like linux.resources (-: standard input); other options count above it" },
	{ "memory", 0, OPTION_TEXT, "BYTES", VALUE(memory), "memory limit; may end in k, m, g or t; -1: none" },
	{ "memory-reservation", 0, OPTION_TEXT, "BYTES", VALUE(memory_reservation), "soft memory limit (memory.low)" },
	{ "memory-swap", 0, OPTION_TEXT, "BYTES", VALUE(memory_swap), "limit of memory and swap together; -1: no limit of swap" },
	{ "kernel-memory", 0, OPTION_TEXT, "BYTES", VALUE(kernel_memory), "accepted with a warning: cgroup v2 has no such limit" },
	{ "kernel-memory-tcp", 0, OPTION_TEXT, "BYTES", VALUE(kernel_memory_tcp), "accepted with a warning: cgroup v2 has no such limit" },
	{ "cpu-period", 0, OPTION_TEXT, "USEC", VALUE(cpu_period), "period of the cpu quota" },
	{ "cpu-quota", 0, OPTION_TEXT, "USEC", VALUE(cpu_quota), "cpu time per period; -1: no limit" },
	{ "cpu-share", 0, OPTION_TEXT, "N", VALUE(cpu_share), "weight against other containers, 2 to 262144 (1024: one share)" },
	{ "cpu-burst", 0, OPTION_TEXT, "USEC", VALUE(cpu_burst), "cpu time that may be saved up above the quota" },
	{ "cpu-idle", 0, OPTION_TEXT, "0|1", VALUE(cpu_idle), "1: run only when nothing else wants the cpu" },
	{ "cpu-rt-period", 0, OPTION_TEXT, "USEC", VALUE(cpu_rt_period), "refused but for 0: cgroup v2 has no realtime limits" },
	{ "cpu-rt-runtime", 0, OPTION_TEXT, "USEC", VALUE(cpu_rt_runtime), "refused but for 0: cgroup v2 has no realtime limits" },
	{ "cpuset-cpus", 0, OPTION_TEXT, "LIST", VALUE(cpuset_cpus), "cpus to run on, as 0-3,7" },
	{ "cpuset-mems", 0, OPTION_TEXT, "LIST", VALUE(cpuset_mems), "memory nodes to use" },
	{ "pids-limit", 0, OPTION_TEXT, "N", VALUE(pids_limit), "highest number of tasks; -1: no limit" },
	{ "blkio-weight", 0, OPTION_TEXT, "N", VALUE(blkio_weight), "block I/O weight, 10 to 1000" },
	{ "l3-cache-schema", 0, OPTION_TEXT, "SCHEMA", VALUE(l3_cache_schema), "shares of the L3 cache (resctrl), as L3:0=7f0;1=1f" },
	{ "mem-bw-schema", 0, OPTION_TEXT, "SCHEMA", VALUE(mem_bw_schema), "shares of the memory bandwidth (resctrl), as MB:0=20;1=70" },
	{ 0 },
};
/* clang-format on */

/* ---- numbers ------------------------------------------------------------- */

/* A whole number in [min, max], with a sign when min allows; suffixes: k, m, g, t
 * (of 1024), with a B or iB behind or not. */
static int
parse_number(const char *text, int64_t min, int64_t max, bool suffixes, int64_t *ret_value)
{
	static const char units[] = "kmgt";
	const char *unit;
	long long v;
	char *end;

	if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
		return -EINVAL;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (suffixes && *end && (unit = strchr(units, tolower((unsigned char)*end)))) {
		for (ptrdiff_t i = unit - units; i >= 0; i--)
			if (__builtin_mul_overflow(v, 1024, &v))
				return -ERANGE;
		end++;
		end += *end == 'i' && (end[1] == 'b' || end[1] == 'B');
	}
	if (suffixes && (*end == 'b' || *end == 'B'))
		end++;
	if (*end || v < min || v > max)
		return -EINVAL;
	*ret_value = v;
	return 0;
}

enum target_kind { TARGET_I64, TARGET_U64, TARGET_U16 };

/* The option at `value`, a number, goes into an opt_* of the group. */
struct number_row {
	const char *name;
	size_t value;
	enum target_kind kind;
	bool bytes;
	int64_t min, max;
	size_t target;
};

static int
fill_numbers(const struct cli *c, const struct values *v, const struct number_row *table, size_t n, void *group)
{
	for (size_t i = 0; i < n; i++) {
		const struct number_row *row = &table[i];
		const char *text = *(const char *const *)((const char *)v + row->value);
		void *target = (char *)group + row->target;
		int64_t number;

		if (!text)
			continue;
		if (parse_number(text, row->min, row->max, row->bytes, &number) < 0)
			return err_plain(c->err, "option '--%s': expected a number from %lld to %lld, found '%s'",
					 row->name, (long long)row->min, (long long)row->max, text);
		switch (row->kind) {
		case TARGET_I64:
			*(struct opt_i64 *)target = (struct opt_i64){ true, number };
			break;
		case TARGET_U64:
			*(struct opt_u64 *)target = (struct opt_u64){ true, (uint64_t)number };
			break;
		case TARGET_U16:
			*(struct opt_u16 *)target = (struct opt_u16){ true, (uint16_t)number };
			break;
		}
	}
	return 0;
}

#define MEMORY(name, member, field)                                                                                    \
	{                                                                                                              \
		name, VALUE(member), TARGET_I64, true, -1, INT64_MAX, offsetof(struct spec_memory, field)              \
	}
#define CPU(name, member, kind, min, max, field)                                                                       \
	{                                                                                                              \
		name, VALUE(member), kind, false, min, max, offsetof(struct spec_cpu, field)                           \
	}
#define ROWS(table) table, sizeof(table) / sizeof((table)[0])

static const struct number_row memory_rows[] = {
	MEMORY("memory", memory, limit),
	MEMORY("memory-reservation", memory_reservation, reservation),
	MEMORY("memory-swap", memory_swap, swap),
	MEMORY("kernel-memory", kernel_memory, kernel),
	MEMORY("kernel-memory-tcp", kernel_memory_tcp, kernel_tcp),
};

static const struct number_row cpu_rows[] = {
	CPU("cpu-period", cpu_period, TARGET_U64, 0, INT64_MAX, period),
	CPU("cpu-quota", cpu_quota, TARGET_I64, -1, INT64_MAX, quota),
	CPU("cpu-share", cpu_share, TARGET_U64, 0, INT64_MAX, shares),
	CPU("cpu-burst", cpu_burst, TARGET_U64, 0, INT64_MAX, burst),
	CPU("cpu-idle", cpu_idle, TARGET_I64, 0, 1, idle),
	CPU("cpu-rt-period", cpu_rt_period, TARGET_U64, 0, INT64_MAX, realtime_period),
	CPU("cpu-rt-runtime", cpu_rt_runtime, TARGET_I64, -1, INT64_MAX, realtime_runtime),
};

static const struct number_row pids_rows[] = {
	{ "pids-limit", VALUE(pids_limit), TARGET_I64, false, -1, INT64_MAX,
	  offsetof(struct spec_resources, pids_limit) },
};

static const struct number_row block_rows[] = {
	{ "blkio-weight", VALUE(blkio_weight), TARGET_U16, false, 0, 1000, offsetof(struct spec_block_io, weight) },
};

/* ---- the command --------------------------------------------------------- */

/* Scripts written for runc give these; in a config they are errors. */
static void
ignore_limit(struct opt_i64 *limit, const char *option)
{
	if (limit->set)
		log_warning("option '%s' is ignored: cgroup v2 has no such limit", option);
	limit->set = false;
}

static int
fill(const struct cli *c, const struct values *v, struct spec_resources *r)
{
	struct arena *a = c->arena;
	int ret;

	/* Empty groups ask for nothing. */
	if (!r->memory)
		r->memory = arena_alloc(a, sizeof(*r->memory));
	if (!r->cpu)
		r->cpu = arena_alloc(a, sizeof(*r->cpu));
	if (!r->block_io)
		r->block_io = arena_alloc(a, sizeof(*r->block_io));
	if (v->cpuset_cpus)
		r->cpu->cpus = arena_strdup(a, v->cpuset_cpus);
	if (v->cpuset_mems)
		r->cpu->mems = arena_strdup(a, v->cpuset_mems);
	ret = fill_numbers(c, v, ROWS(memory_rows), r->memory);
	if (ret == 0)
		ignore_limit(&r->memory->kernel, "--kernel-memory");
	if (ret == 0)
		ignore_limit(&r->memory->kernel_tcp, "--kernel-memory-tcp");
	if (ret == 0)
		ret = fill_numbers(c, v, ROWS(cpu_rows), r->cpu);
	if (ret == 0)
		ret = fill_numbers(c, v, ROWS(pids_rows), r);
	if (ret == 0)
		ret = fill_numbers(c, v, ROWS(block_rows), r->block_io);
	return ret;
}

/* One line of a schemata file, of the resource that the option is for. */
static int
take_schema(const struct cli *c, const char *option, const char *value, const char *resource, char **ret_schema)
{
	if (!value)
		return 0;
	if (strncmp(value, resource, strlen(resource)) != 0 || strchr(value, '\n'))
		return err_plain(c->err, "option '--%s': expected a line that begins with '%s', found '%s'", option,
				 resource, value);
	*ret_schema = arena_strdup(c->arena, value);
	return 0;
}

/* ret_rdt holds no line when none is asked for. */
static int
fill_schemata(const struct cli *c, const struct values *v, struct spec_intel_rdt *ret_rdt)
{
	int ret = take_schema(c, "l3-cache-schema", v->l3_cache_schema, "L3", &ret_rdt->l3_cache_schema);

	return ret < 0 ? ret : take_schema(c, "mem-bw-schema", v->mem_bw_schema, "MB:", &ret_rdt->mem_bw_schema);
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct spec_report report = { 0 };
	struct spec_resources none = { 0 }, *r = &none;
	struct spec_intel_rdt rdt = { 0 };
	int ret = fill_schemata(c, v, &rdt);

	if (ret == 0 && v->resources)
		ret = spec_load_resources(v->resources, c->arena, &report, c->err, &r);
	if (ret < 0 && report.n_errors > 0) {
		log_error("%s", config_report_text(c->arena, v->resources, &report, SPEC_WARNING));
		return 1;
	}
	if (ret == 0)
		ret = fill(c, v, r);
	if (ret < 0)
		return ret;
	return container_update(&c->env, operands->items[0], r, rdt.l3_cache_schema || rdt.mem_bw_schema ? &rdt : NULL,
				c->err);
}

const struct command command_update = {
	.name = "update",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "change the limits of a container",
	.text = "Writes new limits to the cgroup of a container, and schemata to its group of\n"
		"resctrl; what is not named stays as it is. A limit whose cgroup v2 controller is\n"
		"missing on this host is an error. Device rules in FILE are ignored.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
