/* A plain list: the program is made and loaded in every run and exec, and that is to cost little.
 * For the same reason it begins with a load that nobody needs. Before the kernel uses a filter it
 * finds out which calls pass whatever their arguments are, by going through it for each of some
 * 900 numbers, each time up to the first look at an argument. For the few calls that a relay makes
 * the answers are worth less than that takes.
 *
 * Some calls pass with certain values of one argument only, where another value would be worth
 * something to an attacker: ioctl(2) could type into the caller's terminal (TIOCSTI), mmap(2)
 * bring code. */
#include "libcontainer/process/restrain_filter.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum need { ALWAYS, WITH_FILES, TO_REMOVE, UNLESS_REMOVING, TO_LOOK, TO_ASK_SYSTEMD };

enum condition { ANY, OWN_PROCESS, NOT_EXECUTABLE, OF_TERMINAL_OR_PIDFD, OF_DESCRIPTOR, AF_UNIX_ONLY };

struct row {
	int number;
	enum need need;
	enum condition condition;
};

/* Machines have not all of the older calls, which musl makes where glibc makes the newer ones. */
static const struct row rows[] = {
	/* The relay, the notify socket, the log, the counters that tell why a container ended. */
	{ SYS_read, ALWAYS, ANY },
	{ SYS_write, ALWAYS, ANY },
	{ SYS_writev, ALWAYS, ANY },
	{ SYS_pread64, ALWAYS, ANY },
	{ SYS_close, ALWAYS, ANY },
	{ SYS_lseek, ALWAYS, ANY },
	{ SYS_fstat, ALWAYS, ANY },
	{ SYS_ioctl, ALWAYS, OF_TERMINAL_OR_PIDFD },
	{ SYS_fcntl, ALWAYS, OF_DESCRIPTOR },
	{ SYS_ppoll, ALWAYS, ANY },
	{ SYS_pipe2, ALWAYS, ANY },
	{ SYS_recvfrom, ALWAYS, ANY },
	{ SYS_sendto, ALWAYS, ANY },
	{ SYS_sendmsg, ALWAYS, ANY },
	{ SYS_pidfd_send_signal, ALWAYS, ANY },
	{ SYS_waitid, ALWAYS, ANY },
	{ SYS_kill, UNLESS_REMOVING, OWN_PROCESS },
	{ SYS_clock_gettime, ALWAYS, ANY },
#ifdef SYS_poll
	{ SYS_poll, ALWAYS, ANY },
#endif
#ifdef SYS_newfstatat
	{ SYS_newfstatat, ALWAYS, ANY },
#endif
	/* The C library: memory, abort(3), the end. */
	{ SYS_brk, ALWAYS, ANY },
	{ SYS_mmap, ALWAYS, NOT_EXECUTABLE },
	{ SYS_mprotect, ALWAYS, NOT_EXECUTABLE },
	{ SYS_munmap, ALWAYS, ANY },
	{ SYS_mremap, ALWAYS, ANY },
	{ SYS_madvise, ALWAYS, ANY },
	{ SYS_futex, ALWAYS, ANY },
	{ SYS_getrandom, ALWAYS, ANY },
	{ SYS_getpid, ALWAYS, ANY },
	{ SYS_gettid, ALWAYS, ANY },
	{ SYS_tgkill, ALWAYS, OWN_PROCESS },
	{ SYS_rt_sigaction, ALWAYS, ANY },
	{ SYS_rt_sigprocmask, ALWAYS, ANY },
	{ SYS_rt_sigreturn, ALWAYS, ANY },
	{ SYS_restart_syscall, ALWAYS, ANY },
	{ SYS_exit, ALWAYS, ANY },
	{ SYS_exit_group, ALWAYS, ANY },
	/* The container's state and cgroup, read and changed. */
	{ SYS_openat, WITH_FILES, ANY },
	{ SYS_getdents64, WITH_FILES, ANY },
	{ SYS_flock, WITH_FILES, ANY },
	{ SYS_faccessat, WITH_FILES, ANY },
	{ SYS_geteuid, WITH_FILES, ANY },
	{ SYS_pidfd_open, WITH_FILES, ANY },
	{ SYS_fgetxattr, WITH_FILES, ANY },
	{ SYS_statx, WITH_FILES, ANY },
	{ SYS_pwrite64, WITH_FILES, ANY },
	{ SYS_fallocate, WITH_FILES, ANY },
	{ SYS_ftruncate, WITH_FILES, ANY },
	{ SYS_fchmod, WITH_FILES, ANY },
	{ SYS_fsync, WITH_FILES, ANY },
	{ SYS_fdatasync, WITH_FILES, ANY },
	{ SYS_umask, WITH_FILES, ANY },
	{ SYS_renameat2, WITH_FILES, ANY },
#ifdef SYS_renameat
	{ SYS_renameat, WITH_FILES, ANY },
#endif
#ifdef SYS_open
	{ SYS_open, WITH_FILES, ANY },
	{ SYS_access, WITH_FILES, ANY },
	{ SYS_rename, WITH_FILES, ANY },
#endif
#ifdef SYS_stat
	{ SYS_stat, WITH_FILES, ANY },
	{ SYS_lstat, WITH_FILES, ANY },
#endif
	/* The end of the container. */
	{ SYS_unlinkat, TO_REMOVE, ANY },
	{ SYS_fstatfs, TO_REMOVE, ANY }, /* is it a resctrl? */
	{ SYS_fremovexattr, TO_REMOVE, ANY },
	{ SYS_kill, TO_REMOVE, ANY }, /* before Linux 5.14, where cgroups have no cgroup.kill */
#ifdef SYS_rmdir
	{ SYS_rmdir, TO_REMOVE, ANY },
	{ SYS_unlink, TO_REMOVE, ANY },
#endif
	/* Namespaces of processes. */
	{ SYS_readlinkat, TO_LOOK, ANY },
#ifdef SYS_readlink
	{ SYS_readlink, TO_LOOK, ANY },
#endif
	/* A connection to the bus; what is said there are calls of above. */
	{ SYS_socket, TO_ASK_SYSTEMD, AF_UNIX_ONLY },
	{ SYS_connect, TO_ASK_SYSTEMD, ANY },
	{ SYS_setsockopt, TO_ASK_SYSTEMD, ANY },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- conditions ------------------------------------------------------- */

/* The last one is PIDFD_GET_INFO, as wait.c has it. */
static const uint32_t device_calls[] = { TCGETS,     TCSETS,	 TCSETSW,
					 TCSETSF,
#ifdef TCGETS2
					 TCGETS2,    TCSETS2,	 TCSETSW2,
					 TCSETSF2,
#endif
					 TIOCGWINSZ, TIOCSWINSZ, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64) };
