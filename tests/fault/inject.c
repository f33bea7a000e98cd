/* Lets one chosen system call of knarr fail, without any change to knarr.
 *
 *   inject count OUT COMMAND…           writes "name calls" per system call to OUT
 *   inject NAME N ERROR COMMAND…        lets call number N of NAME fail; counted
 *                                       from 1 over knarr and its init together
 *   inject NAME N KILL COMMAND…         kills the process with SIGKILL there
 *
 * Theory of operation: the command is traced, with a seccomp filter that stops it
 * at the wanted calls only, so a run costs little more than without. The call is
 * replaced by none (number -1) and the error is put where its result goes. Only
 * processes whose name begins with "knarr" count, hooks and the container's
 * program do not; nor do the calls of the dynamic loader, before main(). The exit status is the command's; what it
 * leaves running goes on untraced. */
#include <elf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CALLS 1024

struct injection {
	int call; /* -1: count all */
	unsigned long number, seen;
	int error;    /* 0: kill */
	bool in_main; /* knarr's first call in main() is fcntl(2) */
	unsigned counts[MAX_CALLS];
};

static const struct {
	const char *name;
	int code;
} errors[] = {
	{ "EIO", EIO },	      { "ENOSPC", ENOSPC }, { "EPERM", EPERM }, { "EMFILE", EMFILE },
	{ "ENOSYS", ENOSYS }, { "ENOMEM", ENOMEM }, { "EINTR", EINTR }, { "KILL", 0 },
};

static void
die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void
run_command(const struct injection *in, char **argv)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE) };
	struct sock_filter one[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)in->call, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { in->call < 0 ? 1 : sizeof(one) / sizeof(one[0]), in->call < 0 ? all : one };

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		die("ptrace");
	raise(SIGSTOP);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		die("seccomp");
	execvp(argv[0], argv);
	die(argv[0]);
}

static bool
is_knarr(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return strncmp(name, "knarr", 5) == 0;
}

/* The number of the call at which pid stands. */
static long
call_of(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return -1;
	return info.op == PTRACE_SYSCALL_INFO_SECCOMP ? (long)info.seccomp.nr : -1;
}

static void
let_fail(pid_t pid, int error)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) < 0)
		return;
#if defined(__x86_64__)
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = (unsigned long long)-error;
#elif defined(__aarch64__)
	int none = -1;
	struct iovec call = { &none, sizeof(none) };

	regs.regs[0] = (unsigned long long)-error;
	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call);
#else
#error "the registers of this machine are not known here"
#endif
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov);
}

/* pid stands before a call. */
static void
at_call(struct injection *in, pid_t pid)
{
	long call = call_of(pid);

	if (call < 0 || call >= MAX_CALLS || !is_knarr(pid))
		return;
	in->in_main |= call == SYS_fcntl;
	if (!in->in_main)
		return;
	in->counts[call]++;
	if (in->call != call || ++in->seen != in->number)
		return;
	if (in->error)
		let_fail(pid, in->error);
	else
		kill(pid, SIGKILL);
}

/* Until the command ends; its exit status. */
static int
trace(struct injection *in, pid_t command)
{
	for (;;) {
		int status, sig = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0) {
			if (errno == EINTR)
				continue;
			return 125;
		}
		if (!WIFSTOPPED(status)) {
			if (pid == command)
				return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			at_call(in, pid);
		else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_CONT, pid, NULL, sig);
	}
}

static void
write_counts(const struct injection *in, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		die(path);
	for (int i = 0; i < MAX_CALLS; i++) {
		char *name = in->counts[i] ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i) : NULL;

		if (name)
			fprintf(f, "%s %u\n", name, in->counts[i]);
		free(name);
	}
	if (fclose(f) != 0)
		die(path);
}

static int
find_error(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strcmp(errors[i].name, name))
			return errors[i].code;
	errno = EINVAL;
	die(name);
	return -1;
}

int
main(int argc, char **argv)
{
	static struct injection in = { .call = -1 };
	bool count = argc > 3 && !strcmp(argv[1], "count");
	char **command = argv + (count ? 3 : 4);
	int status;
	pid_t pid;

	if (argc < 4 || (!count && argc < 5)) {
		fprintf(stderr, "usage: inject count OUT COMMAND…\n       inject NAME N ERROR|KILL COMMAND…\n");
		return 125;
	}
	if (!count) {
		in.call = seccomp_syscall_resolve_name(argv[1]);
		in.number = strtoul(argv[2], NULL, 10);
		in.error = find_error(argv[3]);
	}
	pid = fork();
	if (pid == 0)
		run_command(&in, command);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			   PTRACE_O_TRACEEXEC) < 0)
		die("trace");
	ptrace(PTRACE_CONT, pid, NULL, 0);
	status = trace(&in, pid);
	if (count)
		write_counts(&in, argv[2]);
	return status;
}
