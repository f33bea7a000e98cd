/* Theory of operation: what is found in a config after it was parsed comes as text that
 * begins with a property, "mounts[3].options: …", as every error about a config does. The
 * text of the config is parsed once more for the place: this happens only when somebody
 * wants to see it. */
#include <string.h>

#include "oci-spec/issues.h"
#include "oci-spec/json_text.h"
#include "oci-spec/spec.h"

/* What of the rest of a path is the key of a member: keys may have dots in them
 * ("kernel.shmmax"), so the longest that fits. */
static const struct json_value *
member_of(const struct json_value *value, const char **rest)
{
	const struct json_value *found = NULL;
	size_t longest = 0;

	for (const struct json_value *m = value->first; m; m = m->next) {
		size_t n = strlen(m->key);

		if (n > longest && strncmp(*rest, m->key, n) == 0 && strchr(".[: ", (*rest)[n])) {
			found = m;
			longest = n;
		}
	}
	*rest += longest;
	return found;
}

/* "[12]" */
static const struct json_value *
element_of(const struct json_value *value, const char **rest)
{
	size_t index = 0, digits = strspn(*rest + 1, "0123456789");

	if (digits == 0 || digits > 9 || (*rest)[1 + digits] != ']')
		return NULL;
	for (size_t i = 1; i <= digits; i++)
		index = index * 10 + (size_t)((*rest)[i] - '0');
	for (const struct json_value *e = value->first; e; e = e->next)
		if (e->index == index) {
			*rest += digits + 2;
			return e;
		}
	return NULL;
}

/* The value that the message begins with, or the nearest around it. *ret_path_end: where the
 * path ends in the message; at its beginning when it has none. */
static const struct json_value *
find_value(const struct json_value *root, const char *message, const char **ret_path_end)
{
	const struct json_value *v = root, *next = NULL;
	const char *rest = message;

	*ret_path_end = message;
	while (v) {
		const char *at = rest;

		if (v->type == JSON_OBJECT)
			next = member_of(v, &at);
		else
			next = v->type == JSON_ARRAY && *at == '[' ? element_of(v, &at) : NULL;
		if (!next)
			break;
		v = next;
		rest = at + (*at == '.');
	}
	/* A property that is missing in the file is named all the same. */
	if (v != root)
		*ret_path_end = message + strcspn(message, ": ");
	return v;
}

static void
locate(const char *text, size_t offset, struct spec_issue *issue)
{
	size_t start = 0;

	issue->line = 1;
	for (size_t i = 0; i < offset; i++)
		if (text[i] == '\n') {
			issue->line++;
			start = i + 1;
		}
	issue->column = (unsigned)(offset - start) + 1;
}

static bool
is_before(const struct spec_issue *left, const struct spec_issue *right)
{
	return left->line != right->line ? left->line < right->line : left->column < right->column;
}

static bool
has_issue(const struct spec_report *report, const struct spec_issue *issue)
{
	for (size_t i = 0; i < report->n; i++)
		if (!strcmp(report->items[i].path, issue->path) && !strcmp(report->items[i].text, issue->text))
			return true;
	return false;
}

static void
insert(struct arena *a, struct spec_report *report, const struct spec_issue *issue)
{
	struct spec_issue *items = arena_array(a, report->n + 1, sizeof(*items));
	size_t n = 0;

	while (n < report->n && !is_before(issue, &report->items[n]))
		n++;
	if (report->n)
		memcpy(items, report->items, n * sizeof(*items));
	items[n] = *issue;
	if (n < report->n)
		memcpy(items + n + 1, report->items + n, (report->n - n) * sizeof(*items));
	report->items = items;
	report->n++;
}

void
spec_report_add(struct arena *a, const struct spec *spec, struct spec_report *report, enum spec_severity severity,
		const char *message)
{
	struct spec_issue issue = { .severity = severity };
	const struct json_value *root, *v;
	struct issues none;
	const char *end;

	issues_init(&none, a, spec->json, spec->json_len);
	root = json_parse(spec->json, spec->json_len, a, &none);
	v = find_value(root, message, &end);
	locate(spec->json, v ? v->offset : 0, &issue);
	issue.path = arena_strndup(a, message, (size_t)(end - message));
	if (end > message && *end == ':')
		end++;
	issue.text = arena_strdup(a, end + strspn(end, " "));
	if (has_issue(report, &issue))
		return;
	report->n_errors += severity == SPEC_ERROR;
	report->n_warnings += severity == SPEC_WARNING;
	if (report->n < SPEC_MAX_ISSUES)
		insert(a, report, &issue);
}
