/* The attacker: a program of a container that shares a pid namespace with what the
 * runtime makes, or a user of the host who looks at its processes.
 *
 *	attacker OUT [OPTION=VALUE…]
 *	  device=MAJOR:MINOR   a file system of the host: to reach it is a loss (repeatable)
 *	  namespace=NAME:[N]   a namespace of the host: to enter it is a loss (repeatable)
 *	  secret=TEXT          to read it is a loss (repeatable)
 *	  uid= gid= caps= seccomp= nofile=   what the victim's program has; caps in hex
 *	  filter=late          the filter may still be missing (README.md says when)
 *	  stop=N               stops each Nth process at sight while it is attacked
 *	  signal=N             sends signal N at sight, at a different moment each time, and does
 *	                       nothing else
 *	  ignore=WAY           what is reached this way does not count (repeatable)
 *	  cgroup=TEXT          only processes whose cgroup has this in its path
 *	  name=NAME            takes this name and attacks nobody
 *
 * The kernel says in ns_last_pid which process was made last, so a new one is found within
 * microseconds. It is attacked by one way after the other (reach.c) until it executes
 * its program or is gone; each one begins with another way. OUT/count has "processes
 * lost attempts granted" all the time, OUT/losses a line for each loss. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MAX_TARGETS   32
#define BIRTH_NS      5000000ULL /* from the pid to the process */
#define STOPPED_NS    5000000000ULL
#define PF_FORKNOEXEC 0x40

struct knowledge know;

static struct target targets[MAX_TARGETS];
static size_t n_targets;
static unsigned long n_processes, n_lost, n_attempts, n_granted;
static const char *out, *only_cgroup;
static const char *ignored[MAX_LIST];
static size_t n_ignored;
static unsigned stop_each;
static int send_signal, count_file = -1;

static unsigned long long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

/* ---- the report --------------------------------------------------------- */

static void
write_counts(void)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%lu %lu %lu %lu          \n", n_processes, n_lost, n_attempts, n_granted);

	if (pwrite(count_file, text, (size_t)n, 0) != n)
		_exit(3);
}

void
count_attempt(bool granted)
{
	n_attempts++;
	n_granted += granted;
}

static void
write_loss(const char *name, const char *what, pid_t pid)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/losses", out);
	f = fopen(path, "ae");
	if (!f)
		_exit(3);
	fprintf(f, "%s: %s (process %d)\n", name, what, (int)pid);
	fclose(f);
	write_counts();
}

static bool
is_ignored(const char *name)
{
	for (size_t i = 0; i < n_ignored; i++)
		if (strcmp(ignored[i], name) == 0)
			return true;
	return false;
}

void
target_lose(struct target *target, unsigned way, const char *what)
{
	if (target->lost & 1U << way || is_ignored(ways[way].name))
		return;
	if (target->lost == 0)
		n_lost++;
	target->lost |= 1U << way;
	write_loss(ways[way].name, what, target->pid);
}

/* ---- what a process is --------------------------------------------------- */

static bool
read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool
target_is_runtime(pid_t pid)
{
	char text[1024], *p;
	unsigned flags = 0;
	char state;

	if (!read_proc(pid, "stat", text, sizeof(text)) || !(p = strrchr(text, ')')))
		return false;
	return sscanf(p + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) == 2 && state != 'Z' && state != 'X' &&
	       (flags & PF_FORKNOEXEC);
}

/* The number after a key of a file in /proc, or ~0. */
static unsigned long long
number_after(const char *text, const char *key, int base)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, base) : ~0ULL;
}

/* Four equal ids follow the key. */
static bool
has_ids(const char *text, const char *key, unsigned id)
{
	const char *p = strstr(text, key);
	unsigned ids[4];

	return p && sscanf(p + strlen(key), "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4 && ids[0] == id &&
	       ids[1] == id && ids[2] == id && ids[3] == id;
}

bool
target_is_final(pid_t pid, char *ret_what, size_t size)
{
	static const char *const sets[] = { "\nCapEff:", "\nCapPrm:", "\nCapBnd:" };
	char text[8192];

	if (!read_proc(pid, "status", text, sizeof(text)))
		return true; /* gone */
	if (!has_ids(text, "\nUid:", know.uid) || !has_ids(text, "\nGid:", know.gid)) {
		snprintf(ret_what, size, "its uid is %llu", number_after(text, "\nUid:", 10));
		return false;
	}
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		unsigned long long caps = number_after(text, sets[i], 16);

		if (caps & ~know.caps) {
			snprintf(ret_what, size, "its %.6s is %llx", sets[i] + 1, caps);
			return false;
		}
	}
	if (!know.filter_may_come && number_after(text, "\nSeccomp:", 10) != know.seccomp) {
		snprintf(ret_what, size, "it has no filter");
		return false;
	}
	if (!read_proc(pid, "limits", text, sizeof(text)))
		return true;
	if (number_after(text, "\nMax open files", 10) != know.nofile) {
		snprintf(ret_what, size, "its limits are the runtime's");
		return false;
	}
	return true;
}

/* ---- finding them --------------------------------------------------------- */

