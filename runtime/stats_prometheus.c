/* Theory of operation: the format wants all samples of a metric together, below its
 * HELP and TYPE lines, so the table of metrics is walked and for each the
 * containers. A metric that no container has is left out whole.
 *
 * Names, units and labels are cAdvisor's where it has such a metric, so that
 * dashboards made for it work: `id` is the cgroup, `name` the container, and a
 * limit that is not set is 0. What cAdvisor lacks begins with knarr_. Numbers are
 * integers or decimals made of integers: no rounding, no exponent. */
#include "runtime/stats_prometheus.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/utf8.h"
#include "runtime/text.h"

struct out {
	struct text text;
	const char *name, *type, *help; /* of the metric */
	bool has_head;
	const char *labels; /* of the container: id="…",name="…" */
	time_t now;
};

const char *
stats_prometheus_escape(struct arena *a, const char *value)
{
	struct text t = { .arena = a };

	while (*value) {
		size_t n = utf8_char_length(value);

		if (n == 0)
			text_add(&t, "\xef\xbf\xbd");
		else if (*value == '\n')
			text_add(&t, "\\n");
		else if (*value == '\\' || *value == '"')
			text_add(&t, "\\%c", *value);
		else
			text_add(&t, "%.*s", (int)n, value);
		value += n ? n : 1;
	}
	return text_get(&t);
}

/* label: one more label as `key="value"`, or NULL. */
static void
begin_sample(struct out *out, const char *label)
{
	if (!out->has_head)
		text_add(&out->text, "# HELP %s %s\n# TYPE %s %s\n", out->name, out->help, out->name, out->type);
	out->has_head = true;
	text_add(&out->text, "%s{%s%s%s} ", out->name, out->labels, label ? "," : "", label ? label : "");
}

static void
sample(struct out *out, const char *label, uint64_t value)
{
	begin_sample(out, label);
	text_add(&out->text, "%" PRIu64 "\n", value);
}

static void
sample_seconds(struct out *out, const char *label, uint64_t usec)
{
	begin_sample(out, label);
	text_add(&out->text, "%" PRIu64 ".%06" PRIu64 "\n", usec / 1000000, usec % 1000000);
}

static uint64_t
limit_or_zero(uint64_t value)
{
	return value == KEYED_MAX ? 0 : value;
}

/* ---- single values ------------------------------------------------------- */

enum unit { PLAIN, SECONDS /* from microseconds */, LIMIT };

/* A member of struct cgroup_stats that counts when the bool at `when` is set. */
struct value_metric {
	const char *name, *type, *help, *label;
	enum unit unit;
	size_t value, when;
};

#define AT(member) offsetof(struct cgroup_stats, member)

