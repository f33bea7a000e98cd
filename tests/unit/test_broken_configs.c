/* Every tests/data/broken/NAME.case is a config that is refused, below "--- config.json",
 * and the exact report, below "--- stderr". The config is the last section and goes on to
 * the last byte, as some have no newline at the end. Run with REGENERATE=1 to write
 * the reports that differ anew (then read the difference). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "oci-spec/spec.h"

#define LIMIT ((size_t)1024 * 1024)

/* The lines of the report; NULL when the config was not refused. */
static char *
report_of(const char *json, size_t len, struct arena *a)
{
	struct spec_report report;
	struct spec *s = NULL;
	char *lines = arena_strdup(a, "");
	int r = spec_parse("config.json", json, len, a, &report, &s);

	for (size_t i = 0; i < report.n; i++)
		lines = arena_printf(a, "%s%s\n", lines, spec_issue_format(a, "config.json", &report.items[i]));
	return r < 0 && !s && report.n_errors > 0 ? lines : NULL;
}

/* The two sections of a case; false when the text is something else. */
static bool
split_case(const char *text, size_t len, struct arena *a, const char **ret_lines, const char **ret_json)
{
	static const char first[] = "--- stderr\n", second[] = "--- config.json\n";
	const char *json = memmem(text, len, second, strlen(second));

	if (!json || strncmp(text, first, strlen(first)) != 0)
		return false;
	text += strlen(first);
	*ret_lines = arena_strndup(a, text, (size_t)(json - text));
	*ret_json = json + strlen(second);
	return true;
}

/* A case file with other lines in its first section. */
static void
rewrite_case(int dir, const char *name, const char *lines, const char *json, size_t len, struct arena *a)
{
	const char *head = arena_printf(a, "--- stderr\n%s--- config.json\n", lines);
	char *text = arena_alloc(a, strlen(head) + len);

	memcpy(text, head, strlen(head));
	memcpy(text + strlen(head), json, len);
	fd_replace_file_at(dir, name, text, strlen(head) + len, 0644);
}

static bool
check_case(int dir, const char *name)
{
	auto_arena struct arena a = { 0 };
	const char *expected, *json;
	char *text, *lines;
	size_t len;
	bool ok = false;

	if (fd_read_file_at(dir, name, LIMIT, &text, &len) < 0 || !split_case(text, len, &a, &expected, &json)) {
		fprintf(stderr, "%s: not a case\n", name);
		return false;
	}
	len -= (size_t)(json - text);
	lines = report_of(json, len, &a);
	if (!lines) {
		fprintf(stderr, "%s: not refused\n", name);
	} else if (strcmp(lines, expected) != 0) {
		fprintf(stderr, "%s: got\n%sbut expected\n%s", name, lines, expected);
		if (getenv("REGENERATE"))
			rewrite_case(dir, name, lines, json, len, &a);
	} else {
		ok = true;
	}
	free(text);
	return ok;
}

int
main(void)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	DIR *dir;
	struct dirent *e;
	int failed = 0, n = 0;

	snprintf(path, sizeof(path), "%s/tests/data/broken", srcdir ? srcdir : ".");
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return 1;
	}
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		failed += !check_case(dirfd(dir), e->d_name);
		n++;
	}
	closedir(dir);
	printf("%d broken configs, %d failed\n", n, failed);
	return failed > 0 || n < 300;
}
