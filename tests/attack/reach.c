/* The ways by which the attacker reaches into a process: a row of `ways` each. Whether the
 * kernel lets it happen is one question, whether that is more than what the program
 * will give anyway is the other; README.md has the rules. */
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ATTACHED 8
#define MAX_FDS	     40
#define FILE_MAX     16384

/* ---- what is the host's ------------------------------------------------------ */

static bool
is_host_device(dev_t device)
{
	for (size_t i = 0; i < know.n_devices; i++)
		if (know.devices[i] == device)
			return true;
	return false;
}

static bool
is_host_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) && is_host_device(st.st_dev);
}

static bool
is_listener(int fd)
{
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, link, sizeof(link) - 1) > 0 && strstr(link, "seccomp notify");
}

static bool
has_secret(const char *text, size_t len)
{
	for (size_t i = 0; i < know.n_secrets; i++)
		if (memmem(text, len, know.secrets[i], strlen(know.secrets[i])))
			return true;
	return false;
}

/* A file of /proc/PID, -1 when it is closed to us. */
static int
open_proc(pid_t pid, const char *name, int flags)
{
	char path[320];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	count_attempt(fd >= 0);
	return fd;
}

static size_t
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return len;
}

/* The name of the first file of the host that the process maps, as map_files has it. */
static bool
find_host_mapping(pid_t pid, char *ret_name, size_t size, unsigned nth)
{
	static char text[FILE_MAX];
	int fd = open_proc(pid, "maps", O_RDONLY);
	char *line, *rest = NULL;

	if (fd < 0)
		return false;
	read_all(fd, text, sizeof(text));
	close(fd);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned long start, end, inode;
		unsigned major_number, minor_number;

		if (sscanf(line, "%lx-%lx %*s %*x %x:%x %lu", &start, &end, &major_number, &minor_number, &inode) ==
			    5 &&
		    inode && is_host_device(makedev(major_number, minor_number)) && nth-- == 0) {
			snprintf(ret_name, size, "map_files/%lx-%lx", start, end);
			return true;
		}
	}
	return false;
}

/* The kernel let us at the process's memory or registers. That is a loss while it is not
 * yet confined as its program will be, or while it maps something of the host. Looked at
 * afterwards: a process never goes back to more privileges. */
static void
judge(struct target *target, unsigned way, const char *got)
{
	char what[128] = "", name[64], text[256];
	bool final = target_is_final(target->pid, what, sizeof(what));

	if (final && find_host_mapping(target->pid, name, sizeof(name), 0)) {
		snprintf(what, sizeof(what), "it maps a file of the host");
		final = false;
	}
	if (final || !target_is_runtime(target->pid))
		return;
	snprintf(text, sizeof(text), "%s, and %s", got, what);
	target_lose(target, way, text);
}

/* ---- links of /proc/PID ------------------------------------------------------- */

