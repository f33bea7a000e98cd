/* Lets one chosen system call of knarr fail, without any change to knarr.
 *
 *   inject count OUT COMMAND…           writes "name calls" per system call to OUT
 *   inject NAME N ERROR COMMAND…        lets call number N of NAME fail; counted
 *                                       from 1 over knarr and its init together
 *   inject NAME N+ ERROR COMMAND…       this call and all later ones of NAME; of prctl,
 *                                       keyctl, bpf and seccomp those with the same first
 *                                       argument, as a filter around knarr would have it
 *   inject NAME N KILL COMMAND…         kills the process with SIGKILL there
 *   inject NAME N KILLED COMMAND…       the same after the call, before it is known what it gave
 *   inject -w …                         waits for all processes that come of it, too
 *   inject reap COMMAND…                only runs the command, and takes in whatever it leaves
 *                                       running, so that nobody waits for a slow pid 1
 *
 * Theory of operation: the command is traced, with a seccomp filter that stops it
 * at the wanted calls only, so a run costs little more than without. The call is
 * replaced by none (number -1) and the error is put where its result goes; close(2), which
 * frees the descriptor also when it says that it failed, is made. Only
 * processes whose name begins with "knarr" count, hooks and the container's
 * program do not; nor do the calls of the dynamic loader, before main(). The exit status
 * is the command's, and INJECT_REACHED names a file that is made if the call came; without -w, what
 * it leaves running goes on untraced, and the calls that were looked for are missing for it (ENOSYS). */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
	bool after;   /* kill once the call has returned */
	pid_t inside; /* who makes that call, or close(2), now */
	bool onwards; /* not only that call, but those after it, too */
	bool has_operation;
	unsigned long long operation; /* first argument of the call that failed */
	bool wait_for_all;
	bool in_main; /* knarr's first call in main() is fcntl(2) */
	pid_t command;
	unsigned counts[MAX_CALLS];
};

#define LAST_ERROR 133

/* What PTRACE_O_TRACESYSGOOD adds to SIGTRAP. */
#define AT_CALL 0x80

/* Calls that do many things: the first argument says which. */
static const long many_in_one[] = { SYS_prctl, SYS_keyctl, SYS_bpf, SYS_seccomp };

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
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)in->call, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { in->call < 0 ? 1 : sizeof(one) / sizeof(one[0]), in->call < 0 ? all : one };

	raise(SIGSTOP);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		die("seccomp");
	execvp(argv[0], argv);
	die(argv[0]);
}

/* A copy in memory that the runtime made of itself has the name of a descriptor, or of the copy. */
static bool
is_copy(pid_t pid)
{
	static const char copy[] = "/memfd:knarr";
	char path[64], exe[sizeof(copy)] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return readlink(path, exe, sizeof(exe) - 1) > 0 && strcmp(exe, copy) == 0;
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
	return strncmp(name, "knarr", 5) == 0 || is_copy(pid);
}

/* The number of the call at which pid stands, and its first argument. */
static long
call_of(pid_t pid, unsigned long long *ret_first)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return -1;
	*ret_first = info.seccomp.args[0];
	return (long)info.seccomp.nr;
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

/* Whether this call, which is of the wanted number, is one that is to fail. */
static bool
is_wanted(struct injection *in, unsigned long long first)
{
	in->seen++;
	if (in->seen == in->number) {
		for (size_t i = 0; i < sizeof(many_in_one) / sizeof(many_in_one[0]); i++)
			in->has_operation |= in->call == many_in_one[i];
		in->operation = first;
		return true;
	}
	return in->onwards && in->seen > in->number && (!in->has_operation || first == in->operation);
}

/* pid stands before a call. */
static void
at_call(struct injection *in, pid_t pid)
{
	unsigned long long first = 0;
	long call = call_of(pid, &first);

	/* Thousands of fcntl(2) where descriptors are closed one by one. */
	if (in->in_main && in->call >= 0 && call != in->call && call != SYS_execveat)
		return;
	if (call < 0 || call >= MAX_CALLS || !is_knarr(pid))
		return;
	in->in_main |= call == SYS_fcntl;
	if (!in->in_main)
		return;
	in->counts[call]++;
	if (call == SYS_execveat && pid == in->command)
		in->in_main = false; /* of the copy that it executes */
	if (in->call != call || !is_wanted(in, first))
		return;
	if (in->error && call != SYS_close)
		let_fail(pid, in->error);
	else if (in->error || in->after)
		in->inside = pid;
	else
		kill(pid, SIGKILL);
}

