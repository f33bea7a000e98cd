/* cgroups/keyed.h and cgroups/stats.h against directories of files as the kernel writes
 * them: all controllers, none, and what a hybrid host has. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/size_text.h"
#include "cgroups/stats.h"
#include "libcontainer/stats.h"
#include "tests/unit/check.h"

#define FOLDER_MAX 64

static const struct file {
	const char *name, *text;
} full[] = {
	{ "cgroup.procs", "12\n" },
	{ "cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 3\n"
		      "throttled_usec 99\nnr_bursts 0\nburst_usec 0\n" },
	{ "cpu.max", "50000 100000\n" },
	{ "cpu.pressure", "some avg10=1.50 avg60=0.07 avg300=100.00 total=123\n"
			  "full avg10=0.00 avg60=0.00 avg300=0.00 total=4\n" },
	{ "memory.current", "8192\n" },
	{ "memory.peak", "16384\n" },
	{ "memory.max", "67108864\n" },
	{ "memory.low", "0\n" },
	{ "memory.swap.current", "4096\n" },
	{ "memory.swap.max", "max\n" },
	{ "memory.stat", "anon 100\nfile 200\ninactive_file 50\n" },
	{ "memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n" },
	{ "pids.current", "3\n" },
	{ "pids.max", "20\n" },
	{ "pids.events", "max 9\n" },
	{ "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"
		     "7:1 \n"
		     "254:16 rbytes=18446744073709551615 wbytes=0 rios=0 wios=0 dbytes=0 dios=0\n" },
	{ "hugetlb.2MB.current", "0\n" },
	{ "hugetlb.2MB.rsvd.current", "2097152\n" },
	{ "hugetlb.2MB.events", "max 1\n" },
	{ "hugetlb.1GB.current", "1073741824\n" },
	{ NULL, NULL },
};

static const struct file hybrid[] = {
	{ "cgroup.procs", "" },
	{ "cpu.stat", "usage_usec 10\nuser_usec 4\nsystem_usec 6\n" },
	{ NULL, NULL },
};

/* A new directory with the files; its path in `path`. */
static int
make_directory(const struct file *files, char path[FOLDER_MAX])
{
	int dir;

	snprintf(path, FOLDER_MAX, "/tmp/knarr-test-stats.XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (; files->name; files++) {
		auto_close int fd = openat(dir, files->name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		CHECK(fd_write_all(fd, files->text, strlen(files->text)) == 0);
	}
	return dir;
}

static void
remove_directory(int dir, const struct file *files, const char *path)
{
	for (; files->name; files++)
		unlinkat(dir, files->name, 0);
	close(dir);
	CHECK(rmdir(path) == 0);
}

static void
test_full(void)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_stats s;
	char path[FOLDER_MAX];
	int dir = make_directory(full, path);

	CHECK(cgroup_stats_read(dir, &a, &s) == 0);
	CHECK(s.has_cpu && s.cpu_usage == 1500 && s.cpu_user == 1000 && s.cpu_system == 500);
	CHECK(s.has_cpu_controller && s.cpu_periods == 7 && s.cpu_throttled_periods == 3);
	CHECK(s.cpu_throttled_time == 99 && s.cpu_quota == 50000 && s.cpu_period == 100000);
	CHECK(s.cpu_pressure.is_there && !s.memory_pressure.is_there && !s.io_pressure.is_there);
	CHECK(s.cpu_pressure.some.avg10 == 150 && s.cpu_pressure.some.avg60 == 7);
	CHECK(s.cpu_pressure.some.avg300 == 10000 && s.cpu_pressure.some.total == 123);
	CHECK(s.cpu_pressure.full.total == 4);
	CHECK(s.has_memory && s.memory_usage == 8192 && s.memory_peak == 16384 && s.memory_limit == 67108864);
	CHECK(s.has_swap && s.swap_usage == 4096 && s.swap_limit == KEYED_MAX);
	CHECK(s.n_memory_stat == 3 && cgroup_stats_memory(&s, "inactive_file") == 50);
	CHECK(cgroup_stats_memory(&s, "inactive") == 0);
	CHECK(s.events_high == 1 && s.events_max == 2 && s.events_oom == 3);
	CHECK(s.events_oom_kill == 4 && s.events_oom_group_kill == 5);
	CHECK(s.has_pids && s.pids == 3 && s.pids_limit == 20 && s.pids_refused == 9);
	CHECK(s.has_io && s.n_io == 2 && s.io[0].major == 8 && s.io[0].read_bytes == 1 && s.io[0].writes == 4);
	CHECK(s.io[1].major == 254 && s.io[1].minor == 16 && s.io[1].read_bytes == UINT64_MAX);
	CHECK(s.n_hugetlb == 2 && !strcmp(s.hugetlb[0].page_size, "1GB") && s.hugetlb[0].usage == 1073741824);
	CHECK(!strcmp(s.hugetlb[1].page_size, "2MB") && s.hugetlb[1].usage == 2097152 && s.hugetlb[1].failures == 1);
	remove_directory(dir, full, path);
}

