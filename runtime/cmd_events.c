/* knarr events: statistics and OOM kills of a container, one JSON object per line,
 * in the format of runc.
 *
 * Every event has its own arena, so that watching for months takes no memory. */
#include <errno.h>
#include <unistd.h>

#include "cgroups/events.h"
#include "runtime/command.h"
#include "runtime/duration.h"
#include "runtime/stats_json.h"

struct values {
	const char *interval;
	bool stats;
};

static const struct option_row rows[] = {
	{ "interval", 0, OPTION_TEXT, "DURATION", offsetof(struct values, interval),
	  "time between statistics, such as 5s, 1m30s or 500ms (default: 5s)" },
	{ "stats", 0, OPTION_FLAG, NULL, offsetof(struct values, stats), "print current statistics once and exit" },
	{ 0 },
};

static int
print_line(const struct cli *cli, struct json_out *j)
{
	return cmd_print(cli, arena_printf(j->arena, "%s\n", j->text));
}

static int
print_stats(const struct cli *cli, const char *id)
{
	auto_arena struct arena a = { 0 };
	struct container_env env = cli->env;
	struct container_stats s;
	struct json_out j;
	int r;

	env.arena = &a;
	r = container_stats(&env, id, cli->err, &s);
	if (r < 0)
		return r;
	json_out_init(&j, &a, /* pretty= */ false);
	stats_json_write(&j, &s);
	return print_line(cli, &j);
}

static int
print_oom(const struct cli *cli, const char *id)
{
	auto_arena struct arena a = { 0 };
	struct json_out j;

	json_out_init(&j, &a, /* pretty= */ false);
	stats_json_write_oom(&j, id);
	return print_line(cli, &j);
}

/* 1: it has exited. */
static int
next_event(const struct cli *cli, const char *id, struct container_watch *watch, int64_t interval, int64_t *deadline)
{
	enum container_event event;
	int r = container_watch_next(watch, *deadline, STDOUT_FILENO, cli->err, &event);

	if (r < 0)
		return r;
	switch (event) {
	case CONTAINER_OOM:
		return print_oom(cli, id);
	case CONTAINER_TIMEOUT:
		*deadline = events_clock_ms() + interval;
		r = print_stats(cli, id);
		if (r != -ESRCH && r != -ENOENT)
			return r;
		err_clear(cli->err);
		return 1;
	case CONTAINER_ENDED:
	case CONTAINER_OUTPUT_CLOSED:
		return 1;
	}
	return 0;
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const char *id = operands->items[0];
	struct container_watch w;
	int64_t interval = 5000, deadline;
	int r;

	if (v->interval && duration_parse(v->interval, &interval) < 0)
		return err_plain(cli->err,
				 "option '--interval': expected a time above 0 such as 5s or 1m30s, found '%s'",
				 v->interval);
	if (v->stats)
		return print_stats(cli, id);
	r = container_watch_open(&cli->env, id, cli->err, &w);
	if (r < 0)
		return r;
	r = container_watch_restrain(cli->err);
	deadline = events_clock_ms() + interval;
	while (r == 0)
		r = next_event(cli, id, &w, interval, &deadline);
	container_watch_close(&w);
	return r < 0 ? r : 0;
}

const struct command command_events = {
	.name = "events",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "print statistics and OOM kills of a container as they occur",
	.text = "Prints one JSON object per line until the container exits: one of type stats\n"
		"every few seconds, and one of type oom each time the kernel has killed one of\n"
		"its processes because it was out of memory. The numbers come from cgroup v2;\n"
		"those of a missing controller are zero or left out.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
