/* knarr stats: what containers use, as a table that refreshes, as JSON, or for
 * Prometheus.
 *
 * CPU use is a difference, so the table needs two readings: on
 * a terminal the refresh gives it, else a second reading follows after a moment.
 * Two arenas take turns, for the present reading and the one before. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/command.h"
#include "runtime/duration.h"
#include "runtime/stats_json.h"
#include "runtime/stats_prometheus.h"
#include "runtime/stats_table.h"

#define FIRST_INTERVAL_MS 250
#define HOME_AND_CLEAR	  "\033[H\033[J"

struct values {
	const char *format, *interval;
	bool no_stream;
};

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_CHOICE, "table|json|prometheus", offsetof(struct values, format),
	  "output format (default: table)" },
	{ "interval", 0, OPTION_TEXT, "DURATION", offsetof(struct values, interval),
	  "time between refreshes of the table, such as 5s or 500ms (default: 2s)" },
	{ "no-stream", 0, OPTION_FLAG, NULL, offsetof(struct values, no_stream),
	  "print the table once, even on a terminal" },
	{ 0 },
};

struct reading {
	struct arena arena;
	struct container_stats *list;
	size_t n;
};

/* ---- reading ------------------------------------------------------------- */

static bool
is_gone(int code)
{
	return code == -ESRCH || code == -ENOENT;
}

/* Named containers must be there at first; later, and without names, those that
 * have ended are left out, and one that cannot be read does not hide the others. */
static int
read_all(const struct cli *cli, const struct option_list *names, bool must_be_there, struct reading *ret)
{
	struct container_env env = cli->env;
	const char *const *ids = names->items;
	size_t n = names->n;
	char text[ERR_MSG_MAX], **all;
	int r;

	env.arena = &ret->arena;
	if (n == 0) {
		r = state_list(env.root, env.arena, cli->err, &all, &n);
		if (r < 0)
			return r;
		ids = (const char *const *)all;
	}
	ret->list = arena_array(env.arena, n + 1, sizeof(*ret->list));
	ret->n = 0;
	for (size_t i = 0; i < n; i++) {
		r = container_stats(&env, ids[i], cli->err, &ret->list[ret->n]);
		if (r == 0)
			ret->n++;
		else if (must_be_there && names->n > 0)
			return r;
		else if (!is_gone(r))
			log_warning("%s", err_format(cli->err, text, sizeof(text)));
		err_clear(cli->err);
	}
	return 0;
}

static void
wait_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* ---- the forms ----------------------------------------------------------- */

static int
print_json(const struct cli *cli, const struct reading *reading)
{
	struct json_out j;

	json_out_init(&j, cli->arena, /* pretty= */ false);
	json_out_open(&j, '[');
	for (size_t i = 0; i < reading->n; i++)
		stats_json_write(&j, &reading->list[i]);
	json_out_close(&j, ']');
	return cmd_print(cli, arena_printf(cli->arena, "%s\n", j.text));
}

static int
print_once(const struct cli *cli, const struct option_list *names, const char *format)
{
	struct reading now = { 0 };
	int r = read_all(cli, names, /* must_be_there= */ true, &now);

	if (r == 0 && !strcmp(format, "json"))
		r = print_json(cli, &now);
	else if (r == 0)
		r = cmd_print(cli, stats_prometheus(&now.arena, now.list, now.n, time(NULL)));
	arena_free(&now.arena);
	return r;
}

/* Ends when none of the named containers is left; without names it waits for new ones. */
static int
print_tables(const struct cli *cli, const struct option_list *names, int64_t interval, bool stream)
{
	struct reading turns[2] = { 0 };
	int r = read_all(cli, names, /* must_be_there= */ true, &turns[0]);

	for (size_t turn = 1; r == 0; turn++) {
		struct reading *now = &turns[turn % 2], *before = &turns[(turn + 1) % 2];

		wait_ms(turn == 1 ? FIRST_INTERVAL_MS : interval);
		arena_free(&now->arena);
		r = read_all(cli, names, /* must_be_there= */ false, now);
		if (r == 0)
			r = cmd_print(cli, arena_printf(&now->arena, "%s%s", stream ? HOME_AND_CLEAR : "",
							stats_table(&now->arena, now->list, now->n, before->list,
								    before->n)));
		if (!stream || (names->n > 0 && now->n == 0))
			break;
	}
	arena_free(&turns[0].arena);
	arena_free(&turns[1].arena);
	return r;
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	int64_t interval = 2000;

	if (v->interval && duration_parse(v->interval, &interval) < 0)
		return err_plain(cli->err,
				 "option '--interval': expected a time above 0 such as 5s or 1m30s, found '%s'",
				 v->interval);
	if (v->format && strcmp(v->format, "table") != 0)
		return print_once(cli, operands, v->format);
	return print_tables(cli, operands, interval, isatty(STDOUT_FILENO) && !v->no_stream);
}

const struct command command_stats = {
	.name = "stats",
	.operands = "[ID]...",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "show the CPU, memory, disk and network use of containers",
	.text = "Prints a table of the containers ID, or of all running ones; on a terminal it is\n"
		"refreshed until Ctrl-C. A dash means that the host does not count this: the\n"
		"cgroup v2 controller is missing, or the network is the host's. WAITS is the\n"
		"share of the last 10 seconds in which a task had to wait (PSI).\n"
		"\n"
		"--format json prints an array of the objects that events --stats prints;\n"
		"--format prometheus prints text for the textfile collector of node_exporter.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
