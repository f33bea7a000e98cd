/* What a state says about processes: whether the container's init still is the one
 * that was saved, and what its absence means. Needs no root. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/state.h"
#include "tests/unit/check.h"

static struct arena arena;

static void *
stay(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

/* A process whose first thread ends while another goes on. */
static void
leave_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL) != 0)
		_exit(1);
	pthread_exit(NULL);
}

static char
state_letter(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) > 0 ? strrchr(text, ')')[2] : '?';
}

static void
test_processes(void)
{
	struct state s = { .id = arena_strdup(&arena, "c") };
	pid_t child = fork();
	siginfo_t info;

	if (child == 0) {
		pause();
		_exit(0);
	}
	CHECK(state_status(&s) == STATUS_CREATING && state_pidfd(&s) == -ESRCH);
	s.pid = child;
	s.pid_start_time = state_pid_start_time(child);
	CHECK(s.pid_start_time > 0);
	CHECK(state_status(&s) == STATUS_CREATED);
	s.started = true;
	CHECK(state_status(&s) == STATUS_RUNNING);
	s.pid_start_time--; /* the pid belongs to another process now */
	CHECK(state_status(&s) == STATUS_STOPPED && state_pidfd(&s) == -ESRCH);
	s.pid_start_time++;
	kill(child, SIGKILL);
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0); /* a zombie */
	CHECK(state_status(&s) == STATUS_STOPPED);
	waitpid(child, NULL, 0);
	CHECK(state_status(&s) == STATUS_STOPPED && state_pid_start_time(child) == 0);
}

static void
test_thread(void)
{
	struct state s = { .id = arena_strdup(&arena, "c"), .started = true };
	pid_t child = fork();

	if (child == 0)
		leave_a_thread();
	for (unsigned i = 0; i < 200 && state_letter(child) != 'Z'; i++)
		poll(NULL, 0, 10);
	s.pid = child;
	s.pid_start_time = state_pid_start_time(child);
	CHECK(state_letter(child) == 'Z' && state_status(&s) == STATUS_RUNNING);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(state_status(&s) == STATUS_STOPPED);
}

int
main(void)
{
	test_processes();
	test_thread();
	arena_free(&arena);
	return failed;
}
