/* What a process inherits of signals, and how the first one of a pid namespace is ended by them. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "tests/unit/check.h"

/* A child that is the first process of a new pid namespace; -1: not permitted here. */
static pid_t
clone_first(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWPID, .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int
wait_status(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* sig: sent by another process while the first one holds it; 0: none. */
static int
held(int sig)
{
	int ready[2], go[2];
	char byte = 0;
	pid_t pid;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	pid = clone_first();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		if (signals_hold() < 0 || raise(SIGTERM) != 0 || write(ready[1], "", 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(signals_release() == 0 ? 7 : 2);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(sig == 0 || kill(pid, sig) == 0);
	CHECK(write(go[1], "", 1) == 1);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
	return wait_status(pid);
}

static void
test_hold(void)
{
	int status = held(0);

	if (status < 0) {
		printf("no pid namespace: %s\n", strerror(errno));
		return;
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7); /* its own is nobody's wish */
	status = held(SIGHUP);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGHUP);
	status = held(SIGRTMIN + 3);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGRTMIN + 3);
	status = held(SIGCHLD);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void
test_ignored(void)
{
	uint64_t before = signals_ignored();
	struct sigaction now;

	CHECK(before != SIGNALS_ALL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	CHECK(signals_ignored() == (before | (uint64_t)1 << (SIGPIPE - 1) | (uint64_t)1 << (SIGRTMAX - 1)));
	CHECK(signals_reset((uint64_t)1 << (SIGPIPE - 1)) == 0);
	CHECK(sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGRTMAX, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
	CHECK(signals_reset(SIGNALS_ALL) == 0 && signals_ignored() == 0);
}

int
main(void)
{
	test_ignored();
	test_hold();
	return failed;
}