/* Where the directories end, seen from here: the root of the mount namespace it is in. */
static bool
ends_on_host(int fd)
{
	struct stat st = { 0 }, above;

	for (int here = dup(fd), depth = 0; here >= 0 && depth < 64; depth++) {
		int up = openat(here, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		bool same = up < 0 || fstat(here, &st) < 0 || fstat(up, &above) < 0 ||
			    (st.st_dev == above.st_dev && st.st_ino == above.st_ino);

		close(here);
		here = up;
		if (same) {
			if (up >= 0)
				close(up);
			break;
		}
	}
	return is_host_device(st.st_dev);
}

static void
try_directory(struct target *target, unsigned way)
{
	int fd = open_proc(target->pid, ways[way].name, O_PATH | O_DIRECTORY);

	if (fd < 0)
		return;
	if (is_host_file(fd) || ends_on_host(fd))
		target_lose(target, way, "a directory of the host");
	close(fd);
}

static void
try_exe(struct target *target, unsigned way)
{
	int fd = open_proc(target->pid, "exe", O_RDWR);

	if (fd < 0)
		fd = open_proc(target->pid, "exe", O_RDONLY);
	if (fd < 0)
		return;
	if (is_host_file(fd))
		target_lose(target, way, "the runtime's executable");
	close(fd);
}

static void
try_fds(struct target *target, unsigned way)
{
	int dir = open_proc(target->pid, "fd", O_RDONLY | O_DIRECTORY);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char link[64] = "";
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		if (readlinkat(dir, entry->d_name, link, sizeof(link) - 1) > 0 && strstr(link, "seccomp notify"))
			target_lose(target, way, "it has the filter's listener");
		fd = openat(dir, entry->d_name, O_PATH | O_CLOEXEC);
		count_attempt(fd >= 0);
		if (fd >= 0 && is_host_file(fd))
			target_lose(target, way, "a file of the host");
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
}

static void
try_map_files(struct target *target, unsigned way)
{
	char name[64], text[128];

	for (unsigned nth = 0; nth < 40 && find_host_mapping(target->pid, name, sizeof(name), nth); nth++) {
		static const struct {
			int flags;
			const char *text;
		} rows[] = { { O_RDWR, "a file of the host, to be written" },
			     { O_RDONLY, "a file of the host, to be read" } };

		for (size_t i = 0; i < 2; i++) {
			int fd = open_proc(target->pid, name, rows[i].flags);

			if (fd < 0)
				continue;
			snprintf(text, sizeof(text), "%s", rows[i].text);
			if (is_host_file(fd))
				target_lose(target, way, text);
			close(fd);
			if (target->lost & 1U << way)
				return;
		}
	}
}

/* ---- texts of /proc/PID ---------------------------------------------------------- */

static void
try_text(struct target *target, unsigned way)
{
	static char text[FILE_MAX];
	int fd = open_proc(target->pid, ways[way].name, O_RDONLY);

	if (fd < 0)
		return;
	/* The program's own environment may have what exec --env was given; its arguments may not. */
	if (has_secret(text, read_all(fd, text, sizeof(text))) &&
	    (strcmp(ways[way].name, "cmdline") == 0 || target_is_runtime(target->pid)))
		target_lose(target, way, "it holds a secret of the runtime's");
	close(fd);
}

static void
try_mem(struct target *target, unsigned way)
{
	int fd = open_proc(target->pid, "mem", O_RDWR);

	if (fd >= 0)
		judge(target, way, "opened for writing");
	else if ((fd = open_proc(target->pid, "mem", O_RDONLY)) >= 0)
		judge(target, way, "opened for reading");
	if (fd >= 0)
		close(fd);
}

static void
try_auxv(struct target *target, unsigned way)
{
	char text[64];
	int fd = open_proc(target->pid, ways[way].name, O_RDONLY);

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text)) > 0)
		judge(target, way, "read");
	close(fd);
}

/* ---- calls on a process ------------------------------------------------------------ */

