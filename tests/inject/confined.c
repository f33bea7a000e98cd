/* The container's program in tests/inject/confinement.sh: prints by what it is
 * confined, a line each, in words that are the same in every run with the same
 * confinement: no pid, no number of an inode or mount.
 *
 *	confined [--hook FILE | --into FILE] [PLACE=NAMESPACE…] [PATH…]
 *
 * NAMESPACE as /proc/self/ns has it ("net:[4026531840]"): where one of them is its own,
 * PLACE is printed ("host", "pod"), else "own". Each PATH is opened for reading and for
 * writing, and what comes of it is printed. --hook: to that file, which the program
 * proper prints as a part of its own report. --into: to that file, and standard output
 * stays what it is. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define HOOK_REPORT "/report/hook"

struct scheduler_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static const char *
said(long r)
{
	return r < 0 ? strerrorname_np(errno) : "yes";
}

/* ---- ids, capabilities, filters, signals --------------------------------------- */

static void
print_status(void)
{
	static const char *const wanted[] = { "Umask",
					      "Uid",
					      "Gid",
					      "Groups",
					      "SigPnd",
					      "ShdPnd",
					      "SigBlk",
					      "SigIgn",
					      "SigCgt",
					      "CapInh",
					      "CapPrm",
					      "CapEff",
					      "CapBnd",
					      "CapAmb",
					      "NoNewPrivs",
					      "Seccomp",
					      "Seccomp_filters",
					      "Threads",
					      "Speculation_Store_Bypass",
					      "SpeculationIndirectBranch",
					      "Cpus_allowed_list",
					      "Mems_allowed_list" };
	char line[4096];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			size_t n = strlen(wanted[i]);

			if (strncmp(line, wanted[i], n) == 0 && line[n] == ':')
				printf("%s", line);
		}
	}
	if (f)
		fclose(f);
	else
		printf("status: %s\n", strerrorname_np(errno));
}

static void
print_process(void)
{
	int signal = -1;

	prctl(PR_GET_PDEATHSIG, &signal);
	printf("session leader: %d, group leader: %d\n", getsid(0) == getpid(), getpgrp() == getpid());
	printf("terminal: %d\n", open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0);
	printf("securebits %#x keepcaps %d dumpable %d death signal %d\n", prctl(PR_GET_SECUREBITS),
	       prctl(PR_GET_KEEPCAPS), prctl(PR_GET_DUMPABLE), signal);
	/* The filter of the test: a call that nobody makes, with an errno of its own. */
	printf("acct: %s\n", said(syscall(SYS_acct, "/nowhere/at/all")));
}

static void
print_limits(void)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit l = { 0 };

		getrlimit((__rlimit_resource_t)i, &l);
		printf("limit %d: %#llx %#llx\n", i, (unsigned long long)l.rlim_cur, (unsigned long long)l.rlim_max);
	}
}

static void
print_attributes(void)
{
	struct scheduler_attr a = { 0 };
	unsigned long mask[512] = { 0 };
	int mode = -1;

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) < 0)
		printf("scheduler: %s\n", strerrorname_np(errno));
	printf("scheduler %u nice %d priority %u flags %#llx\n", a.policy, a.nice, a.priority,
	       (unsigned long long)a.flags);
	printf("io %lx\n", syscall(SYS_ioprio_get, 1, 0));
	printf("personality %#x\n", (unsigned)personality(0xffffffff));
	if (syscall(SYS_get_mempolicy, &mode, mask, sizeof(mask) * 8, NULL, 0UL) < 0)
		printf("memory policy: %s\n", strerrorname_np(errno));
	printf("memory policy %#x nodes %#lx\n", mode, mask[0]);
}

/* ---- files that say more -------------------------------------------------------- */

static void
print_file(const char *path)
{
	char line[8192];
	FILE *f = fopen(path, "re");

	if (!f)
		printf("%s: %s\n", path, strerrorname_np(errno));
	while (f && fgets(line, sizeof(line), f))
		printf("%s: %s%s", path, line, strchr(line, '\n') ? "" : "\n");
	if (f)
		fclose(f);
}

/* "shared:17" without the number: it is another one each time. */
static void
print_words(char *line)
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save), n++) {
		if (n < 3) /* mount, parent, device */
			continue;
		if (!strncmp(w, "shared:", 7) || !strncmp(w, "master:", 7) || !strncmp(w, "propagate_from:", 15))
			*strchr(w, ':') = '\0';
		printf(" %s", w);
	}
	printf("\n");
}

