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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "libcontainer/state/state.h"
#include "tests/unit/check.h"

static struct arena arena;
static struct err err;

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

static enum container_status
status_of(const struct state *state)
{
	enum container_status status = STATUS_PAUSED;

	CHECK(state_status(state, &err, &status) == 0, "%s", err.msg);
	return status;
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
	CHECK(status_of(&s) == STATUS_CREATING && state_pidfd(&s) == -ESRCH);
	s.pid = child;
	CHECK(state_pid_start_time(child, &s.pid_start_time) == 0);
	CHECK(s.pid_start_time > 0);
	CHECK(status_of(&s) == STATUS_CREATED);
	s.started = true;
	CHECK(status_of(&s) == STATUS_RUNNING);
	s.pid_start_time--; /* the pid belongs to another process now */
	CHECK(status_of(&s) == STATUS_STOPPED && state_pidfd(&s) == -ESRCH);
	s.pid_start_time++;
	kill(child, SIGKILL);
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0); /* a zombie */
	CHECK(status_of(&s) == STATUS_STOPPED);
	waitpid(child, NULL, 0);
	CHECK(status_of(&s) == STATUS_STOPPED && state_pid_start_time(child, &s.pid_start_time) == -ESRCH);
}

static void *
open_own_thread(void *ret_result)
{
	*(int *)ret_result = process_open((pid_t)syscall(SYS_gettid));
	return NULL;
}

/* Numbers that are in use, but not as those of processes. */
static void
test_numbers(void)
{
	int fd = process_open(getpid()), result = 0, status;
	pthread_t thread;
	int ends[2];
	pid_t child;
	char byte;

	CHECK(fd >= 0);
	fd_close(fd);
	CHECK(pthread_create(&thread, NULL, open_own_thread, &result) == 0);
	pthread_join(thread, NULL);
	CHECK(result == -ESRCH);
	/* The leader of a session that goes on. */
	CHECK(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		close(ends[1]);
		setsid();
		if (fork() == 0)
			_exit(read(ends[0], &byte, 1) < 0);
		_exit(0);
	}
	close(ends[0]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(process_open(child) == -ESRCH);
	close(ends[1]);
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
	CHECK(state_pid_start_time(child, &s.pid_start_time) == 0);
	CHECK(state_letter(child) == 'Z' && status_of(&s) == STATUS_RUNNING);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(status_of(&s) == STATUS_STOPPED);
}

/* Of a process that lives: what is gone is an answer, an error is one of the command. */
static void
test_frozen(void)
{
	char dir[] = "/tmp/knarr-test-XXXXXX";
	struct state s = { .pid = getpid(), .started = true, .cgroup_mount = dir, .cgroup_path = (char *)"/c" };
	enum container_status status = STATUS_CREATING;
	auto_close int fd = -1;

	CHECK(mkdtemp(dir) != NULL && state_pid_start_time(s.pid, &s.pid_start_time) == 0);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(status_of(&s) == STATUS_RUNNING); /* no such cgroup */
	CHECK(mkdirat(fd, "c", 0755) == 0 && status_of(&s) == STATUS_RUNNING);
	CHECK(symlinkat("cgroup.events", fd, "c/cgroup.events") == 0);
	CHECK(state_status(&s, &err, &status) == -ELOOP && status == STATUS_CREATING);
	CHECK(strstr(err.msg, "read 'cgroup.events' of cgroup '/c'"), "%s", err.msg);
	unlinkat(fd, "c/cgroup.events", 0);
	unlinkat(fd, "c", AT_REMOVEDIR);
	CHECK(symlinkat("c", fd, "c") == 0 && state_status(&s, &err, &status) == -ENOTDIR); /* nor can it be opened */
	unlinkat(fd, "c", 0);
	CHECK(rmdir(dir) == 0);
}

/* A process that has executed a program may have any name, one of the runtime's has not. */
static void
test_names(void)
{
	pid_t pid;
	int status;

	CHECK(state_init_has_name(getpid(), "test_state_proc", &err) == 0);
	CHECK(state_init_has_name(-1, "knarr:[init]", &err) == 0);
	pid = fork();
	if (pid == 0)
		_exit(state_init_has_name(getpid(), "test_state_proc", &err) == 1 &&
				      state_init_has_name(getpid(), "test_state", &err) == 0
			      ? 0
			      : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int
main(void)
{
	test_frozen();
	test_names();
	test_processes();
	test_thread();
	test_numbers();
	arena_free(&arena);
	return failed;
}
