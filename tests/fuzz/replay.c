/* A fuzz target without the fuzzer: each file once. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int
replay(const char *path, size_t max)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(max);
	size_t size;

	if (!f || !data) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, max, f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int
replay_directory(const char *path, size_t max)
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
		failed |= replay(file, max);
	}
	closedir(dir);
	return failed;
}

int
fuzz_replay(int argc, char **argv, const char *corpus, size_t max)
{
	const char *srcdir = getenv("srcdir");
	char path[2048];
	int failed = 0;

	if (argc == 1) {
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", corpus);
		return replay_directory(path, max);
	}
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i], max);
	return failed;
}
