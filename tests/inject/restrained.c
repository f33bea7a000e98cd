/* A library that is preloaded into the runtime: once that has given up its privileges (it may not
 * even ask for its seccomp mode), the next poll(2) tries what an attacker who has taken the
 * process over would, and says on standard error what came of it, a line "NAME ERRNO" for
 * each. KNARR_OTHER is a file that the process has no business with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
say(const char *name, long result)
{
	dprintf(STDERR_FILENO, "%s %s\n", name, result < 0 ? strerrorname_np(errno) : "done");
}

static long
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long
make_process(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static void
attack(void)
{
	const char *other = getenv("KNARR_OTHER");
	char *argv[] = { "/bin/true", NULL };
	struct open_how how = { .flags = O_RDONLY };

	say("read-file", open("/etc/shadow", O_RDONLY));
	say("read-other", open(other, O_RDONLY));
	say("write-other", open(other, O_WRONLY | O_TRUNC));
	say("remove-other", unlinkat(AT_FDCWD, other, 0));
	say("openat2", syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)));
	say("memory-of-parent", open("/proc/1/mem", O_RDWR));
	say("ptrace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
	say("mount", syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
	say("setuid", syscall(SYS_setuid, 0));
	say("unshare", syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */));
	say("execve", syscall(SYS_execve, argv[0], argv, argv + 1));
	say("clone", make_process());
	say("bpf", syscall(SYS_bpf, 0, NULL, 0));
	say("socket", socket(AF_INET, SOCK_STREAM, 0));
	say("map-code", map_code());
	say("type-into-terminal", ioctl(STDIN_FILENO, TIOCSTI, "x"));
	say("prctl", prctl(PR_SET_DUMPABLE, 1));
	say("capset", syscall(SYS_capset, NULL, NULL));
}

static int
poll_and_attack(struct pollfd *fds, nfds_t n, int timeout)
{
	static bool done;

	if (!done && getenv("KNARR_OTHER") && syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		done = true;
		attack();
	}
	return (int)syscall(SYS_poll, fds, n, timeout);
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return poll_and_attack(fds, n, timeout);
}

int
__poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	(void)size;
	return poll_and_attack(fds, n, timeout);
}
