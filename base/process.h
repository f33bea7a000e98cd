/* The end of a process of the runtime's that will not become a program. */
#ifndef KNARR_BASE_PROCESS_H
#define KNARR_BASE_PROCESS_H

/* _exit(2) for processes that may already be under a container's seccomp filter,
 * which can forbid even that: then by an instruction that traps. */
void process_end(int status) __attribute__((noreturn));

#endif
