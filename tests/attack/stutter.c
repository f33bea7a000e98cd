/* Slows down what a runtime makes: stutter COMMAND…
 *
 * Runs the command, stops its child processes a few microseconds after they begin to run,
 * lets them go on, and so again, until they execute a program. It does not trace, so that an
 * attacker may be one. Exits as the command does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PF_FORKNOEXEC 0x40
#define MAX_CHILDREN  16
#define MAX_STOPS     400 /* of one command: then it goes on undisturbed */

static void
sleep_us(long us)
{
	const struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

static bool
read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool
is_runtime(pid_t pid)
{
	char path[64], text[1024], *p;
	unsigned flags = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_file(path, text, sizeof(text)) && (p = strrchr(text, ')')) &&
	       sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & PF_FORKNOEXEC);
}

/* Children of the command, and theirs. */
static size_t
list_children(pid_t pid, pid_t *list, size_t n, int depth)
{
	char path[64], text[1024], *p = text, *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (!read_file(path, text, sizeof(text)))
		return n;
	for (long child = strtol(p, &end, 10); end != p && n < MAX_CHILDREN; p = end, child = strtol(p, &end, 10)) {
		list[n++] = (pid_t)child;
		if (depth > 0)
			n = list_children((pid_t)child, list, n, depth - 1);
	}
	return n;
}

static void
stop_for_a_moment(pid_t pid)
{
	if (!is_runtime(pid) || kill(pid, SIGSTOP) < 0)
		return;
	sleep_us(300);
	kill(pid, SIGCONT);
}

int
main(int argc, char **argv)
{
	pid_t child = argc < 2 ? -1 : fork(), list[MAX_CHILDREN];
	int status, stops = 0;

	if (child < 0)
		return 125;
	if (child == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	for (;;) {
		size_t n = stops < MAX_STOPS ? list_children(child, list, 0, 1) : 0;

		for (size_t i = 0; i < n; i++, stops++)
			stop_for_a_moment(list[i]);
		if (waitpid(child, &status, stops < MAX_STOPS ? WNOHANG : 0) == child)
			break;
		sleep_us(20);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
