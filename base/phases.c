/* The one piece of global state beside the log: what is measured is spread over all rooms. A child
 * writes numbers only, into memory of its own size, so that nothing that it writes can
 * lead its parent astray. */
#include "base/phases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MAX_PHASES 32
#define MAX_STEPS  4096

struct step {
	uint64_t began, ended;
};

static struct {
	struct step *steps; /* shared; NULL: nothing is noted */
	const char *names[MAX_PHASES];
	uint64_t began[MAX_PHASES];
	size_t n;
	const char *const *step_names;
	size_t n_steps;
} phases;

uint64_t
phases_clock(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int
phases_begin(uint64_t began, struct err *err)
{
	void *mem = mmap(NULL, MAX_STEPS * sizeof(*phases.steps), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);

	if (mem == MAP_FAILED)
		return err_set(err, errno, "--trace-phases: map memory");
	phases.steps = mem;
	phases.names[0] = "command line";
	phases.began[0] = began;
	phases.n = 1;
	return 0;
}

void
phases_enter(const char *name)
{
	if (!phases.steps || phases.n == MAX_PHASES)
		return;
	phases.names[phases.n] = name;
	phases.began[phases.n++] = phases_clock();
}

uint64_t
phases_step_begin(void)
{
	return phases.steps ? phases_clock() : 0;
}

void
phases_step_end(uint32_t index, uint64_t began)
{
	if (began && index < MAX_STEPS)
		phases.steps[index] = (struct step){ began, phases_clock() };
}

bool
phases_are_noted(void)
{
	return phases.steps != NULL;
}

void
phases_name_steps(const char *const *names, size_t n)
{
	phases.step_names = names;
	phases.n_steps = n < MAX_STEPS ? n : MAX_STEPS;
}

/* ---- what is printed ---------------------------------------------------- */

static double
microseconds(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) / 1000 : 0;
}

static void
print_steps(uint64_t start)
{
	bool any = false;

	for (size_t i = 0; i < phases.n_steps; i++) {
		struct step step = phases.steps[i];

		if (!step.began)
			continue;
		if (!any)
			fprintf(stderr, "\n%10s  %10s  %s\n", "from (us)", "us", "step of the plan, in the child");
		any = true;
		fprintf(stderr, "%10.0f  %10.1f  %s\n", microseconds(start, step.began),
			microseconds(step.began, step.ended), phases.step_names[i]);
	}
}

void
phases_print(void)
{
	uint64_t end = phases_clock(), start = phases.began[0];

	if (!phases.steps)
		return;
	fprintf(stderr, "%10s  %10s  %s\n", "from (us)", "us", "phase of the runtime");
	for (size_t i = 0; i < phases.n; i++)
		fprintf(stderr, "%10.0f  %10.1f  %s\n", microseconds(start, phases.began[i]),
			microseconds(phases.began[i], i + 1 < phases.n ? phases.began[i + 1] : end), phases.names[i]);
	fprintf(stderr, "%10s  %10.1f  all\n", "", microseconds(start, end));
	print_steps(start);
}
