/* Theory of operation: the members, their order, their units and which of them are
 * left out at zero are those of runc, whose readers (go-runc, monitoring agents)
 * parse this. It keeps the shape of cgroup v1: swap counts memory too, times are in
 * nanoseconds, and no limit is 2^64-1 for memory but 0 for pids. Beyond runc: the
 * network devices of every container with a network of its own, and failcnt of
 * memory from memory.events. */
#include "runtime/stats_json.h"

static void
member(struct json_out *j, const char *key, uint64_t v)
{
	json_out_key(j, key);
	json_out_uint(j, v);
}

static void
member_unless_zero(struct json_out *j, const char *key, uint64_t v)
{
	if (v)
		member(j, key, v);
}

static void
open_member(struct json_out *j, const char *key, char bracket)
{
	json_out_key(j, key);
	json_out_open(j, bracket);
}

/* ---- pressure ------------------------------------------------------------ */

static void
write_stall(struct json_out *j, const char *key, const struct cgroup_stall *s)
{
	open_member(j, key, '{');
	json_out_key(j, "avg10");
	json_out_decimal(j, s->avg10, 2);
	json_out_key(j, "avg60");
	json_out_decimal(j, s->avg60, 2);
	json_out_key(j, "avg300");
	json_out_decimal(j, s->avg300, 2);
	member(j, "total", s->total);
	json_out_close(j, '}');
}

static void
write_pressure(struct json_out *j, const struct cgroup_pressure *p)
{
	if (!p->is_there)
		return;
	open_member(j, "psi", '{');
	write_stall(j, "some", &p->some);
	write_stall(j, "full", &p->full);
	json_out_close(j, '}');
}

/* ---- cpu ----------------------------------------------------------------- */

