/* Stands for knarr (REAL) in tests/fault/enosys.sh, and keeps what it says as an error,
 * test by test, in the folder ERRORS. knarr itself writes it there with --log. A caller
 * with a log of its own can have no second one: then standard error is read on its way. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "record: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* Root's and ordinary users' knarr write to the same file, whoever comes first. */
static int
open_record(char *path, size_t size)
{
	const char *test = getenv("BATS_SUITE_TEST_NUMBER");
	int fd;

	snprintf(path, size, ERRORS "/%s", test ? test : "0");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		die(path);
	fchmod(fd, 0666);
	return fd;
}

static bool
has_log(char **args)
{
	for (; *args && strcmp(*args, "--") != 0; args++)
		if (!strncmp(*args, "--log", 5) || !strcmp(*args, "--systemd-log") || !strcmp(*args, "-l"))
			return true;
	return false;
}

static void
copy(int from, int record)
{
	char text[4096];
	ssize_t n;

	while ((n = read(from, text, sizeof(text))) > 0)
		if (write(record, text, (size_t)n) < 0 || write(STDERR_FILENO, text, (size_t)n) < 0)
			continue; /* a closed standard error is the caller's will */
}

static int
run_and_read(char **argv, int record)
{
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die("fork");
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		execv(REAL, argv);
		die(REAL);
	}
	close(fds[1]);
	copy(fds[0], record);
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	char path[4096], **args = calloc((size_t)argc + 3, sizeof(*args));
	int record = open_record(path, sizeof(path));

	if (!args)
		die("calloc");
	if (has_log(argv + 1))
		return run_and_read(argv, record);
	args[0] = argv[0];
	args[1] = "--log";
	args[2] = path;
	memcpy(args + 3, argv + 1, (size_t)argc * sizeof(*args));
	execv(REAL, args);
	die(REAL);
}
