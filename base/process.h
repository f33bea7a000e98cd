/* The end of a process of the runtime's that will not become a program. */
#ifndef KNARR_BASE_PROCESS_H
#define KNARR_BASE_PROCESS_H

#include <sys/syscall.h>
#include <unistd.h>

/* _exit(2) for processes that may already be under a container's seccomp filter,
 * which can forbid even that: then by an instruction that traps. The system call is
 * made without the C library, whose _exit() may do more (a sanitizer's does) and never
 * give up; and this is no function because before calling one that does not return the
 * address sanitizer makes system calls of its own. */
#define process_end(status)                                                                                            \
	do {                                                                                                           \
		syscall(SYS_exit_group, (status));                                                                     \
		__builtin_trap();                                                                                      \
	} while (0)

#endif