static void
print_mounts(void)
{
	char line[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	if (!f)
		printf("mounts: %s\n", strerrorname_np(errno));
	while (f && fgets(line, sizeof(line), f)) {
		printf("mount:");
		print_words(line);
	}
	if (f)
		fclose(f);
}

/* Descriptors: which, and of what kind. */
static void
print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char text[512];
		ssize_t n = readlinkat(dirfd(dir), d->d_name, text, sizeof(text) - 1);

		if (n < 0 || strtol(d->d_name, NULL, 10) == dirfd(dir))
			continue;
		text[n] = '\0';
		if (text[0] != '/')
			text[strcspn(text, "[")] = '\0';
		printf("descriptor %s: %s\n", d->d_name, text);
	}
	if (dir)
		closedir(dir);
}

static void
print_keyring(void)
{
	char text[512] = "";
	/* KEYCTL_DESCRIBE of KEY_SPEC_SESSION_KEYRING: "keyring;UID;GID;PERMISSIONS;NAME". */
	long n = syscall(SYS_keyctl, 6, -3, text, sizeof(text) - 1);

	printf("session keyring: %s\n", n < 0 ? strerrorname_np(errno) : text);
}

static void
print_namespaces(int n, char **places)
{
	static const char *const kinds[] = { "user", "pid", "net", "mnt", "ipc", "uts", "cgroup", "time" };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const char *place = "own";
		char path[64], now[64];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[k]);
		len = readlink(path, now, sizeof(now) - 1);
		if (len < 0) {
			printf("namespace %s: %s\n", kinds[k], strerrorname_np(errno));
			continue;
		}
		now[len] = '\0';
		for (int i = 0; i < n; i++) {
			char *is = strchr(places[i], '=');

			if (is && !strcmp(is + 1, now)) {
				*is = '\0';
				place = places[i];
				break;
			}
		}
		printf("namespace %s: %s\n", kinds[k], place);
	}
}

/* ---- attempts -------------------------------------------------------------------- */

static void
try_path(const char *path)
{
	struct stat st = { 0 };
	char byte[16];
	int in = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), out;
	bool there = lstat(path, &st) == 0;

	printf("%s: %o %u:%u, read %s", path, there ? st.st_mode : 0, there ? st.st_uid : 0, there ? st.st_gid : 0,
	       said(in));
	if (in >= 0 && S_ISREG(st.st_mode))
		printf(" %s", read(in, byte, sizeof(byte)) > 0 ? "has content" : "is empty");
	if (in >= 0)
		close(in);
	out = open(path, (S_ISDIR(st.st_mode) ? O_TMPFILE : 0) | O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	printf(", write %s\n", said(out));
	if (out >= 0)
		close(out);
}

static void
print_offsets(void)
{
	struct timespec t = { 0 };
	struct utsname u;

	/* An offset of a hundred days is far from what a host is up. */
	clock_gettime(CLOCK_BOOTTIME, &t);
	printf("clock is ahead: %d\n", t.tv_sec > 100L * 86400);
	uname(&u);
	printf("name %s domain %s machine %s\n", u.nodename, u.domainname, u.machine);
}

int
main(int argc, char **argv)
{
	int first = 1;
	char cwd[4096];

	if (argc > 2 && !strcmp(argv[1], "--hook")) {
		if (!freopen(argv[2], "w", stdout))
			return 1;
		first = 3;
	}
	if (argc > 2 && !strcmp(argv[1], "--into")) {
		stdout = fopen(argv[2], "w");
		if (!stdout)
			return 1;
		first = 3;
	}
	print_status();
	print_process();
	print_limits();
	print_attributes();
	print_descriptors();
	print_keyring();
	print_namespaces(argc - first, argv + first);
	print_offsets();
	print_mounts();
	print_file("/proc/self/oom_score_adj");
	print_file("/proc/self/attr/current");
	print_file("/proc/self/cgroup");
	print_file("/proc/self/uid_map");
	print_file("/proc/self/gid_map");
	print_file("/proc/self/setgroups");
	print_file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
	print_file("/sys/fs/cgroup/cgroup.max.depth");
	for (int i = first; i < argc; i++)
		if (argv[i][0] == '/')
			try_path(argv[i]);
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerrorname_np(errno));
	for (int i = 0; environ[i]; i++)
		printf("variable %s\n", environ[i]);
	if (first == 1 || strcmp(argv[1], "--hook") != 0)
		print_file(HOOK_REPORT);
	return fflush(stdout) == 0 ? 0 : 1;
}
