/* knarr list: all containers of the state root, as a table, as JSON or as bare
 * ids. A container that is deleted meanwhile is left out; one whose state is damaged
 * gets a warning and does not hide the others. Nor does one whose state cannot be read for
 * the moment, but then the list is not whole, which is an error after it. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/printable.h"
#include "runtime/command.h"
#include "runtime/container_json.h"

struct values {
	const char *format;
	bool quiet;
};

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_CHOICE, "table|json", offsetof(struct values, format),
	  "output format (default: table)" },
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

/* The last one that was looked up: mostly the only one. */
struct owner {
	uid_t uid;
	const char *name; /* NULL: none was */
};

static const char *
name_owner(struct arena *a, uid_t uid, struct owner *last)
{
	if (!last->name || last->uid != uid)
		*last = (struct owner){ uid, container_owner_name(a, uid) };
	return last->name;
}

static void
fill_row(struct arena *a, const struct entry *entry, struct owner *owner, const char **cells)
{
	const struct state *s = entry->state;

	cells[0] = s->id;
	cells[1] = arena_printf(a, "%d", entry->status == STATUS_STOPPED ? 0 : (int)s->pid);
	cells[2] = state_status_name(entry->status);
	cells[3] = s->bundle ? s->bundle : "";
	cells[4] = s->created ? s->created : "";
	cells[5] = name_owner(a, s->owner, owner);
	for (size_t i = 0; i < N_COLUMNS; i++)
		cells[i] = printable_text(a, cells[i]);
}

static char *
format_table(struct arena *a, const struct entry *entries, size_t n)
{
	static const char *const head[N_COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	const char *(*cells)[N_COLUMNS] = arena_array(a, n + 1, sizeof(*cells));
	size_t width[N_COLUMNS] = { 0 }, line = 1;
	struct owner owner = { 0 };
	char *text, *p;

	memcpy(cells[0], head, sizeof(head));
	for (size_t i = 0; i < n; i++)
		fill_row(a, &entries[i], &owner, cells[i + 1]);
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
	struct owner owner = { 0 };
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	json_out_open(&j, '[');
	for (size_t i = 0; i < n; i++)
		container_json_write(&j, entries[i].state, entries[i].status,
				     name_owner(a, entries[i].state->owner, &owner), /* exit_reason= */ NULL);
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

/* *ret_failure: the first that could not be read; no message when there is none. */
static size_t
load_entries(const struct cli *cli, const struct container_env *env, char *const *ids, size_t n, struct entry *entries,
	     struct err *ret_failure)
{
	size_t found = 0;

	err_clear(ret_failure);
	for (size_t i = 0; i < n; i++) {
		struct entry *e = &entries[found];
		char text[ERR_MSG_MAX];
		int r;

		err_clear(cli->err);
		r = container_state(env, ids[i], cli->err, &e->state, &e->status);
		if (r == 0)
			found++;
		else if (r != -ENOENT && cli->err->code && !ret_failure->msg[0])
			*ret_failure = *cli->err;
		else if (r != -ENOENT)
			log_warning("%s", err_format(cli->err, text, sizeof(text)));
	}
	return found;
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct container_env env = cli->env;
	struct state_root root = { .fd = -1 };
	struct entry *entries;
	struct err failure;
	char **ids;
	size_t n;
	int r = state_list(cli->env.root, cli->arena, cli->err, &ids, &n);

	(void)operands;
	if (r < 0)
		return r;
	if (v->quiet)
		return cmd_print(cli, format_ids(cli->arena, ids, n));
	entries = arena_array(cli->arena, n + 1, sizeof(*entries));
	if (n > 0 && (r = state_root_open(env.root, cli->arena, cli->err, &root)) == -ENOENT)
		n = 0; /* removed meanwhile */
	else if (r < 0)
		return r;
	env.open_root = &root;
	n = load_entries(cli, &env, ids, n, entries, &failure);
	state_root_close(&root);
	if (v->format && !strcmp(v->format, "json"))
		r = cmd_print(cli, format_json(cli->arena, entries, n));
	else
		r = cmd_print(cli, format_table(cli->arena, entries, n));
	if (r < 0 || !failure.msg[0])
		return r;
	*cli->err = failure;
	return -failure.code;
}

const struct command command_list = {
	.name = "list",
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "list containers",
	.text = "Lists the containers whose state is in the directory of --root.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
