/* Fuzzes the parser of config.json: text -> JSON tree -> struct spec -> rules.
 * A text that begins with a tab is taken as a lone process. Checks that the
 * result and the report agree, and that places lie inside the text.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined …   (see README.md here)
 *
 * With -DFUZZ_REPLAY there is a main() that runs the files named on its command
 * line once each, or the seed corpus when none is named (in `make check`). */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci-spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_report(const struct spec_report *report, size_t len, struct arena *a)
{
	if (report->n > SPEC_MAX_ISSUES || (report->n_errors > 0 && report->n == 0))
		abort();
	for (size_t i = 0; i < report->n; i++) {
		const struct spec_issue *issue = &report->items[i];

		if (issue->line == 0 || issue->column == 0 || issue->line > len + 1 || issue->column > len + 1)
			abort();
		if (i > 0 && issue[-1].line > issue->line)
			abort();
		if (strlen(spec_issue_format(a, "f", issue)) < 8)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct spec_process *process = NULL;
	struct spec_report report;
	struct spec *s = NULL;
	bool ok;

	if (size == 0)
		return 0;

	if (data[0] == '\t')
		ok = spec_parse_process((const char *)data, size, &a, &report, &process) == 0;
	else
		ok = spec_parse("f", (const char *)data, size, &a, &report, &s) == 0;
	if (ok != (report.n_errors == 0) || ok != (s || process))
		abort();
	if (s && (!s->root || !s->root->path || !s->oci_version || s->json_len != size))
		abort();
	check_report(&report, size, &a);
	return 0;
}

#ifdef FUZZ_REPLAY
static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(SPEC_MAX_SIZE + 2);
	size_t size;

	if (!f || !data) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, SPEC_MAX_SIZE + 2, f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int
replay_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char file[4096];
	int failed = 0;

	if (!dir) {
		perror(path);
		return 1;
	}
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		failed |= replay(file);
	}
	closedir(dir);
	return failed;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	char corpus[2048];
	int failed = 0;

	if (argc == 1) {
		snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/spec", srcdir ? srcdir : ".");
		return replay_folder(corpus);
	}
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
#endif
