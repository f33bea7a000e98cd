/* Theory of operation: in a pid namespace that others share, each of them may look at the
 * process from its birth on; with CAP_SYS_PTRACE into its memory, with CAP_SYS_ADMIN also
 * at the files that it maps (/proc/PID/map_files), and those would be the runtime and the C
 * library of the host, to be written to. So these functions lie in a section of their own,
 * which stage_last.c copies to anonymous memory, and the first thing that they do there is to
 * unmap every file, before the process is made.
 *
 * That is why everything here is inlined into a few functions, has no constants that a
 * compiler would put elsewhere (no strings, no switch, no initialised arrays), and tells
 * errors by number. */
#include "libcontainer/stage/stage_last_code.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

#define LAST_CODE                                                                                                      \
	__attribute__((section("stage_last_code"), noinline, used, no_stack_protector,                                 \
		       no_sanitize("address", "undefined"), no_profile_instrument_function))
#define LAST_PART static inline __attribute__((always_inline, no_sanitize("address", "undefined")))

/* ---- the end ------------------------------------------------------------ */

LAST_PART void
leave(int status)
{
	raw_syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
	__builtin_trap(); /* a filter denies even that */
}

LAST_PART void
fail(struct last *last, enum stage_last_words words, long code)
{
	last->status->last_code = (int32_t)-code;
	__atomic_store_n(&last->status->last_failed, words, __ATOMIC_RELEASE);
	leave(1);
}

/* ---- messages ------------------------------------------------------------ */

LAST_PART void
send_message(struct last *last, enum stage_message message)
{
	long n;

	last->packet.message = message;
	last->packet.value = 0;
	do
		n = raw_syscall(SYS_sendto, last->channel, (long)&last->packet, sizeof(last->packet), MSG_NOSIGNAL, 0,
				0);
	while (n == -EINTR);
	if (n < 0)
		fail(last, STAGE_LAST_SEND, n);
}

LAST_PART enum stage_message
await_message(struct last *last)
{
	long n;

	do
		n = raw_syscall(SYS_recvfrom, last->channel, (long)&last->packet, sizeof(last->packet), 0, 0, 0);
	while (n == -EINTR);
	if (n < 0)
		fail(last, STAGE_LAST_RECEIVE, n);
	if (n == 0)
		fail(last, STAGE_LAST_GONE, 0);
	if (n != sizeof(last->packet))
		fail(last, STAGE_LAST_ANSWER, 0);
	return (enum stage_message)last->packet.message;
}

LAST_PART void
await_this(struct last *last, enum stage_message wanted)
{
	if (await_message(last) != wanted)
		fail(last, STAGE_LAST_ANSWER, 0);
}

/* ---- the runtime's end, and this one --------------------------------------- */

/* At its end the channel is when nobody has the other side any more. */
LAST_PART void
check_runtime_is_there(struct last *last)
{
	long n = raw_syscall(SYS_recvfrom, last->channel, (long)&last->packet, 1, MSG_PEEK | MSG_DONTWAIT, 0, 0);

	if (n == 0)
		fail(last, STAGE_LAST_GONE, 0);
	if (n < 0 && n != -EAGAIN) /* it has said nothing yet */
		fail(last, STAGE_LAST_RECEIVE, n);
}

LAST_PART void
die_with_runtime(struct last *last)
{
	long r = raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);

	if (r < 0)
		fail(last, STAGE_LAST_DEATH_SIGNAL, r);
	check_runtime_is_there(last);
}

LAST_PART void
outlive_runtime(struct last *last)
{
	long r = raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0, 0);

	if (r < 0)
		fail(last, STAGE_LAST_DEATH_SIGNAL, r);
	check_runtime_is_there(last);
}

/* ---- the process --------------------------------------------------------- */

LAST_PART void
unmap_files(struct last *last)
{
	for (size_t i = 0; i < last->n_files; i++) {
		long r = raw_syscall(SYS_munmap, (long)last->files[i].start, (long)last->files[i].len, 0, 0, 0, 0);

		if (r < 0)
			fail(last, STAGE_LAST_UNMAP, r);
	}
}

/* The kernel writes the number into the status before the process can run. clone(2) and not
 * clone3(2), which profiles deny because they cannot look at its flags. */
LAST_PART long
clone_process(struct last *last)
{
	return raw_syscall(SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID, 0, (long)&last->status->init_pid, 0, 0, 0);
}

/* pids.max of the cgroup may have room for the program, but not for this process beside it:
 * then the runtime takes this one out, and puts the other one in. */
LAST_PART void
make_process(struct last *last)
{
	long pid = clone_process(last);

	if (pid == -EAGAIN && last->may_leave_cgroup) {
		send_message(last, STAGE_LEAVE);
		await_this(last, STAGE_LEFT);
		last->has_left_cgroup = true;
		pid = clone_process(last);
	}
	if (pid < 0)
		fail(last, STAGE_LAST_PROCESS, pid);
	if (pid > 0)
		leave(0);
	if (last->waits_for_runtime || last->has_left_cgroup) {
		die_with_runtime(last);
		await_this(last, STAGE_MAPPED);
	}
}

LAST_PART void
start_session(struct last *last)
{
	long r = raw_syscall(SYS_setsid, 0, 0, 0, 0, 0, 0);

	if (r < 0)
		fail(last, STAGE_LAST_SESSION, r);
}