/* clang-format off */
static const struct value_metric value_metrics[] = {
	{ "container_cpu_usage_seconds_total", "counter", "Cumulative CPU time consumed in seconds.", "cpu=\"total\"", SECONDS, AT(cpu_usage), AT(has_cpu) },
	{ "container_cpu_user_seconds_total", "counter", "Cumulative user CPU time consumed in seconds.", NULL, SECONDS, AT(cpu_user), AT(has_cpu) },
	{ "container_cpu_system_seconds_total", "counter", "Cumulative system CPU time consumed in seconds.", NULL, SECONDS, AT(cpu_system), AT(has_cpu) },
	{ "container_cpu_cfs_periods_total", "counter", "Number of elapsed enforcement period intervals.", NULL, PLAIN, AT(cpu_periods), AT(has_cpu_controller) },
	{ "container_cpu_cfs_throttled_periods_total", "counter", "Number of throttled period intervals.", NULL, PLAIN, AT(cpu_throttled_periods), AT(has_cpu_controller) },
	{ "container_cpu_cfs_throttled_seconds_total", "counter", "Total time for which the container was throttled.", NULL, SECONDS, AT(cpu_throttled_time), AT(has_cpu_controller) },
	{ "container_spec_cpu_quota", "gauge", "CPU quota of the container in microseconds; 0: no quota.", NULL, LIMIT, AT(cpu_quota), AT(has_cpu_controller) },
	{ "container_spec_cpu_period", "gauge", "CPU period of the container in microseconds.", NULL, PLAIN, AT(cpu_period), AT(has_cpu_controller) },
	{ "container_pressure_cpu_waiting_seconds_total", "counter", "Total time in which a task of the container waited for a CPU.", NULL, SECONDS, AT(cpu_pressure.some.total), AT(cpu_pressure.is_there) },
	{ "container_pressure_cpu_stalled_seconds_total", "counter", "Total time in which all tasks of the container waited for a CPU.", NULL, SECONDS, AT(cpu_pressure.full.total), AT(cpu_pressure.is_there) },
	{ "container_memory_usage_bytes", "gauge", "Current memory usage in bytes, page cache included.", NULL, PLAIN, AT(memory_usage), AT(has_memory) },
	{ "container_memory_max_usage_bytes", "gauge", "Maximum memory usage recorded in bytes.", NULL, PLAIN, AT(memory_peak), AT(memory_peak) },
	{ "container_memory_failcnt", "counter", "How often the memory usage has reached the limit.", NULL, PLAIN, AT(events_max), AT(has_memory) },
	{ "container_memory_swap", "gauge", "Container swap usage in bytes.", NULL, PLAIN, AT(swap_usage), AT(has_swap) },
	{ "container_oom_events_total", "counter", "Number of processes killed because the container was out of memory.", NULL, PLAIN, AT(events_oom_kill), AT(has_memory) },
	{ "container_spec_memory_limit_bytes", "gauge", "Memory limit of the container in bytes; 0: no limit.", NULL, LIMIT, AT(memory_limit), AT(has_memory) },
	{ "container_spec_memory_reservation_limit_bytes", "gauge", "Memory reservation of the container in bytes.", NULL, LIMIT, AT(memory_low), AT(has_memory) },
	{ "container_spec_memory_swap_limit_bytes", "gauge", "Swap limit of the container in bytes; 0: no limit.", NULL, LIMIT, AT(swap_limit), AT(has_swap) },
	{ "container_pressure_memory_waiting_seconds_total", "counter", "Total time in which a task of the container waited for memory.", NULL, SECONDS, AT(memory_pressure.some.total), AT(memory_pressure.is_there) },
	{ "container_pressure_memory_stalled_seconds_total", "counter", "Total time in which all tasks of the container waited for memory.", NULL, SECONDS, AT(memory_pressure.full.total), AT(memory_pressure.is_there) },
	{ "container_pressure_io_waiting_seconds_total", "counter", "Total time in which a task of the container waited for a disk.", NULL, SECONDS, AT(io_pressure.some.total), AT(io_pressure.is_there) },
	{ "container_pressure_io_stalled_seconds_total", "counter", "Total time in which all tasks of the container waited for a disk.", NULL, SECONDS, AT(io_pressure.full.total), AT(io_pressure.is_there) },
	{ "container_threads", "gauge", "Number of processes and threads in the container.", NULL, PLAIN, AT(pids), AT(has_pids) },
	{ "container_threads_max", "gauge", "PID limit of the container; 0: no limit.", NULL, LIMIT, AT(pids_limit), AT(has_pids) },
	{ "knarr_container_forks_refused_total", "counter", "Number of forks that failed at the PID limit.", NULL, PLAIN, AT(pids_refused), AT(has_pids) },
};
/* clang-format on */

static void
write_value(struct out *out, const struct value_metric *metric, const struct cgroup_stats *stats)
{
	const char *base = (const char *)stats;
	uint64_t v = *(const uint64_t *)(base + metric->value);

	if (metric->when == metric->value ? v == 0 : !*(const bool *)(base + metric->when))
		return;
	if (metric->unit == SECONDS)
		sample_seconds(out, metric->label, v);
	else
		sample(out, metric->label, metric->unit == LIMIT ? limit_or_zero(v) : v);
}

/* ---- memory.stat --------------------------------------------------------- */

static uint64_t
working_set(const struct cgroup_stats *stats)
{
	uint64_t idle = cgroup_stats_memory(stats, "inactive_file");

	return stats->memory_usage > idle ? stats->memory_usage - idle : 0;
}

static void
write_cache(struct out *out, const struct container_stats *stats)
{
	if (stats->cgroup.n_memory_stat)
		sample(out, NULL, cgroup_stats_memory(&stats->cgroup, "file"));
}

static void
write_rss(struct out *out, const struct container_stats *stats)
{
	if (stats->cgroup.n_memory_stat)
		sample(out, NULL, cgroup_stats_memory(&stats->cgroup, "anon"));
}

