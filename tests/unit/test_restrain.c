/* What the filter of a restrained runtime lets pass; and restrain_self() itself, in children. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcontainer/process/restrain_filter.h"
#include "tests/unit/bpf_run.h"
#include "tests/unit/check.h"

#define DENIED (SECCOMP_RET_ERRNO | EPERM)

static const struct restrain_options waits = { 0 };
static const struct restrain_options watches = { .uses_files = true, .looks_into_processes = true };
static const struct restrain_options removes = { .uses_files = true, .removes = true };
static const struct restrain_options asks = { .uses_files = true, .removes = true, .asks_systemd = true };

static uint32_t
ask(const struct restrain_options *options, struct seccomp_data data)
{
	struct sock_filter program[RESTRAIN_FILTER_MAX];
	size_t n = restrain_filter(options, program);
	uint32_t value = 0;

	if (!data.arch)
		data.arch = seccomp_arch_native();
	CHECK(n > 0 && n <= RESTRAIN_FILTER_MAX, "%zu", n);
	CHECK(bpf_run(program, n, &data, &value), "call %d", data.nr);
	return value;
}

#define ASK(options, ...) ask(&(options), (struct seccomp_data){ __VA_ARGS__ })

static void
check_numbers(void)
{
	static const int always[] = {
		SYS_read, SYS_write, SYS_ppoll, SYS_waitid, SYS_pidfd_send_signal, SYS_exit_group
	};
	static const int to_remove[] = { SYS_openat, SYS_unlinkat, SYS_flock, SYS_renameat2, SYS_pidfd_open };
	static const int never[] = { SYS_execve,  SYS_execveat,		SYS_ptrace, SYS_mount,	SYS_setuid,
				     SYS_clone,	  SYS_unshare,		SYS_setns,  SYS_bpf,	SYS_capset,
				     SYS_prctl,	  SYS_openat2,		SYS_bind,   SYS_keyctl, SYS_seccomp,
				     SYS_accept4, SYS_process_vm_writev };

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		CHECK(ASK(waits, .nr = always[i]) == SECCOMP_RET_ALLOW, "%d", always[i]);
		CHECK(ASK(asks, .nr = always[i]) == SECCOMP_RET_ALLOW, "%d", always[i]);
	}
	for (size_t i = 0; i < sizeof(to_remove) / sizeof(to_remove[0]); i++) {
		CHECK(ASK(waits, .nr = to_remove[i]) == DENIED, "%d", to_remove[i]);
		CHECK(ASK(removes, .nr = to_remove[i]) == SECCOMP_RET_ALLOW, "%d", to_remove[i]);
	}
	CHECK(ASK(watches, .nr = SYS_openat) == SECCOMP_RET_ALLOW, "files");
	CHECK(ASK(watches, .nr = SYS_readlinkat) == SECCOMP_RET_ALLOW, "links");
	CHECK(ASK(watches, .nr = SYS_unlinkat) == DENIED, "to remove");
	CHECK(ASK(removes, .nr = SYS_readlinkat) == DENIED, "links");
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		CHECK(ASK(asks, .nr = never[i]) == DENIED, "%d", never[i]);
	CHECK(ASK(asks, .nr = -1) == DENIED, "no call");
	CHECK(ASK(asks, .nr = SYS_read, .arch = AUDIT_ARCH_PPC) == SECCOMP_RET_KILL_PROCESS, "another architecture");
#ifdef __x86_64__
	CHECK(ASK(asks, .nr = SYS_read | 0x40000000) == DENIED, "x32");
#endif
}

static void
check_arguments(void)
{
	unsigned pid = (unsigned)getpid();

	CHECK(ASK(waits, .nr = SYS_kill, .args = { pid }) == SECCOMP_RET_ALLOW, "itself");
	CHECK(ASK(waits, .nr = SYS_kill, .args = { 1 }) == DENIED, "another process");
	CHECK(ASK(waits, .nr = SYS_kill, .args = { (uint32_t)-1 }) == DENIED, "all processes");
	CHECK(ASK(removes, .nr = SYS_kill, .args = { 2 }) == SECCOMP_RET_ALLOW, "those of a cgroup");
	CHECK(ASK(removes, .nr = SYS_tgkill, .args = { 1 }) == DENIED, "another's thread");
	CHECK(ASK(waits, .nr = SYS_mmap, .args = { 0, 4096, PROT_READ | PROT_WRITE }) == SECCOMP_RET_ALLOW, "memory");
	CHECK(ASK(waits, .nr = SYS_mmap, .args = { 0, 4096, PROT_READ | PROT_EXEC }) == DENIED, "code");
	CHECK(ASK(waits, .nr = SYS_mprotect, .args = { 0, 4096, PROT_EXEC }) == DENIED, "code");
	CHECK(ASK(waits, .nr = SYS_ioctl, .args = { 0, TIOCSWINSZ }) == SECCOMP_RET_ALLOW, "size");
	CHECK(ASK(waits, .nr = SYS_ioctl, .args = { 0, TIOCSTI }) == DENIED, "typing");
	CHECK(ASK(waits, .nr = SYS_ioctl, .args = { 0, TIOCLINUX }) == DENIED, "pasting");
	CHECK(ASK(waits, .nr = SYS_fcntl, .args = { 0, F_SETFL }) == SECCOMP_RET_ALLOW, "F_SETFL");
	CHECK(ASK(waits, .nr = SYS_fcntl, .args = { 0, F_SETOWN }) == DENIED, "F_SETOWN");
	CHECK(ASK(removes, .nr = SYS_socket, .args = { AF_UNIX }) == DENIED, "a socket without systemd");
	CHECK(ASK(asks, .nr = SYS_socket, .args = { AF_UNIX }) == SECCOMP_RET_ALLOW, "a socket");
	CHECK(ASK(asks, .nr = SYS_socket, .args = { AF_INET }) == DENIED, "a socket of the network");
}

/* A sanitizer makes more system calls than the runtime does, and the counts of lines are files. */
#if defined(KNARR_SANITIZERS) || defined(KNARR_COVERAGE)
static const bool has_filter = false;
#else
static const bool has_filter = true;
#endif
#ifdef KNARR_COVERAGE
static const bool drops_capabilities = false;
#else
static const bool drops_capabilities = true;
#endif

