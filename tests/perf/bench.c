/* Takes the times of commands: bench ROUNDS PAUSE [RUNS AT_ONCE] <ROWS >SAMPLES
 *
 * A row is a line of five parts with tabs between them: NAME, PROGRAM, PREPARE, COMMAND, CLEAN. In each round
 * every row has its turn, in an order shuffled anew, so that a change of the machine's mood meets all of them.
 * A turn is PREPARE by sh, PAUSE milliseconds in which the kernel does what it put off, COMMAND without a shell, its
 * words split at blanks, and CLEAN by sh. @N@ is a number that no other turn has.
 *
 * First the NAME of each row is printed, in their order, then the samples: NAME, PROGRAM, milliseconds, milliseconds of
 * CPU time, KiB of the largest process. With RUNS, COMMAND runs that often, AT_ONCE at a time, and the sample is the
 * time of one run: all of it by RUNS.
 *
 * One round before the others gives no samples: a row whose command fails in it is left out, with a message.
 * A failure later ends all of it. So does SIGINT or SIGTERM, after the CLEAN of the turn. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROWS  256
#define MAX_WORDS 128
#define LINE_SIZE 8192

struct row {
	char *name, *program, *prepare, *command, *clean;
	bool left_out;
};

static struct row rows[MAX_ROWS];
static size_t n_rows;
static long n_runs = 1, at_once = 1;
static volatile sig_atomic_t interrupted;
/* What the commands say; shown when one fails. */
static int errors_fd;
static posix_spawn_file_actions_t files;
static posix_spawnattr_t attributes;

static void
on_signal(int number)
{
	interrupted = number;
}