static void
write_mapped(struct out *out, const struct container_stats *stats)
{
	if (stats->cgroup.n_memory_stat)
		sample(out, NULL, cgroup_stats_memory(&stats->cgroup, "file_mapped"));
}

static void
write_working_set(struct out *out, const struct container_stats *stats)
{
	if (stats->cgroup.n_memory_stat)
		sample(out, NULL, working_set(&stats->cgroup));
}

static void
write_faults(struct out *out, const struct container_stats *stats)
{
	if (!stats->cgroup.n_memory_stat)
		return;
	sample(out, "failure_type=\"pgfault\",scope=\"hierarchy\"", cgroup_stats_memory(&stats->cgroup, "pgfault"));
	sample(out, "failure_type=\"pgmajfault\",scope=\"hierarchy\"",
	       cgroup_stats_memory(&stats->cgroup, "pgmajfault"));
}

/* ---- lists --------------------------------------------------------------- */

/* "/dev/vda", or the numbers when the kernel has no name for it. */
static const char *
device_label(struct arena *a, const struct cgroup_io_device *device)
{
	const char *path = arena_printf(a, "/sys/dev/block/%u:%u/uevent", device->major, device->minor), *name;
	char text[1024];

	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0 || !(name = strstr(text, "DEVNAME=")))
		return arena_printf(a, "device=\"%u:%u\"", device->major, device->minor);
	name += strlen("DEVNAME=");
	name = arena_strndup(a, name, strcspn(name, "\n"));
	return arena_printf(a, "device=\"/dev/%s\"", stats_prometheus_escape(a, name));
}

#define IO_WRITER(member)                                                                                              \
	static void write_io_##member(struct out *o, const struct container_stats *s)                                  \
	{                                                                                                              \
		for (size_t i = 0; i < s->cgroup.n_io; i++)                                                            \
			sample(o, device_label(o->text.arena, &s->cgroup.io[i]), s->cgroup.io[i].member);              \
	}
IO_WRITER(read_bytes)
IO_WRITER(write_bytes)
IO_WRITER(reads)
IO_WRITER(writes)

#define NET_WRITER(member)                                                                                             \
	static void write_net_##member(struct out *o, const struct container_stats *s)                                 \
	{                                                                                                              \
		struct arena *a = o->text.arena;                                                                       \
                                                                                                                       \
		for (size_t i = 0; i < s->n_interfaces; i++)                                                           \
			sample(o,                                                                                      \
			       arena_printf(a, "interface=\"%s\"", stats_prometheus_escape(a, s->interfaces[i].name)), \
			       s->interfaces[i].member);                                                               \
	}
NET_WRITER(rx_bytes)
NET_WRITER(rx_packets)
NET_WRITER(rx_errors)
NET_WRITER(rx_dropped)
NET_WRITER(tx_bytes)
NET_WRITER(tx_packets)
NET_WRITER(tx_errors)
NET_WRITER(tx_dropped)

#define HUGETLB_WRITER(member)                                                                                         \
	static void write_hugetlb_##member(struct out *o, const struct container_stats *s)                             \
	{                                                                                                              \
		struct arena *a = o->text.arena;                                                                       \
                                                                                                                       \
		for (size_t i = 0; i < s->cgroup.n_hugetlb; i++)                                                       \
			sample(o, arena_printf(a, "pagesize=\"%s\"", s->cgroup.hugetlb[i].page_size),                  \
			       s->cgroup.hugetlb[i].member);                                                           \
	}
HUGETLB_WRITER(usage)
HUGETLB_WRITER(failures)

/* ---- the container ------------------------------------------------------- */

static void
write_last_seen(struct out *out, const struct container_stats *stats)
{
	(void)stats;
	sample(out, NULL, (uint64_t)out->now);
}

