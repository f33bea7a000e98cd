/* A pidfd of a process that is known by its number; what a process of the runtime's does to
 * itself: its umask, and its end when it will not become a program. */
#ifndef KNARR_BASE_PROCESS_H
#define KNARR_BASE_PROCESS_H

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* A pidfd of process pid, close-on-exec, for the caller to close. -ESRCH: there is no such
 * process (any more), also when the number is still in use as the id of a session or a
 * process group, or again as that of a thread. Or another -errno. */
int process_open(pid_t pid);

/* waitpid(2) for a child until it has ended: 0 or a negative errno. */
int process_wait(pid_t pid, int *ret_status);

/* Where the arguments of the program are, for process_hide_arguments(): from main(). */
void process_remember_arguments(char **argv);

/* Overwrites arguments and environment of the process, which anybody who sees it may read
 * (/proc/PID/cmdline), or may where they have its uid (/proc/PID/environ). For a process that
 * needs neither any more. */
void process_hide_arguments(void);

/* _exit(2) for processes that may already be under a container's seccomp filter,
 * which can block even that: then by an instruction that traps. The system call is
 * made without the C library, whose _exit() may do more (a sanitizer's does) and never
 * give up; and this is not a function because before calling one that does not return the
 * address sanitizer makes system calls of its own. */
#define process_end(status)                                                                                            \
	do {                                                                                                           \
		syscall(SYS_exit_group, (status));                                                                     \
		__builtin_trap();                                                                                      \
	} while (0)

/* umask(2), which cannot fail in the kernel, but is refused like any other call by a
 * seccomp filter around the runtime; the C library's function has no way to say so. The
 * mask before, or -errno. */
static inline int
process_set_umask(mode_t mask)
{
	long before = syscall(SYS_umask, mask);

	return before < 0 ? -errno : (int)before;
}

/* Gives the umask that process_set_umask() set aside back, after work that came to r:
 * r, or -errno if that fails as well. */
static inline int
process_restore_umask(int mask, int code)
{
	int now = process_set_umask((mode_t)mask);

	return now < 0 && code >= 0 ? now : code;
}

#endif