LAST_PART void
take_terminal(struct last *last)
{
	long r = raw_syscall(SYS_ioctl, 0, TIOCSCTTY, 0, 0, 0, 0);

	if (r < 0)
		fail(last, STAGE_LAST_TERMINAL, r);
}

LAST_PART void
set_limit(struct last *last)
{
	long r = raw_syscall(SYS_prlimit64, 0, RLIMIT_NPROC, (long)&last->limit, 0, 0, 0);

	if (r < 0)
		fail(last, STAGE_LAST_LIMIT, r);
}

/* ---- start ---------------------------------------------------------------- */

LAST_PART void
close_fd(int fd)
{
	raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

LAST_PART void
accept_start(struct last *last)
{
	long peer, n;

	do
		peer = raw_syscall(SYS_accept4, last->start_fd, 0, 0, SOCK_CLOEXEC, 0, 0);
	while (peer == -EINTR || peer == -ECONNABORTED);
	if (peer < 0)
		fail(last, STAGE_LAST_START, peer);
	close_fd(last->channel);
	last->channel = (int)peer;
	do
		n = raw_syscall(SYS_sendmsg, last->channel, (long)last->hello, MSG_NOSIGNAL, 0, 0, 0);
	while (n == -EINTR);
	if (n < 0)
		fail(last, STAGE_LAST_SEND, n);
}

/* A `start` that was killed before it saved the state must not leave a program that runs in a
 * container that is said to wait: then this is the end. */
LAST_PART void
wait_for_start(struct last *last)
{
	enum stage_message answer = STAGE_NOT_YET;
	long r;

	/* From here on the container outlives the runtime that made it. */
	outlive_runtime(last);
	r = raw_syscall(SYS_prctl, PR_SET_NAME, (long)last->wait_name, 0, 0, 0, 0); /* it is known by that */
	if (r < 0)
		fail(last, STAGE_LAST_NAME, r);
	send_message(last, STAGE_READY);
	while (answer == STAGE_NOT_YET) {
		accept_start(last);
		answer = await_message(last);
	}
	if (answer != STAGE_GO)
		fail(last, STAGE_LAST_ANSWER, 0);
	close_fd(last->start_fd);
	close_fd(last->status_fd);
}

/* ---- the program ------------------------------------------------------------ */

LAST_PART void
write_own_pid(struct last *last)
{
	long pid = raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), rest = pid;
	size_t digits = 1;

	while ((rest /= 10) > 0)
		digits++;
	last->listen_pid[digits] = '\0';
	while (digits > 0) {
		last->listen_pid[--digits] = (char)('0' + pid % 10);
		pid /= 10;
	}
}

LAST_PART void
load_filter(struct last *last)
{
	long r = raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, last->filter_flags, (long)&last->filter, 0, 0, 0);

	if (r != 0) /* with TSYNC: the thread that could not follow */
		fail(last, STAGE_LAST_FILTER, r < 0 ? r : -ESRCH);
}

/* ---- signals ------------------------------------------------------------------ */

/* As end_by_signal() of base/signals.c, whose code is gone. */
LAST_CODE void
last_end_by_signal(int sig, siginfo_t *info, void *context)
{
	unsigned long none[4]; /* the default action; without an initialiser, which may be a call */

	(void)context;
	if (info->si_code > 0) {
		for (volatile size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
			none[i] = 0;
		raw_syscall(SYS_rt_sigaction, sig, (long)none, 0, sizeof(uint64_t), 0, 0);
		return;
	}
	if (info->si_pid != raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0))
		leave(128 + sig);
}

#ifdef __x86_64__
__asm__(".pushsection stage_last_code, \"ax\", @progbits\n"
	".globl last_return_from_signal\n"
	".hidden last_return_from_signal\n"
	".type last_return_from_signal, @function\n"
	"last_return_from_signal:\n"
	"	mov $15, %eax\n" /* rt_sigreturn */
	"	syscall\n"
	".size last_return_from_signal, . - last_return_from_signal\n"
	".popsection");
#endif

/* ---- all of it ---------------------------------------------------------------- */

LAST_PART void
begin(struct last *last)
{
	if (last->makes_process) {
		make_process(last);
		start_session(last);
	}
	if (last->takes_terminal)
		take_terminal(last);
	if (last->has_limit)
		set_limit(last);
	if (last->waits_for_start)
		wait_for_start(last);
	if (last->listen_pid)
		write_own_pid(last);
}

LAST_PART void
become_program(struct last *last)
{
	long r;

	if (!last->has_outlived)
		outlive_runtime(last);
	if (last->has_filter)
		load_filter(last);
	__atomic_store_n(&last->status->at_exec, 1, __ATOMIC_RELEASE);
	r = raw_syscall(SYS_execve, (long)last->program, (long)last->argv, (long)last->envp, 0, 0, 0);
	fail(last, r == -E2BIG ? STAGE_LAST_TOO_BIG : STAGE_LAST_EXEC, r);
}

LAST_CODE void
last_run_begin(struct last *last)
{
	begin(last);
}

LAST_CODE void
last_run_program(struct last *last)
{
	become_program(last);
	__builtin_trap();
}

LAST_CODE void
last_run_all(struct last *last)
{
	unmap_files(last);
	begin(last);
	become_program(last);
	__builtin_trap();
}