/* The state has it as RFC 3339 in UTC. */
static void
write_start_time(struct out *out, const struct container_stats *stats)
{
	struct tm tm = { 0 };
	time_t created;

	if (!stats->state->created || !strptime(stats->state->created, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	created = timegm(&tm);
	if (created > 0)
		sample(out, NULL, (uint64_t)created);
}

static void
write_paused(struct out *out, const struct container_stats *stats)
{
	sample(out, NULL, stats->status == STATUS_PAUSED);
}

/* clang-format off */
static const struct {
	const char *name, *type, *help;
	void (*write)(struct out *, const struct container_stats *);
} list_metrics[] = {
	{ "container_last_seen", "gauge", "Last time a container was seen, in seconds since the epoch.", write_last_seen },
	{ "container_start_time_seconds", "gauge", "Time of creation of the container in seconds since the epoch.", write_start_time },
	{ "knarr_container_paused", "gauge", "1 when the container is paused.", write_paused },
	{ "container_memory_cache", "gauge", "Number of bytes of page cache memory.", write_cache },
	{ "container_memory_rss", "gauge", "Size of anonymous memory in bytes.", write_rss },
	{ "container_memory_mapped_file", "gauge", "Size of memory mapped files in bytes.", write_mapped },
	{ "container_memory_working_set_bytes", "gauge", "Current working set in bytes.", write_working_set },
	{ "container_memory_failures_total", "counter", "Cumulative count of page faults.", write_faults },
	{ "container_fs_reads_bytes_total", "counter", "Cumulative count of bytes read.", write_io_read_bytes },
	{ "container_fs_writes_bytes_total", "counter", "Cumulative count of bytes written.", write_io_write_bytes },
	{ "container_fs_reads_total", "counter", "Cumulative count of reads completed.", write_io_reads },
	{ "container_fs_writes_total", "counter", "Cumulative count of writes completed.", write_io_writes },
	{ "container_hugetlb_usage_bytes", "gauge", "Current hugepage usage in bytes.", write_hugetlb_usage },
	{ "container_hugetlb_failcnt", "counter", "Number of hugepage usage hits limits.", write_hugetlb_failures },
	{ "container_network_receive_bytes_total", "counter", "Cumulative count of bytes received.", write_net_rx_bytes },
	{ "container_network_receive_packets_total", "counter", "Cumulative count of packets received.", write_net_rx_packets },
	{ "container_network_receive_errors_total", "counter", "Cumulative count of errors encountered while receiving.", write_net_rx_errors },
	{ "container_network_receive_packets_dropped_total", "counter", "Cumulative count of packets dropped while receiving.", write_net_rx_dropped },
	{ "container_network_transmit_bytes_total", "counter", "Cumulative count of bytes transmitted.", write_net_tx_bytes },
	{ "container_network_transmit_packets_total", "counter", "Cumulative count of packets transmitted.", write_net_tx_packets },
	{ "container_network_transmit_errors_total", "counter", "Cumulative count of errors encountered while transmitting.", write_net_tx_errors },
	{ "container_network_transmit_packets_dropped_total", "counter", "Cumulative count of packets dropped while transmitting.", write_net_tx_dropped },
};
/* clang-format on */

/* ---- all ----------------------------------------------------------------- */

static const char *
container_labels(struct arena *a, const struct container_stats *stats)
{
	return arena_printf(a, "id=\"%s\",name=\"%s\"",
			    stats_prometheus_escape(a, stats->state->cgroup_path ? stats->state->cgroup_path : ""),
			    stats_prometheus_escape(a, stats->state->id));
}

const char *
stats_prometheus(struct arena *a, const struct container_stats *list, size_t n, time_t now)
{
	struct out o = { .text = { .arena = a }, .now = now };
	const char **labels = arena_array(a, n + 1, sizeof(*labels));

	for (size_t i = 0; i < n; i++)
		labels[i] = container_labels(a, &list[i]);
	for (size_t m = 0; m < sizeof(value_metrics) / sizeof(value_metrics[0]); m++) {
		o.name = value_metrics[m].name;
		o.type = value_metrics[m].type;
		o.help = value_metrics[m].help;
		o.has_head = false;
		for (size_t i = 0; i < n; i++) {
			o.labels = labels[i];
			if (list[i].has_cgroup)
				write_value(&o, &value_metrics[m], &list[i].cgroup);
		}
	}
	for (size_t m = 0; m < sizeof(list_metrics) / sizeof(list_metrics[0]); m++) {
		o.name = list_metrics[m].name;
		o.type = list_metrics[m].type;
		o.help = list_metrics[m].help;
		o.has_head = false;
		for (size_t i = 0; i < n; i++) {
			o.labels = labels[i];
			list_metrics[m].write(&o, &list[i]);
		}
	}
	return text_get(&o.text);
}