static pid_t
last_pid(int file)
{
	char text[32];
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	if (n <= 0)
		_exit(3);
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static void
add_target(pid_t pid)
{
	static unsigned first_way;

	if (n_targets == MAX_TARGETS || pid == getpid())
		return;
	targets[n_targets++] = (struct target){ .pid = pid, .pidfd = -1, .born = now(), .next_way = first_way };
	first_way = (first_way + 1) % (unsigned)n_ways;
}

static void
remove_target(size_t i)
{
	if (targets[i].pidfd >= 0)
		close(targets[i].pidfd);
	targets[i] = targets[--n_targets];
}

static void
find_targets(int file, pid_t *last)
{
	pid_t newest = last_pid(file);

	if (newest < *last || newest - *last > MAX_TARGETS)
		*last = newest - 1; /* the numbers began anew, or we slept */
	while (*last < newest)
		add_target(++*last);
}

static bool
is_wanted(pid_t pid)
{
	char text[4096];

	return !only_cgroup || (read_proc(pid, "cgroup", text, sizeof(text)) && strstr(text, only_cgroup));
}

/* ---- attacking them -------------------------------------------------------- */

/* At a different moment each time. It counts when it got there before the program. */
static bool
signal_target(const struct target *target)
{
	static unsigned moment;
	const struct timespec wait = { .tv_nsec = (long)(moment % 16) * (long)(moment % 16) * 2000 };
	bool sent;

	moment++;
	nanosleep(&wait, NULL);
	sent = target_is_runtime(target->pid) && kill(target->pid, send_signal) == 0;
	if (sent && send_signal == SIGSTOP && !target_is_runtime(target->pid))
		kill(target->pid, SIGCONT);
	count_attempt(sent && (send_signal == SIGKILL || target_is_runtime(target->pid)));
	write_counts();
	return sent && send_signal == SIGSTOP;
}

/* A program that is stopped is its caller's affair; a runtime that is stopped while it
 * sets up must be noticed by the one that waits for it. */
static bool
keep_stopped(const struct target *target)
{
	bool waits = now() - target->born > STOPPED_NS;

	if (target_is_runtime(target->pid) && !waits)
		return true;
	if (target_is_runtime(target->pid)) {
		n_lost++;
		write_loss("stopped", "the runtime waits for ever", target->pid);
	}
	kill(target->pid, SIGCONT);
	return false;
}

static void
attempt_one(struct target *target)
{
	bool stopped = stop_each && n_processes % stop_each == 0;
	unsigned way = target->next_way;

	if (stopped)
		stopped = kill(target->pid, SIGSTOP) == 0;
	ways[way].attempt(target, way);
	target->next_way = (way + 1) % (unsigned)n_ways;
	if (stopped)
		kill(target->pid, SIGCONT);
}

/* False: there is nothing more to be had from it. */
static bool
attack_target(struct target *target)
{
	if (target->held && !reach_release(target))
		return true;
	if (!target->appeared) {
		if (!target_is_runtime(target->pid))
			return now() - target->born < BIRTH_NS;
		if (!is_wanted(target->pid))
			return now() - target->born < BIRTH_NS; /* moved there later */
		target->appeared = true;
		target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
		n_processes++;
		write_counts();
		if (send_signal)
			return signal_target(target);
	} else if (send_signal) {
		return keep_stopped(target);
	} else if (target->next_way % 4 == 0) {
		write_counts();
		if (!target_is_runtime(target->pid))
			return false;
	}
	attempt_one(target);
	return true;
}

static void
attack(void)
{
	int file = open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC);
	pid_t last;

	if (file < 0)
		_exit(4);
	last = last_pid(file);
	write_counts();
	for (;;) {
		find_targets(file, &last);
		for (size_t i = n_targets; i-- > 0;)
			if (!attack_target(&targets[i]))
				remove_target(i);
	}
}

/* ---- the command line ------------------------------------------------------- */

static void
take_device(const char *value)
{
	unsigned major_number, minor_number;

	if (know.n_devices == MAX_LIST || sscanf(value, "%u:%u", &major_number, &minor_number) != 2)
		_exit(2);
	know.devices[know.n_devices++] = makedev(major_number, minor_number);
}

static void
take_text(const char **list, size_t *n, const char *value)
{
	if (*n == MAX_LIST)
		_exit(2);
	list[(*n)++] = value;
}

static bool
take_number(const char *key, const char *value)
{
	unsigned n = (unsigned)strtoul(value, NULL, 10);
	const struct {
		const char *key;
		unsigned *variable;
	} rows[] = {
		{ "uid", &know.uid },	    { "gid", &know.gid },   { "seccomp", &know.seccomp },
		{ "nofile", &know.nofile }, { "stop", &stop_each }, { "signal", (unsigned *)&send_signal },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].key, key) == 0) {
			*rows[i].variable = n;
			return true;
		}
	return false;
}

static void
take_option(char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		_exit(2);
	*value++ = '\0';
	if (strcmp(option, "device") == 0)
		take_device(value);
	else if (strcmp(option, "namespace") == 0)
		take_text(know.namespaces, &know.n_namespaces, value);
	else if (strcmp(option, "secret") == 0)
		take_text(know.secrets, &know.n_secrets, value);
	else if (strcmp(option, "ignore") == 0)
		take_text(ignored, &n_ignored, value);
	else if (strcmp(option, "cgroup") == 0)
		only_cgroup = value;
	else if (strcmp(option, "caps") == 0)
		know.caps = strtoull(value, NULL, 16);
	else if (strcmp(option, "filter") == 0)
		know.filter_may_come = true;
	else if (strcmp(option, "name") == 0)
		prctl(PR_SET_NAME, value), pause();
	else if (!take_number(option, value))
		_exit(2);
}

int
main(int argc, char **argv)
{
	char path[256];

	if (argc < 2)
		return 2;
	out = argv[1];
	prctl(PR_SET_TIMERSLACK, 1UL); /* short sleeps are short */
	signal(SIGCHLD, SIG_IGN);      /* as pid 1 it inherits what others leave */
	for (int i = 2; i < argc; i++)
		take_option(argv[i]);
	snprintf(path, sizeof(path), "%s/count", out);
	count_file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (count_file < 0)
		return 3;
	attack();
}
