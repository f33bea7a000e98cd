/* runtime/: durations, the JSON of events, and Prometheus' text. */
#include <stdio.h>
#include <string.h>

#include "runtime/duration.h"
#include "runtime/stats_json.h"
#include "runtime/stats_prometheus.h"
#include "tests/unit/check.h"

static void
test_durations(void)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} rows[] = {
		{ "5s", 5000 },
		{ "1m30s", 90000 },
		{ "1.5h", 5400000 },
		{ "250ms", 250 },
		{ "1us", 1 },
		{ "7", 7000 },
		{ ".5s", 500 },
		{ "1.s", 1000 },
		{ "", -1 },
		{ "0", -1 },
		{ "0s", -1 },
		{ "-1s", -1 },
		{ "s", -1 },
		{ ".s", -1 },
		{ "5x", -1 },
		{ "1m30", -1 },
		{ "600h", -1 },
		{ "1.5", -1 },
		{ "99999999999999999999s", -1 },
		{ "5 s", -1 },
		{ "+5s", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = -1;

		duration_parse(rows[i].text, &ms);
		if (ms != rows[i].ms) {
			fprintf(stderr, "%s:%d: '%s' is %lld ms\n", __FILE__, __LINE__, rows[i].text, (long long)ms);
			failed = 1;
		}
	}
}

static void
test_decimals(void)
{
	auto_arena struct arena a = { 0 };
	struct json_out j;

	json_out_init(&j, &a, /* pretty= */ false);
	json_out_open(&j, '[');
	json_out_decimal(&j, 1250, 2);
	json_out_decimal(&j, 100, 2);
	json_out_decimal(&j, 0, 2);
	json_out_decimal(&j, 7, 2);
	json_out_decimal(&j, 1001, 3);
	json_out_close(&j, ']');
	CHECK(!strcmp(j.text, "[12.5,1,0,0.07,1.001]"));
}

static void
test_escapes(void)
{
	auto_arena struct arena a = { 0 };

	CHECK(!strcmp(stats_prometheus_escape(&a, "plain"), "plain"));
	CHECK(!strcmp(stats_prometheus_escape(&a, "a\"b\\c\nd"), "a\\\"b\\\\c\\nd"));
	CHECK(!strcmp(stats_prometheus_escape(&a, "\xc3\xa9\xff"), "\xc3\xa9\xef\xbf\xbd"));
	CHECK(!strcmp(stats_prometheus_escape(&a, ""), ""));
}

static void
test_prometheus(void)
{
	auto_arena struct arena a = { 0 };
	struct state s = { .id = (char *)"web1",
			   .cgroup_path = (char *)"/a\"b",
			   .created = (char *)"1970-01-02T00:00:00.5Z" };
	struct container_stats stats = { .state = &s, .has_cgroup = true };
	const char *text;

	stats.cgroup.has_cpu = true;
	stats.cgroup.cpu_usage = 12000034;
	stats.cgroup.has_pids = true;
	stats.cgroup.pids_limit = KEYED_MAX;
	text = stats_prometheus(&a, &stats, 1, 1000);
	CHECK(strstr(text,
		     "# TYPE container_cpu_usage_seconds_total counter\n"
		     "container_cpu_usage_seconds_total{id=\"/a\\\"b\",name=\"web1\",cpu=\"total\"} 12.000034\n"));
	CHECK(strstr(text, "container_threads_max{id=\"/a\\\"b\",name=\"web1\"} 0\n"));
	CHECK(strstr(text, "container_start_time_seconds{id=\"/a\\\"b\",name=\"web1\"} 86400\n"));
	CHECK(strstr(text, "container_last_seen{id=\"/a\\\"b\",name=\"web1\"} 1000\n"));
	/* What the host does not count is not there at all. */
	CHECK(!strstr(text, "container_memory_usage_bytes") && !strstr(text, "container_cpu_cfs_periods_total"));
	CHECK(!*stats_prometheus(&a, NULL, 0, 1000));
}

static void
test_json(void)
{
	auto_arena struct arena a = { 0 };
	struct state s = { .id = (char *)"web1" };
	struct container_stats stats = { .state = &s };
	struct json_out j;

	stats.cgroup.has_memory = true;
	stats.cgroup.memory_limit = 100;
	stats.cgroup.memory_usage = 40;
	stats.cgroup.has_swap = true;
	stats.cgroup.swap_usage = 2;
	stats.cgroup.swap_limit = 20;
	stats.cgroup.pids_limit = KEYED_MAX;
	json_out_init(&j, &a, /* pretty= */ false);
	stats_json_write(&j, &stats);
	CHECK(strstr(j.text, "\"swap\":{\"limit\":120,\"usage\":42,\"failcnt\":0}"));
	CHECK(strstr(j.text, "\"pids\":{}"));
	CHECK(strstr(j.text, "\"network_interfaces\":null"));
	stats.cgroup.swap_limit = KEYED_MAX;
	json_out_init(&j, &a, /* pretty= */ false);
	stats_json_write(&j, &stats);
	CHECK(strstr(j.text, "\"swap\":{\"limit\":18446744073709551615,"));
	json_out_init(&j, &a, /* pretty= */ false);
	stats_json_write_oom(&j, "web1");
	CHECK(!strcmp(j.text, "{\"type\":\"oom\",\"id\":\"web1\"}"));
}

int
main(void)
{
	test_durations();
	test_decimals();
	test_escapes();
	test_prometheus();
	test_json();
	return failed;
}
