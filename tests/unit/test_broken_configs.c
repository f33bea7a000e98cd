/* Every tests/data/broken/NAME.json is refused, and its report is exactly the
 * lines of NAME.expected. Run with KNARR_TEST_UPDATE=1 to write the files that
 * differ anew (then read them). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "oci-spec/spec.h"

#define LIMIT ((size_t)1024 * 1024)

/* The lines of the report; NULL when the config was not refused. */
static char *
report_of(int dir, const char *name, struct arena *a)
{
	struct spec_report report;
	struct spec *s = NULL;
	char *json, *lines = arena_strdup(a, "");
	size_t len;
	int r;

	if (fd_read_file_at(dir, name, LIMIT, &json, &len) < 0)
		return NULL;
	r = spec_parse(name, json, len, a, &report, &s);
	free(json);
	for (size_t i = 0; i < report.n; i++)
		lines = arena_printf(a, "%s%s\n", lines, spec_issue_format(a, name, &report.items[i]));
	return r < 0 && !s && report.n_errors > 0 ? lines : NULL;
}

static int
check_file(int dir, const char *name)
{
	auto_arena struct arena a = { 0 };
	char *expected_name = arena_printf(&a, "%.*s.expected", (int)(strlen(name) - strlen(".json")), name);
	char *lines = report_of(dir, name, &a), *expected;
	size_t len;
	int r;

	if (!lines) {
		fprintf(stderr, "%s: not refused\n", name);
		return 1;
	}
	if (fd_read_file_at(dir, expected_name, LIMIT, &expected, &len) < 0)
		expected = calloc(1, 1);
	r = strcmp(lines, expected) != 0;
	if (r)
		fprintf(stderr, "%s: got\n%sbut expected\n%s", name, lines, expected);
	free(expected);
	if (r && getenv("KNARR_TEST_UPDATE"))
		fd_replace_file_at(dir, expected_name, lines, strlen(lines), 0644);
	return r;
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
		size_t len = strlen(e->d_name);

		if (len < 6 || strcmp(e->d_name + len - 5, ".json") != 0)
			continue;
		failed += check_file(dirfd(dir), e->d_name);
		n++;
	}
	closedir(dir);
	printf("%d broken configs, %d failed\n", n, failed);
	return failed > 0 || n < 150;
}
