/* Stands for knarr (REAL) in tests/inject/enosys.sh: what knarr says on standard error goes
 * to the caller and, test by test, to a file in the directory ERRORS. Not by knarr's own --log,
 * with which warnings are no longer said, and which a caller may need for itself. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "record: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* Root's and unprivileged users' knarr write to the same file, whoever comes first. */
static int
open_record(void)
{
	const char *test = getenv("BATS_SUITE_TEST_NUMBER");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), ERRORS "/%s", test ? test : "0");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		die(path);
	fchmod(fd, 0666);
	return fd;
}

static void
copy(int from, int record)
{
	char text[4096];
	ssize_t n;

	while ((n = read(from, text, sizeof(text))) > 0) {
		if (write(record, text, (size_t)n) < 0)
			die("write");
		if (write(STDERR_FILENO, text, (size_t)n) < 0)
			continue; /* a closed standard error is the caller's will */
	}
}

/* The pipe must not take the place of a standard descriptor that the caller closed. */
static void
fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int
main(int argc, char **argv)
{
	int record, fds[2], status;
	pid_t pid;

	(void)argc;
	fill_standard_fds();
	record = open_record();
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die("fork");
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* who ends us means knarr */
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