/* ---- in a child -------------------------------------------------------- */

static void
in_child(void (*check)(const char *dir), const char *dir)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		check(dir);
		fflush(stdout);
		_exit(failed);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "status %#x", status);
}

static uint64_t
permitted(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	CHECK(syscall(SYS_capget, &head, data) == 0, "capget");
	CHECK(data[0].effective == data[0].permitted && data[0].inheritable == 0, "the sets");
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static bool
is_denied(int result)
{
	return result < 0 && (errno == EPERM || errno == EACCES);
}

/* What it must be able to do and no more; permitted() needs capget(2), which is denied. */
static void
check_wait(const char *dir)
{
	struct err err;
	int fds[2];

	err_clear(&err);
	CHECK(pipe(fds) == 0, "pipe");
	CHECK(restrain_self(&waits, &err) == 0, "%s", err.msg);
	if (has_filter) {
		CHECK(is_denied(open(dir, O_RDONLY)), "open");
		CHECK(is_denied((int)syscall(SYS_setuid, 0)), "setuid");
		CHECK(is_denied(fork()), "fork");
	}
	CHECK(write(fds[1], "x", 1) == 1 && close(fds[1]) == 0, "what is open can be used");
	free(malloc(1 << 20));
}

static void
check_remove(const char *dir)
{
	const struct restrain_place places[] = { { AT_FDCWD, dir, RESTRAIN_STATE },
						 { AT_FDCWD, "/nowhere/at/all", RESTRAIN_STATE } };
	const struct restrain_options o = { .uses_files = true, .removes = true, .places = places, .n_places = 2 };
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
	struct err err;

	err_clear(&err);
	CHECK(restrain_self(&o, &err) == 0, "%s", err.msg);
	fd = openat(dirfd, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1, "a file of the place: %s", strerror(errno));
	CHECK(renameat2(dirfd, "file", dirfd, "other", 0) == 0, "rename: %s", strerror(errno));
	CHECK(unlinkat(dirfd, "other", 0) == 0, "unlink: %s", strerror(errno));
	if (has_filter) {
		CHECK(is_denied(openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC)) ||
			      syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0,
		      "a file elsewhere");
		CHECK(is_denied(mkdirat(dirfd, "directory", 0700)), "a directory");
	}
}

static void
check_capabilities(const char *dir)
{
	const struct restrain_options o = { .capabilities = RESTRAIN_CAPABILITY(CAP_KILL) |
							    RESTRAIN_CAPABILITY(CAP_DAC_OVERRIDE) };
	uint64_t before = permitted(), kept = (1 << CAP_KILL) | (1 << CAP_DAC_OVERRIDE);
	struct err err;
	char text[4096], expected[64];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)dir;
	err_clear(&err);
	CHECK(restrain_self(&o, &err) == 0, "%s", err.msg);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	if (!drops_capabilities)
		kept = before;
	snprintf(expected, sizeof(expected), "CapPrm:\t%016llx\n", (unsigned long long)(before & kept));
	CHECK(strstr(text, expected), "%s in %s", expected, text);
	CHECK(strstr(text, "NoNewPrivs:\t1\n"), "%s", text);
}

int
main(void)
{
	char dir[] = "/tmp/knarr-test-restrain.XXXXXX";

	CHECK(mkdtemp(dir), "mkdtemp");
	check_numbers();
	check_arguments();
	in_child(check_wait, dir);
	in_child(check_remove, dir);
	in_child(check_capabilities, dir);
	CHECK(rmdir(dir) == 0, "rmdir");
	return failed;
}
