/* The system calls are made without the C
 * library: its wrappers refuse to touch the two signals that it keeps for
 * itself (32 and 33), and a caller may have those ignored as well.
 *
 * A process inherits handlers and ignored signals. clone3(2) takes the handlers away
 * (CLONE_CLEAR_SIGHAND), but not what is ignored; of that there is mostly nothing, and one
 * file of procfs has the list, so that the new process need not ask for all of 62. */
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"

#define LAST_SIGNAL	 64
#define KERNEL_MASK_SIZE 8

uint64_t
signals_ignored(void)
{
	static const char key[] = "\nSigIgn:";
	char text[4096], *end;
	const char *line;
	uint64_t set;

	if (fd_read_record_at(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
		return SIGNALS_ALL;
	line = strstr(text, key);
	if (!line)
		return SIGNALS_ALL;
	set = strtoull(line + sizeof(key) - 1, &end, 16);
	return *end == '\n' ? set : SIGNALS_ALL;
}

int
signals_reset(uint64_t set)
{
	/* The kernel's struct sigaction of every architecture fits, and all zeros
	 * is SIG_DFL without flags in each of them. */
	static const unsigned char action[64];
	static const unsigned char none[KERNEL_MASK_SIZE];

	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP) /* they have no other action */
			continue;
		if (!(set >> (sig - 1) & 1))
			continue;
		if (syscall(SYS_rt_sigaction, sig, action, NULL, KERNEL_MASK_SIZE) < 0)
			return -errno;
	}
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_MASK_SIZE) < 0 ? -errno : 0;
}

static bool
is_of_others(const siginfo_t *info)
{
	return info->si_code <= 0 && info->si_pid != getpid();
}

/* A fault of our own is given back to the kernel, which happens when it is met again; and
 * what a write of our own causes (SIGPIPE, SIGXFSZ) is ignored as before. */
static void
end_by_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code > 0) {
		signal(sig, SIG_DFL);
		return;
	}
	if (is_of_others(info))
		process_end(128 + sig);
}

/* Not SIGSYS, which is how a seccomp profile kills. */
static bool
ends_others(int sig)
{
	static const int not [] = { SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN,	 SIGTTOU,
				    SIGCONT, SIGCHLD, SIGURG,  SIGWINCH, SIGSYS };

	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		if (sig == not [i])
			return false;
	return true;
}

/* The kernel's mask is the beginning of the C library's. */
static sigset_t
ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (ends_others(sig))
			sigaddset(&set, sig); /* fails for its own two */
	return set;
}

int
signals_hold(void)
{
	sigset_t set = ending_signals();

	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, KERNEL_MASK_SIZE) < 0 ? -errno : 0;
}

int
signals_release(void)
{
	static const struct timespec now;
	static const unsigned char none[KERNEL_MASK_SIZE];
	sigset_t set = ending_signals();
	siginfo_t info;
	long sig;

	while ((sig = syscall(SYS_rt_sigtimedwait, &set, &info, &now, KERNEL_MASK_SIZE)) > 0)
		if (is_of_others(&info))
			process_end(128 + (int)sig);
	if (errno != EAGAIN)
		return -errno;
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_MASK_SIZE) < 0 ? -errno : 0;
}

/* The kernel's struct sigaction where it has a member for what a handler returns to. */
struct kernel_action {
	void (*handle)(int sig, siginfo_t *info, void *context);
	unsigned long flags;
	void (*restore)(void);
	uint64_t mask;
};

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

static int
end_by(const struct signals_handler *handler)
{
	const struct kernel_action action = { .handle = handler->handle,
					      .flags = SA_SIGINFO | (handler->restore ? SA_RESTORER : 0),
					      .restore = handler->restore };

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (ends_others(sig) && syscall(SYS_rt_sigaction, sig, &action, NULL, KERNEL_MASK_SIZE) < 0)
			return -errno;
	return 0;
}

int
signals_end_first_process(const struct signals_handler *handler)
{
	struct sigaction action = { .sa_sigaction = end_by_signal, .sa_flags = SA_SIGINFO };

	if (getpid() != 1)
		return 0;
	if (handler)
		return end_by(handler);
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (ends_others(sig))
			sigaction(sig, &action, NULL); /* fails for the C library's own two */
	return 0;
}
