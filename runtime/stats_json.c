/* Theory of operation: the members, their order, their units and which of them are
 * left out at zero are those of runc, whose readers (go-runc, monitoring agents)
 * parse this. It keeps the shape of cgroup v1: swap counts memory too, times are in
 * nanoseconds, and no limit is 2^64-1 for memory but 0 for pids. Beyond runc: the
 * network devices of every container with a network of its own, and failcnt of
 * memory from memory.events. */
#include "runtime/stats_json.h"

static void
member(struct json_out *j, const char *key, uint64_t value)
{
	json_out_key(j, key);
	json_out_uint(j, value);
}

static void
member_unless_zero(struct json_out *j, const char *key, uint64_t value)
{
	if (value)
		member(j, key, value);
}

static void
open_member(struct json_out *j, const char *key, char bracket)
{
	json_out_key(j, key);
	json_out_open(j, bracket);
}

/* ---- pressure ------------------------------------------------------------ */

static void
write_stall(struct json_out *j, const char *key, const struct cgroup_stall *stall)
{
	open_member(j, key, '{');
	json_out_key(j, "avg10");
	json_out_decimal(j, stall->avg10, 2);
	json_out_key(j, "avg60");
	json_out_decimal(j, stall->avg60, 2);
	json_out_key(j, "avg300");
	json_out_decimal(j, stall->avg300, 2);
	member(j, "total", stall->total);
	json_out_close(j, '}');
}

static void
write_pressure(struct json_out *j, const struct cgroup_pressure *pressure)
{
	if (!pressure->is_there)
		return;
	open_member(j, "psi", '{');
	write_stall(j, "some", &pressure->some);
	write_stall(j, "full", &pressure->full);
	json_out_close(j, '}');
}

/* ---- cpu ----------------------------------------------------------------- */

static void
write_cpu(struct json_out *j, const struct cgroup_stats *stats)
{
	open_member(j, "cpu", '{');
	open_member(j, "usage", '{');
	member_unless_zero(j, "total", stats->cpu_usage * 1000);
	member(j, "kernel", stats->cpu_system * 1000);
	member(j, "user", stats->cpu_user * 1000);
	json_out_close(j, '}');
	open_member(j, "throttling", '{');
	member_unless_zero(j, "periods", stats->cpu_periods);
	member_unless_zero(j, "throttledPeriods", stats->cpu_throttled_periods);
	member_unless_zero(j, "throttledTime", stats->cpu_throttled_time * 1000);
	json_out_close(j, '}');
	write_pressure(j, &stats->cpu_pressure);
	json_out_close(j, '}');
}

/* All of it belongs to cgroup v1; runc has it in cgroup v2 with zeros. */
static void
write_cpuset(struct json_out *j)
{
	static const char *const keys[] = {
		"cpu_exclusive",   "mem_hardwall",	 "mem_exclusive",
		"memory_migrate",  "memory_spread_page", "memory_spread_slab",
		"memory_pressure", "sched_load_balance", "sched_relax_domain_level",
	};

	open_member(j, "cpuset", '{');
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		member(j, keys[i], 0);
	json_out_close(j, '}');
}

/* ---- memory -------------------------------------------------------------- */

static void
write_memory_entry(struct json_out *j, const char *key, uint64_t limit, uint64_t usage, uint64_t max, uint64_t failures)
{
	open_member(j, key, '{');
	member(j, "limit", limit);
	member_unless_zero(j, "usage", usage);
	member_unless_zero(j, "max", max);
	member(j, "failcnt", failures);
	json_out_close(j, '}');
}

static void
write_memory_entries(struct json_out *j, const struct cgroup_stats *stats)
{
	uint64_t swap_limit = stats->swap_limit;

	if (!stats->has_memory) {
		write_memory_entry(j, "usage", 0, 0, 0, 0);
		write_memory_entry(j, "swap", 0, 0, 0, 0);
	} else {
		if (!stats->has_swap)
			swap_limit = stats->memory_limit;
		else if (__builtin_add_overflow(swap_limit, stats->memory_limit, &swap_limit))
			swap_limit = KEYED_MAX;
		write_memory_entry(j, "usage", stats->memory_limit, stats->memory_usage, stats->memory_peak,
				   stats->events_max);
		write_memory_entry(j, "swap", swap_limit, stats->memory_usage + stats->swap_usage, stats->swap_peak, 0);
	}
	/* Counted apart in cgroup v1 only. */
	write_memory_entry(j, "kernel", 0, 0, 0, 0);
	write_memory_entry(j, "kernelTCP", 0, 0, 0, 0);
}