static void
test_hybrid(void)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_stats s;
	char path[FOLDER_MAX];
	int dir = make_directory(hybrid, path);

	CHECK(cgroup_stats_read(dir, &a, &s) == 0);
	CHECK(s.has_cpu && s.cpu_usage == 10 && !s.has_cpu_controller && s.cpu_quota == KEYED_MAX);
	CHECK(!s.has_memory && !s.has_swap && !s.has_pids && !s.has_io && !s.n_hugetlb && !s.n_memory_stat);
	CHECK(s.memory_limit == KEYED_MAX && s.pids_limit == KEYED_MAX);
	remove_directory(dir, hybrid, path);
}

/* A directory without cgroup.procs is not, or is no longer, a cgroup. */
static void
test_gone(void)
{
	static const struct file none[] = { { NULL, NULL } };
	auto_arena struct arena a = { 0 };
	struct cgroup_stats s;
	char path[FOLDER_MAX];
	int dir = make_directory(none, path);

	CHECK(cgroup_stats_read(dir, &a, &s) == -ENOENT);
	/* What is there and cannot be read is not taken for nothing. */
	CHECK(mkdirat(dir, "pids.current", 0755) == 0);
	CHECK(cgroup_stats_read(dir, &a, &s) == -ENOENT);
	close(openat(dir, "cgroup.procs", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	CHECK(cgroup_stats_read(dir, &a, &s) == -EISDIR);
	CHECK(unlinkat(dir, "pids.current", AT_REMOVEDIR) == 0 && unlinkat(dir, "cgroup.procs", 0) == 0);
	remove_directory(dir, none, path);
}

static void
test_keyed(void)
{
	uint64_t v = 77;

	CHECK(keyed_find("a 1\nab 2\n", "ab", &v) && v == 2);
	CHECK(keyed_find("a 1\nab max\n", "ab", &v) && v == KEYED_MAX);
	v = 77;
	CHECK(!keyed_find("abc 1\n", "ab", &v) && !keyed_find("", "ab", &v) && !keyed_find("ab x\n", "ab", &v));
	CHECK(v == 77);
	CHECK(!strcmp(keyed_in_line("8:0 rbytes=1 wbytes=2", "wbytes"), "2"));
	CHECK(!keyed_in_line("8:0 rbytes=1\nwbytes=2", "wbytes") && !keyed_in_line("xa=1", "a"));
}

static void
test_network(void)
{
	static const char text[] = "Inter-|   Receive                      |  Transmit\n"
				   " face |bytes    packets errs drop fifo frame compressed multicast|bytes\n"
				   "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
				   "  eth0: 10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0\n"
				   "broken: 1 2\n";
	auto_arena struct arena a = { 0 };
	struct net_counters *list;

	CHECK(stats_parse_net_counters(text, &a, &list) == 1);
	CHECK(!strcmp(list[0].name, "eth0") && list[0].rx_bytes == 10 && list[0].rx_packets == 2);
	CHECK(list[0].rx_errors == 3 && list[0].rx_dropped == 4 && list[0].tx_bytes == 50);
	CHECK(list[0].tx_packets == 6 && list[0].tx_errors == 7 && list[0].tx_dropped == 8);
}

static void
test_sizes(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },		{ 1023, "1023 B" },	   { 1024, "1 KiB" },	       { 1536, "1.5 KiB" },
		{ 67108864, "64 MiB" }, { 1048575, "1023.9 KiB" }, { UINT64_MAX, "15.9 EiB" },
	};
	char buf[SIZE_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(!strcmp(size_text(rows[i].bytes, buf), rows[i].text));
}

int
main(void)
{
	test_full();
	test_hybrid();
	test_gone();
	test_keyed();
	test_network();
	test_sizes();
	return failed;
}