static const uint32_t descriptor_calls[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL };
static const uint32_t unix_sockets[] = { AF_UNIX };
static const uint32_t executable[] = { PROT_EXEC };

#define VALUES(list) list, sizeof(list) / sizeof((list)[0])

/* The argument is one of the values; or, for BPF_JSET, has none of their bits. The kernel looks at
 * no more than 32 bits of these arguments, or knows no others. */
static const struct {
	unsigned argument;
	uint16_t code;
	const uint32_t *values;
	size_t n;
} conditions[] = {
	[OWN_PROCESS] = { 0, BPF_JEQ, NULL, 1 },
	[NOT_EXECUTABLE] = { 2, BPF_JSET, VALUES(executable) },
	[OF_TERMINAL_OR_PIDFD] = { 1, BPF_JEQ, VALUES(device_calls) },
	[OF_DESCRIPTOR] = { 1, BPF_JEQ, VALUES(descriptor_calls) },
	[AF_UNIX_ONLY] = { 0, BPF_JEQ, VALUES(unix_sockets) },
};

/* ---- the program ------------------------------------------------------ */

struct program {
	struct sock_filter *out;
	size_t n;
};

#define LOAD(program, member)		add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, member))
#define RETURN(program, action)		add(program, BPF_RET | BPF_K, 0, 0, action)
#define JUMP(program, code, k, yes, no) add(program, BPF_JMP | (code) | BPF_K, yes, no, k)

static void
add(struct program *program, unsigned code, size_t yes, size_t no, size_t k)
{
	program->out[program->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)yes, (uint8_t)no, (uint32_t)k };
}

static void
load_argument(struct program *program, unsigned index)
{
	size_t lower = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

	add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args) + 8 * index + lower);
}

/* Passed over by other calls; no way leads out of it. */
static void
add_with_condition(struct program *program, const struct row *row, uint32_t pid)
{
	const uint32_t *values = conditions[row->condition].values;
	size_t n = conditions[row->condition].n;
	bool negated = conditions[row->condition].code == BPF_JSET;

	JUMP(program, BPF_JEQ, (uint32_t)row->number, 0, n + 3);
	load_argument(program, conditions[row->condition].argument);
	for (size_t i = 0; i < n; i++) {
		uint32_t value = row->condition == OWN_PROCESS ? pid : values[i];

		if (negated)
			JUMP(program, BPF_JSET, value, n - i - 1, i + 1 < n ? 0 : 1);
		else
			JUMP(program, BPF_JEQ, value, n - i, 0);
	}
	RETURN(program, SECCOMP_RET_ERRNO | EPERM);
	RETURN(program, SECCOMP_RET_ALLOW);
}

static bool
is_needed(const struct restrain_options *options, const struct row *row)
{
	switch (row->need) {
	case WITH_FILES:
		return options->uses_files;
	case TO_REMOVE:
		return options->removes;
	case TO_LOOK:
		return options->looks_into_processes;
	case TO_ASK_SYSTEMD:
		return options->asks_systemd;
	case UNLESS_REMOVING:
		return !options->removes;
	case ALWAYS:
		break;
	}
	return true;
}

size_t
restrain_filter(const struct restrain_options *options, struct sock_filter ret_program[RESTRAIN_FILTER_MAX])
{
	struct program p = { ret_program, 0 };
	uint32_t numbers[N_ROWS], pid = (uint32_t)getpid();
	size_t n = 0;

	_Static_assert(2 * N_ROWS + 40 < RESTRAIN_FILTER_MAX, "room, and jumps of one byte");
	LOAD(&p, args);
	LOAD(&p, arch);
	JUMP(&p, BPF_JEQ, seccomp_arch_native(), 1, 0);
	RETURN(&p, SECCOMP_RET_KILL_PROCESS);
	LOAD(&p, nr);
	for (size_t i = 0; i < N_ROWS; i++) {
		if (!is_needed(options, &rows[i]))
			continue;
		if (rows[i].condition == ANY)
			numbers[n++] = (uint32_t)rows[i].number;
		else
			add_with_condition(&p, &rows[i], pid);
	}
	for (size_t i = 0; i < n; i++)
		JUMP(&p, BPF_JEQ, numbers[i], n - i, 0);
	RETURN(&p, SECCOMP_RET_ERRNO | EPERM);
	RETURN(&p, SECCOMP_RET_ALLOW);
	return p.n;
}