/* pid stopped. Whether the call after which something is to be done has returned; an event
 * of it, as that of a new process, comes first. */
static bool
has_returned(const struct injection *in, pid_t pid, int status)
{
	return pid == in->inside && WSTOPSIG(status) == (SIGTRAP | AT_CALL);
}

static void
after_call(struct injection *in, pid_t pid)
{
	if (!in->error) {
		kill(pid, SIGKILL);
		return;
	}
	let_fail(pid, in->error);
	in->inside = 0;
}

/* Until the command ends, or all that comes of it; the command's exit status. */
static int
trace(struct injection *in, pid_t command)
{
	int result = 125;

	for (;;) {
		int status, sig = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0) {
			if (errno == EINTR)
				continue;
			return result;
		}
		if (!WIFSTOPPED(status)) {
			if (pid != command)
				continue;
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			if (!in->wait_for_all)
				return result;
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			at_call(in, pid);
		else if (has_returned(in, pid, status))
			after_call(in, pid);
		else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP && (WSTOPSIG(status) & ~AT_CALL) != SIGTRAP)
			sig = WSTOPSIG(status);
		ptrace(pid == in->inside ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, sig);
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
	if (!strcmp(name, "KILL") || !strcmp(name, "KILLED"))
		return 0;
	for (int code = 1; code <= LAST_ERROR; code++) {
		const char *known = strerrorname_np(code);

		if (known && !strcmp(name, known))
			return code;
	}
	errno = EINVAL;
	die(name);
	return -1;
}

/* What fails: "NAME N[+] ERROR". */
static void
parse(struct injection *in, char **argv)
{
	char *end;

	in->call = seccomp_syscall_resolve_name(argv[0]);
	in->number = strtoul(argv[1], &end, 10);
	in->onwards = *end == '+';
	in->error = find_error(argv[2]);
	in->after = !strcmp(argv[2], "KILLED");
}

/* Waits for whatever is left to this process, until the command ends. */
static int
reap(char **command)
{
	int status;
	pid_t pid, done;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || (pid = fork()) < 0)
		die("reap");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		execvp(command[0], command);
		die(command[0]);
	}
	while ((done = wait(&status)) != pid)
		if (done < 0 && errno != EINTR)
			die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	static struct injection in = { .call = -1 };
	const char *reached;
	bool count;
	char **command;
	int status;
	pid_t pid;

	if (argc > 1 && !strcmp(argv[1], "-w")) {
		in.wait_for_all = true;
		argv++;
		argc--;
	}
	if (argc > 2 && !strcmp(argv[1], "reap"))
		return reap(argv + 2);
	count = argc > 3 && !strcmp(argv[1], "count");
	command = argv + (count ? 3 : 4);
	if (argc < 4 || (!count && argc < 5)) {
		fprintf(stderr, "usage: inject [-w] count OUT COMMAND…\n       inject [-w] NAME N[+] ERROR|KILL|KILLED "
				"COMMAND…\n"
				"       inject reap COMMAND…\n");
		return 125;
	}
	if (!count)
		parse(&in, argv + 1);
	reached = getenv("INJECT_REACHED");
	pid = fork();
	if (pid == 0) {
		unsetenv("INJECT_REACHED");
		run_command(&in, command);
	}
	/* Whoever kills this ends all that it traces, with -w. Otherwise they go on: not so with
	 * PTRACE_TRACEME, where a new process is stopped by a signal that outlasts the tracer. */
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) < 0 ||
	    ptrace(PTRACE_SEIZE, pid, NULL,
		   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			   PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | (in.wait_for_all ? PTRACE_O_EXITKILL : 0)) < 0)
		die("trace");
	kill(pid, SIGCONT);
	in.command = pid;
	status = trace(&in, pid);
	if (reached && in.number > 0 && in.seen >= in.number && creat(reached, 0600) < 0)
		die(reached);
	if (count)
		write_counts(&in, argv[2]);
	return status;
}
