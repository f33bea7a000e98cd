/* Theory of operation: findings are kept with their byte offset and sorted
 * once at the end, when lines and columns are counted in a single pass. A
 * hostile file can hold millions of mistakes, so only the first KEEP of each
 * severity are kept; all are counted. */
#include "oci-spec/issues.h"

#include <stdlib.h>

#define KEEP (2 * SPEC_MAX_ISSUES)

void
issues_init(struct issues *is, struct arena *a, const char *text, size_t len)
{
	*is = (struct issues){ .arena = a, .text = text, .len = len };
}

void
issues_vadd(struct issues *is, enum spec_severity severity, size_t offset, const char *path, const char *fmt,
	    va_list ap)
{
	struct found *f;
	bool full = issues_full(is, severity);

	issues_count(is, severity);
	if (full)
		return;
	if (is->n == is->cap) {
		size_t cap = is->cap ? is->cap * 2 : 16;

		is->items = arena_grow(is->arena, is->items, is->n * sizeof(*f), cap * sizeof(*f));
		is->cap = cap;
	}
	f = &is->items[is->n];
	f->severity = severity;
	f->offset = offset < is->len ? offset : is->len;
	f->order = is->n++;
	f->path = arena_strdup(is->arena, path);
	f->text = arena_vprintf(is->arena, fmt, ap);
}

void
issues_add(struct issues *is, enum spec_severity severity, size_t offset, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	issues_vadd(is, severity, offset, path, fmt, ap);
	va_end(ap);
}

bool
issues_full(const struct issues *is, enum spec_severity severity)
{
	return is->count[severity] >= KEEP;
}

void
issues_count(struct issues *is, enum spec_severity severity)
{
	is->count[severity]++;
}

unsigned
issues_line(const struct issues *is, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < is->len; i++)
		line += is->text[i] == '\n';
	return line;
}

static int
by_position(const void *left, const void *right)
{
	const struct found *x = left, *y = right;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* How many findings of a severity fit, when the graver ones go first. */
static size_t
room_for(const struct issues *is, enum spec_severity severity, size_t taken)
{
	size_t kept = is->count[severity] < KEEP ? is->count[severity] : KEEP;
	size_t room = SPEC_MAX_ISSUES - taken;

	return kept < room ? kept : room;
}

void
issues_report(struct issues *is, struct spec_report *report)
{
	size_t room[SPEC_NOTE + 1], total = 0, line_start = 0, at = 0;
	unsigned line = 1;

	*report = (struct spec_report){ .n_errors = is->count[SPEC_ERROR],
					.n_warnings = is->count[SPEC_WARNING] + is->count[SPEC_ADVICE] };
	if (is->n == 0)
		return;
	for (int s = SPEC_ERROR; s <= SPEC_NOTE; s++)
		total += room[s] = room_for(is, s, total);
	qsort(is->items, is->n, sizeof(*is->items), by_position);
	report->items = arena_array(is->arena, total, sizeof(*report->items));
	for (size_t i = 0; i < is->n; i++) {
		const struct found *f = &is->items[i];

		if (room[f->severity] == 0)
			continue;
		room[f->severity]--;
		for (; at < f->offset; at++)
			if (is->text[at] == '\n') {
				line++;
				line_start = at + 1;
			}
		report->items[report->n++] = (struct spec_issue){ .severity = f->severity,
								  .line = line,
								  .column = (unsigned)(f->offset - line_start) + 1,
								  .path = f->path,
								  .text = f->text };
	}
}
