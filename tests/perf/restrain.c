/* What it costs the runtime to give up what it no longer needs (restrain_self()): as `exec` does it,
 * and as a foreground `run` does, with its places. Each round is a new process, in turns; prints the medians
 * of the time that the call takes, in microseconds. In the build directory, with SRC the source:
 *
 *   cc -O2 -std=gnu11 -D_GNU_SOURCE -I$SRC -I. -include config.h $SRC/tests/perf/restrain.c libknarr.a \
 *       -Wl,-Bstatic -lseccomp -lyajl_s -lcap -Wl,-Bdynamic -o restrain-time
 *   ./restrain-time [ROUNDS] */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libcontainer/process/restrain.h"

static const struct restrain_place places[] = {
	{ AT_FDCWD, "/proc", RESTRAIN_READ },
	{ AT_FDCWD, "/run", RESTRAIN_PARENT },
	{ AT_FDCWD, "/tmp", RESTRAIN_STATE },
	{ AT_FDCWD, "/sys/fs", RESTRAIN_PARENT },
	{ AT_FDCWD, "/sys/fs/cgroup", RESTRAIN_CGROUP },
};

static const struct {
	const char *name;
	struct restrain_options options;
} kinds[] = {
	{ "exec", { 0 } },
	{ "run",
	  { .uses_files = true,
	    .removes = true,
	    .capabilities = 1 << CAP_DAC_OVERRIDE,
	    .places = places,
	    .n_places = 5 } },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static double
microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
measure(const struct restrain_options *options, double *ret_time)
{
	struct err err;
	double start;
	pid_t pid = fork();

	if (pid == 0) {
		start = microseconds();
		if (restrain_self(options, &err) < 0)
			_exit(1);
		*ret_time = microseconds() - start;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static int
compare(const void *left, const void *right)
{
	double l = *(const double *)left, r = *(const double *)right;

	return (l > r) - (l < r);
}

int
main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 500;
	double *times = mmap(NULL, N_KINDS * rounds * sizeof(*times), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (rounds == 0 || times == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < rounds; i++)
		for (size_t k = 0; k < N_KINDS; k++)
			measure(&kinds[k].options, &times[k * rounds + i]);
	for (size_t k = 0; k < N_KINDS; k++) {
		qsort(times + k * rounds, rounds, sizeof(*times), compare);
		printf("%-5s %6.1f\n", kinds[k].name, times[k * rounds + rounds / 2]);
	}
	return 0;
}
