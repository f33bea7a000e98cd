/* knarr update: changes the limits of a container. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/command.h"
#include "runtime/config_report.h"
#include "runtime/number.h"

struct values {
	const char *resources;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_share, *cpu_burst, *cpu_idle, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *blkio_weight;
	const char *l3_cache_schema, *mem_bw_schema;
};

#define VALUE(member) offsetof(struct values, member)

#define DEFAULT_PERIOD 100000 /* of cpu.max, in microseconds */

/* clang-format off */
static const struct option_row rows[] = {
	{ "resources", 'r', OPTION_TEXT, "FILE", VALUE(resources),
	  "JSON file with an object like linux.resources (-: standard input); other options override it" },
	{ "memory", 0, OPTION_TEXT, "BYTES", VALUE(memory), "memory limit; may end in k, m, g or t; -1: no limit" },
	{ "memory-reservation", 0, OPTION_TEXT, "BYTES", VALUE(memory_reservation), "soft memory limit (memory.low); 0: no limit" },
	{ "memory-swap", 0, OPTION_TEXT, "BYTES", VALUE(memory_swap), "limit of memory and swap together; -1: no swap limit" },
	{ "kernel-memory", 0, OPTION_TEXT, "BYTES", VALUE(kernel_memory), "accepted with a warning: cgroup v2 has no such limit" },
	{ "kernel-memory-tcp", 0, OPTION_TEXT, "BYTES", VALUE(kernel_memory_tcp), "accepted with a warning: cgroup v2 has no such limit" },
	{ "cpu-period", 0, OPTION_TEXT, "USEC", VALUE(cpu_period), "period of the CPU quota; 0: the kernel's default" },
	{ "cpu-quota", 0, OPTION_TEXT, "USEC", VALUE(cpu_quota), "CPU time per period; -1 or 0: no limit" },
	{ "cpu-share", 0, OPTION_TEXT, "N", VALUE(cpu_share), "CPU weight relative to other containers, 2 to 262144 (default: 1024)" },
	{ "cpu-burst", 0, OPTION_TEXT, "USEC", VALUE(cpu_burst), "CPU time that may be accumulated beyond the quota; 0: none" },
	{ "cpu-idle", 0, OPTION_TEXT, "0|1", VALUE(cpu_idle), "1: run only when nothing else needs the CPU" },
	{ "cpu-rt-period", 0, OPTION_TEXT, "USEC", VALUE(cpu_rt_period), "refused but for 0: cgroup v2 has no realtime limits" },
	{ "cpu-rt-runtime", 0, OPTION_TEXT, "USEC", VALUE(cpu_rt_runtime), "refused but for 0: cgroup v2 has no realtime limits" },
	{ "cpuset-cpus", 0, OPTION_TEXT, "LIST", VALUE(cpuset_cpus), "CPUs to run on, such as 0-3,7" },
	{ "cpuset-mems", 0, OPTION_TEXT, "LIST", VALUE(cpuset_mems), "memory nodes to use" },
	{ "pids-limit", 0, OPTION_TEXT, "N", VALUE(pids_limit), "PID limit: highest number of processes and threads; -1: no limit; 0: same as 1" },
	{ "blkio-weight", 0, OPTION_TEXT, "N", VALUE(blkio_weight), "block I/O weight, 10 to 1000" },
	{ "l3-cache-schema", 0, OPTION_TEXT, "SCHEMA", VALUE(l3_cache_schema), "L3 cache allocation (resctrl), such as L3:0=7f0;1=1f" },
	{ "mem-bw-schema", 0, OPTION_TEXT, "SCHEMA", VALUE(mem_bw_schema), "memory bandwidth allocation (resctrl), such as MB:0=20;1=70" },
	{ 0 },
};
/* clang-format on */