static void
write_memory(struct json_out *j, const struct cgroup_stats *stats)
{
	open_member(j, "memory", '{');
	member_unless_zero(j, "cache", cgroup_stats_memory(stats, "file"));
	write_memory_entries(j, stats);
	if (stats->n_memory_stat) {
		open_member(j, "raw", '{');
		for (size_t i = 0; i < stats->n_memory_stat; i++)
			member(j, stats->memory_stat[i].key, stats->memory_stat[i].value);
		json_out_close(j, '}');
	}
	write_pressure(j, &stats->memory_pressure);
	open_member(j, "event_count", '{');
	member(j, "low", stats->events_low);
	member(j, "high", stats->events_high);
	member(j, "max", stats->events_max);
	member(j, "oom", stats->events_oom);
	member(j, "oom_kill", stats->events_oom_kill);
	member(j, "oom_group_kill", stats->events_oom_group_kill);
	json_out_close(j, '}');
	json_out_close(j, '}');
}

/* ---- pids, blkio, hugetlb ------------------------------------------------ */

static void
write_pids(struct json_out *j, const struct cgroup_stats *stats)
{
	open_member(j, "pids", '{');
	member_unless_zero(j, "current", stats->pids);
	member_unless_zero(j, "limit", stats->pids_limit == KEYED_MAX ? 0 : stats->pids_limit);
	json_out_close(j, '}');
}

static void
write_io_entry(struct json_out *j, const struct cgroup_io_device *device, const char *op, uint64_t value)
{
	json_out_open(j, '{');
	member_unless_zero(j, "major", device->major);
	member_unless_zero(j, "minor", device->minor);
	json_out_member(j, "op", op);
	member_unless_zero(j, "value", value);
	json_out_close(j, '}');
}

static void
write_blkio(struct json_out *j, const struct cgroup_stats *stats)
{
	open_member(j, "blkio", '{');
	if (stats->n_io) {
		open_member(j, "ioServiceBytesRecursive", '[');
		for (size_t i = 0; i < stats->n_io; i++) {
			write_io_entry(j, &stats->io[i], "Read", stats->io[i].read_bytes);
			write_io_entry(j, &stats->io[i], "Write", stats->io[i].write_bytes);
		}
		json_out_close(j, ']');
		open_member(j, "ioServicedRecursive", '[');
		for (size_t i = 0; i < stats->n_io; i++) {
			write_io_entry(j, &stats->io[i], "Read", stats->io[i].reads);
			write_io_entry(j, &stats->io[i], "Write", stats->io[i].writes);
		}
		json_out_close(j, ']');
	}
	write_pressure(j, &stats->io_pressure);
	json_out_close(j, '}');
}

static void
write_hugetlb(struct json_out *j, const struct cgroup_stats *stats)
{
	open_member(j, "hugetlb", '{');
	for (size_t i = 0; i < stats->n_hugetlb; i++) {
		open_member(j, stats->hugetlb[i].page_size, '{');
		member_unless_zero(j, "usage", stats->hugetlb[i].usage);
		member(j, "failcnt", stats->hugetlb[i].failures);
		json_out_close(j, '}');
	}
	json_out_close(j, '}');
}

/* ---- network ------------------------------------------------------------- */

static void
write_interface(struct json_out *j, const struct net_counters *counters)
{
	json_out_open(j, '{');
	json_out_member(j, "Name", counters->name);
	member(j, "RxBytes", counters->rx_bytes);
	member(j, "RxPackets", counters->rx_packets);
	member(j, "RxErrors", counters->rx_errors);
	member(j, "RxDropped", counters->rx_dropped);
	member(j, "TxBytes", counters->tx_bytes);
	member(j, "TxPackets", counters->tx_packets);
	member(j, "TxErrors", counters->tx_errors);
	member(j, "TxDropped", counters->tx_dropped);
	json_out_close(j, '}');
}

static void
write_network(struct json_out *j, const struct container_stats *stats)
{
	json_out_key(j, "network_interfaces");
	if (stats->n_interfaces == 0) {
		json_out_string(j, NULL);
		return;
	}
	json_out_open(j, '[');
	for (size_t i = 0; i < stats->n_interfaces; i++)
		write_interface(j, &stats->interfaces[i]);
	json_out_close(j, ']');
}

/* ---- all ----------------------------------------------------------------- */

void
stats_json_write(struct json_out *j, const struct container_stats *stats)
{
	const struct cgroup_stats *cg = &stats->cgroup;

	json_out_open(j, '{');
	json_out_member(j, "type", "stats");
	json_out_member(j, "id", stats->state->id);
	open_member(j, "data", '{');
	write_cpu(j, cg);
	write_cpuset(j);
	write_memory(j, cg);
	write_pids(j, cg);
	write_blkio(j, cg);
	write_hugetlb(j, cg);
	/* Readers take it empty; the numbers of resctrl are not among these. */
	open_member(j, "intel_rdt", '{');
	json_out_close(j, '}');
	write_network(j, stats);
	json_out_close(j, '}');
	json_out_close(j, '}');
}

void
stats_json_write_oom(struct json_out *j, const char *id)
{
	json_out_open(j, '{');
	json_out_member(j, "type", "oom");
	json_out_member(j, "id", id);
	json_out_close(j, '}');
}