static void
write_cpu(struct json_out *j, const struct cgroup_stats *s)
{
	open_member(j, "cpu", '{');
	open_member(j, "usage", '{');
	member_unless_zero(j, "total", s->cpu_usage * 1000);
	member(j, "kernel", s->cpu_system * 1000);
	member(j, "user", s->cpu_user * 1000);
	json_out_close(j, '}');
	open_member(j, "throttling", '{');
	member_unless_zero(j, "periods", s->cpu_periods);
	member_unless_zero(j, "throttledPeriods", s->cpu_throttled_periods);
	member_unless_zero(j, "throttledTime", s->cpu_throttled_time * 1000);
	json_out_close(j, '}');
	write_pressure(j, &s->cpu_pressure);
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
write_memory_entries(struct json_out *j, const struct cgroup_stats *s)
{
	uint64_t swap_limit = s->swap_limit;

	if (!s->has_memory) {
		write_memory_entry(j, "usage", 0, 0, 0, 0);
		write_memory_entry(j, "swap", 0, 0, 0, 0);
	} else {
		if (!s->has_swap)
			swap_limit = s->memory_limit;
		else if (__builtin_add_overflow(swap_limit, s->memory_limit, &swap_limit))
			swap_limit = KEYED_MAX;
		write_memory_entry(j, "usage", s->memory_limit, s->memory_usage, s->memory_peak, s->events_max);
		write_memory_entry(j, "swap", swap_limit, s->memory_usage + s->swap_usage, s->swap_peak, 0);
	}
	/* Counted apart in cgroup v1 only. */
	write_memory_entry(j, "kernel", 0, 0, 0, 0);
	write_memory_entry(j, "kernelTCP", 0, 0, 0, 0);
}

static void
write_memory(struct json_out *j, const struct cgroup_stats *s)
{
	open_member(j, "memory", '{');
	member_unless_zero(j, "cache", cgroup_stats_memory(s, "file"));
	write_memory_entries(j, s);
	if (s->n_memory_stat) {
		open_member(j, "raw", '{');
		for (size_t i = 0; i < s->n_memory_stat; i++)
			member(j, s->memory_stat[i].key, s->memory_stat[i].value);
		json_out_close(j, '}');
	}
	write_pressure(j, &s->memory_pressure);
	open_member(j, "event_count", '{');
	member(j, "low", s->events_low);
	member(j, "high", s->events_high);
	member(j, "max", s->events_max);
	member(j, "oom", s->events_oom);
	member(j, "oom_kill", s->events_oom_kill);
	member(j, "oom_group_kill", s->events_oom_group_kill);
	json_out_close(j, '}');
	json_out_close(j, '}');
}

/* ---- pids, blkio, hugetlb ------------------------------------------------ */

static void
write_pids(struct json_out *j, const struct cgroup_stats *s)
{
	open_member(j, "pids", '{');
	member_unless_zero(j, "current", s->pids);
	member_unless_zero(j, "limit", s->pids_limit == KEYED_MAX ? 0 : s->pids_limit);
	json_out_close(j, '}');
}

static void
write_io_entry(struct json_out *j, const struct cgroup_io_device *d, const char *op, uint64_t value)
{
	json_out_open(j, '{');
	member_unless_zero(j, "major", d->major);
	member_unless_zero(j, "minor", d->minor);
	json_out_member(j, "op", op);
	member_unless_zero(j, "value", value);
	json_out_close(j, '}');
}

static void
write_blkio(struct json_out *j, const struct cgroup_stats *s)
{
	open_member(j, "blkio", '{');
	if (s->n_io) {
		open_member(j, "ioServiceBytesRecursive", '[');
		for (size_t i = 0; i < s->n_io; i++) {
			write_io_entry(j, &s->io[i], "Read", s->io[i].read_bytes);
			write_io_entry(j, &s->io[i], "Write", s->io[i].write_bytes);
		}
		json_out_close(j, ']');
		open_member(j, "ioServicedRecursive", '[');
		for (size_t i = 0; i < s->n_io; i++) {
			write_io_entry(j, &s->io[i], "Read", s->io[i].reads);
			write_io_entry(j, &s->io[i], "Write", s->io[i].writes);
		}
		json_out_close(j, ']');
	}
	write_pressure(j, &s->io_pressure);
	json_out_close(j, '}');
}

static void
write_hugetlb(struct json_out *j, const struct cgroup_stats *s)
{
	open_member(j, "hugetlb", '{');
	for (size_t i = 0; i < s->n_hugetlb; i++) {
		open_member(j, s->hugetlb[i].page_size, '{');
		member_unless_zero(j, "usage", s->hugetlb[i].usage);
		member(j, "failcnt", s->hugetlb[i].failures);
		json_out_close(j, '}');
	}
	json_out_close(j, '}');
}

/* ---- network ------------------------------------------------------------- */

static void
write_interface(struct json_out *j, const struct net_counters *n)
{
	json_out_open(j, '{');
	json_out_member(j, "Name", n->name);
	member(j, "RxBytes", n->rx_bytes);
	member(j, "RxPackets", n->rx_packets);
	member(j, "RxErrors", n->rx_errors);
	member(j, "RxDropped", n->rx_dropped);
	member(j, "TxBytes", n->tx_bytes);
	member(j, "TxPackets", n->tx_packets);
	member(j, "TxErrors", n->tx_errors);
	member(j, "TxDropped", n->tx_dropped);
	json_out_close(j, '}');
}

static void
write_network(struct json_out *j, const struct container_stats *s)
{
	json_out_key(j, "network_interfaces");
	if (s->n_interfaces == 0) {
		json_out_string(j, NULL);
		return;
	}
	json_out_open(j, '[');
	for (size_t i = 0; i < s->n_interfaces; i++)
		write_interface(j, &s->interfaces[i]);
	json_out_close(j, ']');
}

/* ---- all ----------------------------------------------------------------- */

void
stats_json_write(struct json_out *j, const struct container_stats *s)
{
	const struct cgroup_stats *cg = &s->cgroup;

	json_out_open(j, '{');
	json_out_member(j, "type", "stats");
	json_out_member(j, "id", s->state->id);
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
	write_network(j, s);
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