/* ---- numbers ------------------------------------------------------------- */

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
fill_numbers(const struct cli *cli, const struct values *values, const struct number_row *table, size_t n, void *group)
{
	for (size_t i = 0; i < n; i++) {
		const struct number_row *row = &table[i];
		const char *text = *(const char *const *)((const char *)values + row->value);
		void *target = (char *)group + row->target;
		int64_t number;

		if (!text)
			continue;
		if (number_parse(text, row->min, row->max, row->bytes, &number) < 0)
			return err_plain(cli->err, "option '--%s': expected a number from %lld to %lld, found '%s'",
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

/* In a config 0 means "not given" for these. Whoever gives an option means something. */
static void
take_zeros(const struct values *values, struct spec_resources *resources)
{
	const struct {
		const char *option, *text;
		bool is_zero;
	} no_limits[] = {
		{ "--memory", values->memory, resources->memory->limit.v == 0 },
		{ "--memory-swap", values->memory_swap, resources->memory->swap.v == 0 },
		{ "--cpu-share", values->cpu_share, resources->cpu->shares.v == 0 },
		{ "--blkio-weight", values->blkio_weight, resources->block_io->weight.v == 0 },
	};

	if (values->cpu_quota && resources->cpu->quota.v == 0)
		resources->cpu->quota.v = -1;
	if (values->cpu_period && resources->cpu->period.v == 0)
		resources->cpu->period.v = DEFAULT_PERIOD;
	for (size_t i = 0; i < sizeof(no_limits) / sizeof(no_limits[0]); i++)
		if (no_limits[i].text && no_limits[i].is_zero)
			log_warning("option '%s' is ignored: 0 is not a value for it", no_limits[i].option);
	if (values->cpuset_cpus && !*values->cpuset_cpus)
		log_warning("option '--cpuset-cpus' is ignored: it is empty");
	if (values->cpuset_mems && !*values->cpuset_mems)
		log_warning("option '--cpuset-mems' is ignored: it is empty");
}

static int
fill(const struct cli *cli, const struct values *values, struct spec_resources *resources)
{
	struct arena *a = cli->arena;
	int ret;

	/* Empty groups ask for nothing. */
	if (!resources->memory)
		resources->memory = arena_alloc(a, sizeof(*resources->memory));
	if (!resources->cpu)
		resources->cpu = arena_alloc(a, sizeof(*resources->cpu));
	if (!resources->block_io)
		resources->block_io = arena_alloc(a, sizeof(*resources->block_io));
	if (values->cpuset_cpus && *values->cpuset_cpus)
		resources->cpu->cpus = arena_strdup(a, values->cpuset_cpus);
	if (values->cpuset_mems && *values->cpuset_mems)
		resources->cpu->mems = arena_strdup(a, values->cpuset_mems);
	ret = fill_numbers(cli, values, ROWS(memory_rows), resources->memory);
	if (ret == 0)
		ignore_limit(&resources->memory->kernel, "--kernel-memory");
	if (ret == 0)
		ignore_limit(&resources->memory->kernel_tcp, "--kernel-memory-tcp");
	if (ret == 0)
		ret = fill_numbers(cli, values, ROWS(cpu_rows), resources->cpu);
	if (ret == 0)
		ret = fill_numbers(cli, values, ROWS(pids_rows), resources);
	if (ret == 0)
		ret = fill_numbers(cli, values, ROWS(block_rows), resources->block_io);
	if (ret == 0)
		take_zeros(values, resources);
	return ret;
}

/* One line of a schemata file, of the resource that the option is for. */
static int
take_schema(const struct cli *cli, const char *option, const char *value, const char *resource, char **ret_schema)
{
	if (!value)
		return 0;
	if (strncmp(value, resource, strlen(resource)) != 0 || strchr(value, '\n'))
		return err_plain(cli->err, "option '--%s': expected a line that begins with '%s', found '%s'", option,
				 resource, value);
	*ret_schema = arena_strdup(cli->arena, value);
	return 0;
}

/* ret_rdt holds no line when none is asked for. */
static int
fill_schemata(const struct cli *cli, const struct values *values, struct spec_intel_rdt *ret_rdt)
{
	int ret = take_schema(cli, "l3-cache-schema", values->l3_cache_schema, "L3", &ret_rdt->l3_cache_schema);

	return ret < 0 ? ret : take_schema(cli, "mem-bw-schema", values->mem_bw_schema, "MB:", &ret_rdt->mem_bw_schema);
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct spec_report report = { 0 };
	struct spec_resources none = { 0 }, *r = &none;
	struct spec_intel_rdt rdt = { 0 };
	int ret = fill_schemata(cli, v, &rdt);

	if (ret == 0 && v->resources)
		ret = spec_load_resources(v->resources, cli->arena, &report, cli->err, &r);
	if (ret < 0 && report.n_errors > 0) {
		log_error_lines(config_report_text(cli->arena, v->resources, &report, SPEC_WARNING));
		return 1;
	}
	if (ret == 0)
		ret = fill(cli, v, r);
	if (ret < 0)
		return ret;
	return container_update(&cli->env, operands->items[0], r,
				rdt.l3_cache_schema || rdt.mem_bw_schema ? &rdt : NULL, cli->err);
}

const struct command command_update = {
	.name = "update",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "change the limits of a container",
	.text = "Writes new limits to the cgroup of a container, and schemata to its resctrl\n"
		"group; limits that are not named are left unchanged. A limit whose cgroup v2\n"
		"controller is missing on this host is an error. When the kernel refuses one\n"
		"limit, those written before it are put back. Device rules in FILE are ignored.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