/* No need to know an address: EFAULT comes after the permission. */
static void
try_process_vm(struct target *target, unsigned way)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)16, 1 };
	bool reads = process_vm_readv(target->pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT;
	bool writes = process_vm_writev(target->pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT;

	count_attempt(reads);
	count_attempt(writes);
	if (reads || writes)
		judge(target, way, writes ? "memory may be written" : "memory may be read");
}

static void
try_getfd(struct target *target, unsigned way)
{
	bool taken = false; /* a process that is ending has no memory to protect, nor any descriptor */

	for (int number = 0; number < MAX_FDS; number++) {
		int fd = (int)syscall(SYS_pidfd_getfd, target->pidfd, number, 0);

		count_attempt(fd >= 0);
		if (fd < 0 && errno != EBADF)
			return;
		if (fd < 0)
			continue;
		taken = true;
		if (is_listener(fd))
			target_lose(target, way, "the filter's listener");
		else if (is_host_file(fd))
			target_lose(target, way, "a file of the host");
		close(fd);
	}
	if (taken)
		judge(target, way, "its descriptors may be taken");
}

static void
try_kcmp(struct target *target, unsigned way)
{
	bool granted = syscall(SYS_kcmp, getpid(), target->pid, KCMP_VM, 0, 0) >= 0;

	count_attempt(granted);
	if (granted)
		judge(target, way, "compared");
}

static bool
is_host_namespace(const char *path)
{
	char link[64] = "";

	if (readlink(path, link, sizeof(link) - 1) <= 0)
		return false;
	for (size_t i = 0; i < know.n_namespaces; i++)
		if (strcmp(know.namespaces[i], link) == 0)
			return true;
	return false;
}

/* Each that lets us in, and back again. */
static void
try_setns(struct target *target, unsigned way)
{
	static const struct {
		int type;
		const char *path, *text;
	} rows[] = {
		{ CLONE_NEWNS, "/proc/self/ns/mnt", "the host's mount namespace" },
		{ CLONE_NEWNET, "/proc/self/ns/net", "the host's network namespace" },
		{ CLONE_NEWIPC, "/proc/self/ns/ipc", "the host's ipc namespace" },
		{ CLONE_NEWUTS, "/proc/self/ns/uts", "the host's uts namespace" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int own = open(rows[i].path, O_RDONLY | O_CLOEXEC);
		bool entered = setns(target->pidfd, rows[i].type) == 0;
		struct stat st;

		count_attempt(entered);
		if (entered) {
			if (is_host_namespace(rows[i].path) ||
			    (rows[i].type == CLONE_NEWNS && stat("/", &st) == 0 && is_host_device(st.st_dev)))
				target_lose(target, way, rows[i].text);
			if (setns(own, rows[i].type) < 0)
				_exit(5);
		}
		if (own >= 0)
			close(own);
	}
}

/* ---- ptrace ----------------------------------------------------------------------- */

/* At most 50 ms: a process that is being killed never stops. */
static bool
wait_for_stop(pid_t pid)
{
	const struct timespec wait = { .tv_nsec = 20000 };

	for (int i = 0; i < 1000; i++) {
		int status;
		pid_t r = waitpid(pid, &status, __WALL | WNOHANG);

		if (r == pid)
			return WIFSTOPPED(status);
		if (r < 0)
			return false;
		nanosleep(&wait, NULL);
	}
	return false;
}

static void
try_ptrace(struct target *target, unsigned way)
{
	bool seize = strcmp(ways[way].name, "seize") == 0;
	struct user_regs_struct regs;
	struct iovec v = { &regs, sizeof(regs) };
	bool granted;

	if (target->attached >= MAX_ATTACHED)
		return;
	granted = ptrace(seize ? PTRACE_SEIZE : PTRACE_ATTACH, target->pid, NULL, NULL) == 0;
	count_attempt(granted);
	if (!granted)
		return;
	target->attached++;
	if (seize)
		ptrace(PTRACE_INTERRUPT, target->pid, NULL, NULL);
	/* NT_PRSTATUS; it stands still now, so all that is read belongs together. */
	if (!wait_for_stop(target->pid)) {
		target->held = true;
		return;
	}
	if (ptrace(PTRACE_GETREGSET, target->pid, 1, &v) == 0 && ptrace(PTRACE_SETREGSET, target->pid, 1, &v) == 0)
		judge(target, way, "its registers were read and set");
	ptrace(PTRACE_DETACH, target->pid, NULL, NULL);
	kill(target->pid, SIGCONT);
}

/* A parent that waits in vfork(2) does not stop until its child executes a program. */
bool
reach_release(struct target *target)
{
	int status;
	pid_t r = waitpid(target->pid, &status, __WALL | WNOHANG);

	if (r == 0)
		return false;
	if (r == target->pid && WIFSTOPPED(status)) {
		ptrace(PTRACE_DETACH, target->pid, NULL, NULL);
		kill(target->pid, SIGCONT);
	}
	target->held = false;
	return true;
}

/* The links have the names of their files. */
const struct way ways[] = {
	{ "seize", try_ptrace }, { "root", try_directory }, { "cmdline", try_text },  { "pidfd_getfd", try_getfd },
	{ "mem", try_mem },	 { "cwd", try_directory },  { "environ", try_text },  { "map_files", try_map_files },
	{ "exe", try_exe },	 { "fd", try_fds },	    { "attach", try_ptrace }, { "process_vm", try_process_vm },
	{ "auxv", try_auxv },	 { "stack", try_auxv },	    { "kcmp", try_kcmp },     { "setns", try_setns },
};
const size_t n_ways = sizeof(ways) / sizeof(ways[0]);
