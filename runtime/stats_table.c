/* Theory of operation: every column is a function that makes one cell; a dash says
 * that the host does not count this (no controller, no network of its own). */
#include "runtime/stats_table.h"

#include <inttypes.h>
#include <string.h>

#include "base/size_text.h"
#include "runtime/text.h"

#define COLUMN_SPACE 3
#define NOT_COUNTED  "-"

struct row {
	const struct container_stats *now, *before; /* before NULL: not known */
};

static const char *
size_cell(struct arena *a, uint64_t bytes)
{
	char buf[SIZE_TEXT_MAX];

	return arena_strdup(a, size_text(bytes, buf));
}

/* part of whole, both above 0, as "12.3%". */
static const char *
percent_cell(struct arena *a, double part, double whole)
{
	return arena_printf(a, "%.1f%%", whole > 0 ? 100.0 * part / whole : 0.0);
}

/* ---- cells --------------------------------------------------------------- */

static const char *
id_cell(struct arena *a, const struct row *row)
{
	return row->now->status == STATUS_PAUSED ? arena_printf(a, "%s (paused)", row->now->state->id)
						 : row->now->state->id;
}

/* Of one CPU, so 200% is two of them. */
static const char *
cpu_cell(struct arena *a, const struct row *row)
{
	const struct cgroup_stats *now = &row->now->cgroup;
	int64_t elapsed = row->before ? row->now->read_at_ms - row->before->read_at_ms : 0;

	if (!now->has_cpu || elapsed <= 0 || now->cpu_usage < row->before->cgroup.cpu_usage)
		return NOT_COUNTED;
	return percent_cell(a, (double)(now->cpu_usage - row->before->cgroup.cpu_usage), (double)elapsed * 1000.0);
}

static const char *
memory_cell(struct arena *a, const struct row *row)
{
	const struct cgroup_stats *s = &row->now->cgroup;

	if (!s->has_memory)
		return NOT_COUNTED;
	return arena_printf(a, "%s / %s", size_cell(a, s->memory_usage),
			    s->memory_limit == KEYED_MAX ? "max" : size_cell(a, s->memory_limit));
}

static const char *
memory_percent_cell(struct arena *a, const struct row *row)
{
	const struct cgroup_stats *s = &row->now->cgroup;

	if (!s->has_memory || s->memory_limit == KEYED_MAX)
		return NOT_COUNTED;
	return percent_cell(a, (double)s->memory_usage, (double)s->memory_limit);
}

static const char *
network_cell(struct arena *a, const struct row *row)
{
	uint64_t in = 0, out = 0;

	if (row->now->n_interfaces == 0)
		return NOT_COUNTED;
	for (size_t i = 0; i < row->now->n_interfaces; i++) {
		in += row->now->interfaces[i].rx_bytes;
		out += row->now->interfaces[i].tx_bytes;
	}
	return arena_printf(a, "%s / %s", size_cell(a, in), size_cell(a, out));
}

static const char *
io_cell(struct arena *a, const struct row *row)
{
	const struct cgroup_stats *s = &row->now->cgroup;
	uint64_t read = 0, written = 0;

	if (!s->has_io)
		return NOT_COUNTED;
	for (size_t i = 0; i < s->n_io; i++) {
		read += s->io[i].read_bytes;
		written += s->io[i].write_bytes;
	}
	return arena_printf(a, "%s / %s", size_cell(a, read), size_cell(a, written));
}

static const char *
pids_cell(struct arena *a, const struct row *row)
{
	const struct cgroup_stats *s = &row->now->cgroup;

	if (!s->has_pids)
		return NOT_COUNTED;
	if (s->pids_limit == KEYED_MAX)
		return arena_printf(a, "%" PRIu64, s->pids);
	return arena_printf(a, "%" PRIu64 " / %" PRIu64, s->pids, s->pids_limit);
}

static const char *
pressure_part(struct arena *a, const struct cgroup_pressure *pressure)
{
	return pressure->is_there ? arena_printf(a, "%u%%", (pressure->some.avg10 + 50) / 100) : NOT_COUNTED;
}

/* Share of the last 10 s in which some task waited: cpu, memory, disks. */
static const char *
pressure_cell(struct arena *a, const struct row *row)
{
	const struct cgroup_stats *s = &row->now->cgroup;

	return arena_printf(a, "%s %s %s", pressure_part(a, &s->cpu_pressure), pressure_part(a, &s->memory_pressure),
			    pressure_part(a, &s->io_pressure));
}

static const struct {
	const char *head;
	const char *(*cell)(struct arena *, const struct row *);
} columns[] = {
	{ "ID", id_cell },
	{ "CPU %", cpu_cell },
	{ "MEMORY / LIMIT", memory_cell },
	{ "MEM %", memory_percent_cell },
	{ "NET IN / OUT", network_cell },
	{ "DISK READ / WRITTEN", io_cell },
	{ "TASKS", pids_cell },
	{ "WAITS CPU MEM IO", pressure_cell },
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* ---- the table ----------------------------------------------------------- */

static const struct container_stats *
find(const struct container_stats *list, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].state->id, id))
			return &list[i];
	return NULL;
}

const char *
stats_table(struct arena *a, const struct container_stats *now, size_t n, const struct container_stats *previous,
	    size_t n_previous)
{
	const char *(*cells)[N_COLUMNS] = arena_array(a, n + 1, sizeof(*cells));
	struct text text = { .arena = a };
	size_t width[N_COLUMNS] = { 0 };

	for (size_t c = 0; c < N_COLUMNS; c++) {
		cells[0][c] = columns[c].head;
		for (size_t i = 0; i < n; i++) {
			struct row r = { &now[i], find(previous, n_previous, now[i].state->id) };

			cells[i + 1][c] = columns[c].cell(a, &r);
		}
		for (size_t i = 0; i <= n; i++)
			if (strlen(cells[i][c]) > width[c])
				width[c] = strlen(cells[i][c]);
	}
	for (size_t i = 0; i <= n; i++) {
		for (size_t c = 0; c + 1 < N_COLUMNS; c++)
			text_add(&text, "%-*s", (int)(width[c] + COLUMN_SPACE), cells[i][c]);
		text_add(&text, "%s\n", cells[i][N_COLUMNS - 1]);
	}
	return text_get(&text);
}