static void
die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
milliseconds(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* ret_text is `text` with the number for each @N@. */
static void
number_text(const char *text, unsigned number, char ret_text[LINE_SIZE])
{
	size_t len = 0;
	const char *mark;

	for (; (mark = strstr(text, "@N@")); text = mark + 3)
		len += (size_t)snprintf(ret_text + len, LINE_SIZE - len, "%.*s%u", (int)(mark - text), text, number);
	snprintf(ret_text + len, LINE_SIZE - len, "%s", text);
}

static pid_t
start(char *const *words)
{
	pid_t pid;

	errno = posix_spawnp(&pid, words[0], &files, &attributes, words, environ);
	if (errno != 0)
		die(words[0]);
	return pid;
}

/* A shell that fails is of no account: what matters is whether the command works after it. */
static void
run_shell(const char *text, unsigned number)
{
	char line[LINE_SIZE];
	char *words[] = { "sh", "-c", line, NULL };
	pid_t pid;

	if (text[0] == '\0')
		return;
	number_text(text, number, line);
	pid = start(words);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static pid_t
start_command(const char *text, unsigned number)
{
	char line[LINE_SIZE], *words[MAX_WORDS + 1], *state = NULL;
	size_t n = 0;

	number_text(text, number, line);
	for (char *word = strtok_r(line, " ", &state); word && n < MAX_WORDS; word = strtok_r(NULL, " ", &state))
		words[n++] = word;
	words[n] = NULL;
	return start(words);
}

/* Waits for one command: its exit status, its CPU time added to ret_cpu and the larger memory in ret_memory. */
static int
wait_command(double *ret_cpu, long *ret_memory)
{
	struct rusage used;
	int status;

	while (wait4(-1, &status, 0, &used) < 0)
		if (errno != EINTR)
			die("wait4");
	*ret_cpu += milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
	if (used.ru_maxrss > *ret_memory)
		*ret_memory = used.ru_maxrss;
	return status;
}

/* Runs the command of the row, as often and as many at a time as was asked for; 0 if each of them ended with 0. */
static int
run_command(const struct row *row, unsigned *number, double *ret_time, double *ret_cpu, long *ret_memory)
{
	long started = 0, running = 0;
	double begin = now();
	int failed = 0;

	*ret_cpu = 0;
	*ret_memory = 0;
	while (running > 0 || (started < n_runs && !failed && !interrupted)) {
		if (running < at_once && started < n_runs && !failed && !interrupted) {
			start_command(row->command, *number + (unsigned)started++);
			running++;
			continue;
		}
		if (wait_command(ret_cpu, ret_memory) != 0)
			failed = 1;
		running--;
	}
	*ret_time = (now() - begin) / (double)n_runs;
	*ret_cpu /= (double)n_runs;
	return failed;
}

static void
forget_errors(void)
{
	if (ftruncate(errors_fd, 0) < 0)
		die("ftruncate");
}

static void
show_errors(void)
{
	char text[4096];
	ssize_t n = pread(errors_fd, text, sizeof(text), 0);

	if (n > 0)
		fprintf(stderr, "%.*s", (int)n, text);
}

/* One turn of a row. */
static int
take_turn(struct row *row, bool first, unsigned *number, long pause_time)
{
	double time_taken, cpu;
	long memory;
	int failed;

	run_shell(row->prepare, *number);
	usleep((useconds_t)pause_time * 1000);
	forget_errors();
	failed = run_command(row, number, &time_taken, &cpu, &memory);
	if (failed && !interrupted) {
		fprintf(stderr, "bench: %s: %s %s\n", row->program, row->name, first ? "is left out:" : "failed:");
		show_errors();
	}
	run_shell(row->clean, *number);
	*number += (unsigned)n_runs;
	if (failed && first)
		row->left_out = true;
	else if (failed)
		return -1;
	else if (!first && !interrupted)
		printf("%s\t%s\t%.4f\t%.4f\t%ld\n", row->name, row->program, time_taken, cpu, memory);
	return 0;
}

static int
take_round(bool first, unsigned *number, long pause_time)
{
	size_t order[MAX_ROWS];

	for (size_t i = 0; i < n_rows; i++) {
		size_t j = (size_t)random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (size_t i = 0; i < n_rows && !interrupted; i++)
		if (!rows[order[i]].left_out && take_turn(&rows[order[i]], first, number, pause_time) < 0)
			return -1;
	return 0;
}

static void
read_rows(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		struct row *row = &rows[n_rows];
		char *rest = strndup(line, (size_t)len - (line[len - 1] == '\n'));
		char **parts[] = { &row->name, &row->program, &row->prepare, &row->command, &row->clean };

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			*parts[i] = strsep(&rest, "\t");
		if (!row->clean || rest || len >= LINE_SIZE || ++n_rows == MAX_ROWS) {
			fprintf(stderr, "bench: not a row, or too many: %s", line);
			exit(1);
		}
		printf("%s\n", row->name);
	}
	free(line);
}

/* The commands read nothing, what they print is dropped, and they start with no signal blocked or ignored, in
 * process groups of their own: a Ctrl-C does not end them half-way. */
static void
prepare_spawn(void)
{
	sigset_t all;

	errors_fd = memfd_create("errors", MFD_CLOEXEC);
	if (errors_fd < 0)
		die("memfd_create");
	if (fcntl(errors_fd, F_SETFL, O_APPEND) < 0)
		die("fcntl");
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, errors_fd, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	long n_rounds, pause_time;
	unsigned number = 1;

	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: bench ROUNDS PAUSE [RUNS AT_ONCE] <ROWS >SAMPLES\n");
		return 2;
	}
	n_rounds = strtol(argv[1], NULL, 10);
	pause_time = strtol(argv[2], NULL, 10);
	if (argc == 5) {
		n_runs = strtol(argv[3], NULL, 10);
		at_once = strtol(argv[4], NULL, 10);
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	read_rows();
	prepare_spawn();
	srandom((unsigned)getpid());
	for (long i = -1; i < n_rounds && !interrupted; i++)
		if (take_round(i < 0, &number, pause_time) < 0)
			return 1;
	return interrupted ? 128 + interrupted : 0;
}
