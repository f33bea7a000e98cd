/* knarr list: all containers of the state root, as a table, as JSON or as bare
 * ids. A container that is deleted meanwhile is left out; one whose state cannot
 * be read gets a warning and does not hide the others. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "runtime/command.h"
#include "runtime/container_json.h"

struct values {
	const char *format;
	bool quiet;
};

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_CHOICE, "table|json", offsetof(struct values, format),
	  "form of the list (default: table)" },
	{ "quiet", 'q', OPTION_FLAG, NULL, offsetof(struct values, quiet), "print the ids only" },
	{ 0 },
};

struct entry {
	struct state *state;
	enum container_status status;
};

/* ---- the table ------------------------------------------------------------ */

/* Column widths as in runc's list: at least 12, three blanks between. */
#define N_COLUMNS    6
#define COLUMN_MIN   12
#define COLUMN_SPACE 3

static void
fill_row(struct arena *a, const struct entry *e, const char **cells)
{
	const struct state *s = e->state;

	cells[0] = s->id;
	cells[1] = arena_printf(a, "%d", e->status == STATUS_STOPPED ? 0 : (int)s->pid);
	cells[2] = state_status_name(e->status);
	cells[3] = s->bundle ? s->bundle : "";
	cells[4] = s->created ? s->created : "";
	cells[5] = container_owner_name(a, s->owner);
}

static char *
format_table(struct arena *a, const struct entry *entries, size_t n)
{
	static const char *const head[N_COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	const char *(*cells)[N_COLUMNS] = arena_array(a, n + 1, sizeof(*cells));
	size_t width[N_COLUMNS] = { 0 }, line = 1;
	char *text, *p;

	memcpy(cells[0], head, sizeof(head));
	for (size_t i = 0; i < n; i++)
		fill_row(a, &entries[i], cells[i + 1]);
	for (size_t c = 0; c < N_COLUMNS; c++) {
		width[c] = COLUMN_MIN;
		for (size_t i = 0; i <= n; i++)
			if (strlen(cells[i][c]) + COLUMN_SPACE > width[c])
				width[c] = strlen(cells[i][c]) + COLUMN_SPACE;
		line += width[c];
	}
	p = text = arena_array(a, n + 1, line);
	for (size_t i = 0; i <= n; i++) {
		for (size_t c = 0; c < N_COLUMNS; c++) {
			size_t len = strlen(cells[i][c]);

			memcpy(p, cells[i][c], len);
			if (c + 1 < N_COLUMNS)
				memset(p + len, ' ', width[c] - len);
			p += c + 1 < N_COLUMNS ? width[c] : len;
		}
		*p++ = '\n';
	}
	return text;
}

/* ---- the command ---------------------------------------------------------- */

static char *
format_json(struct arena *a, const struct entry *entries, size_t n)
{
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	json_out_open(&j, '[');
	for (size_t i = 0; i < n; i++)
		container_json_write(&j, a, entries[i].state, entries[i].status, /* exit_reason= */ NULL);
	json_out_close(&j, ']');
	return arena_printf(a, "%s\n", j.text);
}

static char *
format_ids(struct arena *a, char *const *ids, size_t n)
{
	size_t size = 1;
	char *text, *p;

	for (size_t i = 0; i < n; i++)
		size += strlen(ids[i]) + 1;
	p = text = arena_alloc(a, size);
	for (size_t i = 0; i < n; i++) {
		p = stpcpy(p, ids[i]);
		*p++ = '\n';
	}
	return text;
}

static size_t
load_entries(const struct cli *c, char *const *ids, size_t n, struct entry *entries)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct entry *e = &entries[found];
		char text[ERR_MSG_MAX];
		int r = container_state(&c->env, ids[i], c->err, &e->state, &e->status);

		if (r == 0)
			found++;
		else if (r != -ENOENT)
			log_warning("%s", err_format(c->err, text, sizeof(text)));
	}
	return found;
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct entry *entries;
	char **ids;
	size_t n;
	int r = state_list(c->env.root, c->arena, c->err, &ids, &n);

	(void)operands;
	if (r < 0)
		return r;
	if (v->quiet)
		return cli_print(c, format_ids(c->arena, ids, n));
	entries = arena_array(c->arena, n + 1, sizeof(*entries));
	n = load_entries(c, ids, n, entries);
	if (v->format && !strcmp(v->format, "json"))
		return cli_print(c, format_json(c->arena, entries, n));
	return cli_print(c, format_table(c->arena, entries, n));
}

const struct command command_list = {
	.name = "list",
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "list the containers",
	.text = "Lists the containers whose state is kept in the folder of --root.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
