/* Fuzzes the parsers of what the kernel writes: files of /proc and of cgroups, its log, resctrl,
 * rtnetlink. Names in these (of processes, mount points, cgroups, devices) are a container's
 * choice. See fuzz.h and README.md. */
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/host.h"
#include "base/mountinfo.h"
#include "base/proc_text.h"
#include "cgroups/cgroup.h"
#include "cgroups/controllers.h"
#include "cgroups/events.h"
#include "cgroups/resctrl_schemata.h"
#include "cgroups/stats.h"
#include "libcontainer/state/oom_log.h"
#include "libcontainer/stats.h"
#include "namespaces/net/net_addresses.h"

/* ---- /proc/PID --------------------------------------------------------- */

static void
fuzz_mountinfo(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct mountinfo m;

	mountinfo_parse(text, &a, &m);
	FUZZ_MUST(m.n <= len);
	for (size_t i = 0; i < m.n; i++) {
		const struct mountinfo_line *l = &m.lines[i], *found = mountinfo_find(&m, l->id);

		FUZZ_MUST(found && found->id == l->id);
		FUZZ_MUST(strlen(l->root) + strlen(l->point) + strlen(l->type) + strlen(l->options) <= len);
	}
}

static void
fuzz_cgroup_mounts(char *text, size_t len)
{
	struct host_cgroup_mount mounts[HOST_CGROUP_MOUNTS];
	auto_arena struct arena a = { 0 };
	size_t n = host_find_cgroup_mounts(&a, text, mounts);

	FUZZ_MUST(n <= HOST_CGROUP_MOUNTS);
	for (size_t i = 0; i < n; i++) {
		const char *below = host_cgroup_below(text, mounts[i].root);

		FUZZ_MUST(mounts[i].point[0] == '/' && mounts[i].root[0] == '/');
		FUZZ_MUST(strlen(below) <= len || !strcmp(below, "/"));
	}
}

static void
fuzz_proc_cgroup(char *text, size_t len)
{
	size_t n;
	const char *path = proc_cgroup(text, &n);

	if (path)
		FUZZ_MUST(path >= text && path + n <= text + len && path[0] == '/' && !memchr(path, '\n', n));
}

static void
fuzz_stat(char *text, size_t len)
{
	for (unsigned field = 3; field < 60; field++) {
		const char *value = proc_stat_field(text, field);

		if (!value)
			continue;
		FUZZ_MUST(value > text && value <= text + len && value[-1] == ' ');
		FUZZ_MUST(field == 3 || proc_stat_field(text, field - 1) < value);
	}
}

static void
fuzz_id_map(char *text, size_t len)
{
	uint32_t out;

	(void)len;
	proc_map_id(text, 0, &out);
	proc_map_id(text, 1000, &out);
	FUZZ_MUST(!proc_map_id("0 5 1\n", 1, &out));
}

static void
fuzz_net_counters(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct net_counters *list;
	size_t n = stats_parse_net_counters(text, &a, &list);

	for (size_t i = 0; i < n; i++)
		FUZZ_MUST(strlen(list[i].name) <= len && !strchr(list[i].name, ':'));
}

/* ---- cgroups ----------------------------------------------------------- */

static const char *const cgroup_files[] = { "cgroup.controllers",
					    "cgroup.events",
					    "cgroup.procs",
					    "cpu.max",
					    "cpu.pressure",
					    "cpu.stat",
					    "io.pressure",
					    "io.stat",
					    "hugetlb.2MB.current",
					    "hugetlb.2MB.events",
					    "memory.current",
					    "memory.events",
					    "memory.max",
					    "memory.pressure",
					    "memory.stat",
					    "memory.swap.max",
					    "pids.current",
					    "pids.events",
					    "pids.max",
					    "memory.low",
					    "memory.peak",
					    "memory.swap.current",
					    "hugetlb.1GB.rsvd.current",
					    NULL };

static void
check_stats(const struct cgroup_stats *stats, size_t len)
{
	FUZZ_MUST(stats->n_memory_stat <= len && stats->n_io <= len && stats->n_hugetlb <= 2);
	for (size_t i = 0; i < stats->n_memory_stat; i++)
		FUZZ_MUST(!strpbrk(stats->memory_stat[i].key, " \n"));
	FUZZ_MUST(stats->cpu_pressure.some.avg10 <= 10099 && stats->io_pressure.full.avg300 <= 10099);
}

static void
fuzz_cgroup(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct cgroup cg = { .path = (char *)"fuzz", .fd = fuzz_directory() };
	struct cgroup_stats stats;
	unsigned set;
	struct err err;
	pid_t pids[8];

	fuzz_fill(cgroup_files, text);
	if (cgroup_stats_read(cg.fd, &a, &stats) == 0)
		check_stats(&stats, len);
	for (ssize_t i = 0, n = cgroup_pids(&cg, pids, 8, &err); i < n && i < 8; i++)
		FUZZ_MUST(pids[i] > 0);
	if (controllers_read(cg.fd, "cgroup.controllers", &set) == 0)
		FUZZ_MUST(set < 1u << CONTROLLER_COUNT);
	FUZZ_MUST(events_read(cg.fd, "populated") <= 1);
	close(cg.fd);
}

/* First line: what the config has; then the file. */
static void
fuzz_schemata(char *text, size_t len)
{
	struct spec_intel_rdt rdt = { .l3_cache_schema = fuzz_line(&text) };
	struct err err;
	int r = resctrl_schemata_compare(&rdt, text, "group", &err);

	(void)len;
	FUZZ_MUST(r == 0 || strlen(err.msg) > 0);
}

/* ---- messages ---------------------------------------------------------- */

/* First line: the cgroup, and behind a blank how much of it is the scope. Packets are records. */
static void
fuzz_kernel_log(char *text, size_t len)
{
	const char *end = text + len;
	char *cgroup = fuzz_line(&text), *scope = strchr(cgroup, ' ');
	struct oom_log_counts counts;
	int peer, fd = fuzz_packets(text, (size_t)(end - text), &peer);

	if (scope)
		*scope = '\0';
	oom_log_read(fd, cgroup, scope ? (size_t)(scope - cgroup) / 2 : strlen(cgroup), &counts);
	FUZZ_MUST(counts.own <= counts.below && counts.below <= counts.kills);
	close(fd);
	close(peer);
}

/* The dump of the addresses, and what answers each that is added. */
static void
fuzz_rtnetlink(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct rtnetlink_answer list;
	int peer, fd = fuzz_packets(text, len, &peer);
	int r = net_addresses_list(&a, fd, &list);

	FUZZ_MUST(r <= 0);
	if (r == 0)
		FUZZ_MUST(net_addresses_add(&a, fd, &list, 2, 7) <= 0);
	close(fd);
	close(peer);
}

static const struct fuzz_parser parsers[] = {
	{ 'm', fuzz_mountinfo },  { 'c', fuzz_cgroup_mounts }, { 'p', fuzz_proc_cgroup }, { 's', fuzz_stat },
	{ 'i', fuzz_id_map },	  { 'n', fuzz_net_counters },  { 'g', fuzz_cgroup },	  { 'r', fuzz_schemata },
	{ 'k', fuzz_kernel_log }, { 'l', fuzz_rtnetlink },
};

FUZZ_TARGET(parsers, "kernel")
