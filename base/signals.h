/* What a process inherits of its caller's signals, and how to be rid of it. */
#ifndef KNARR_BASE_SIGNALS_H
#define KNARR_BASE_SIGNALS_H

#include <signal.h>
#include <stdint.h>

#define SIGNALS_ALL UINT64_MAX

/* A handler and what it returns to (which calls rt_sigreturn(2), where a machine needs it; else
 * NULL): for code that runs without the C library's. */
struct signals_handler {
	void (*handle)(int sig, siginfo_t *info, void *context);
	void (*restore)(void);
};

/* What the process ignores: bit N-1 for signal N. All, where that cannot be found out. */
uint64_t signals_ignored(void);

/* Each signal of the set to its default action, and none blocked. Callers of a runtime ignore
 * SIGPIPE or block signals; a container's program and a hook start with the defaults.
 * 0 or -errno. Allocates nothing. signal(7). */
int signals_reset(uint64_t set);

/* The first process of a pid namespace ignores each signal for which it has no handler, but
 * for SIGKILL and SIGSTOP. Where that is the caller: one that ends other processes, sent
 * by another process, ends it as well, with status 128+N. execve(2) takes it back. handler: what
 * does so where the program's own code will not be mapped; NULL: this module's.
 * Allocates nothing. 0 or -errno. pid_namespaces(7), sigaction(2). */
int signals_end_first_process(const struct signals_handler *handler);

/* The same for one that nothing holds up until it calls signals_release(), in two calls and not
 * one for each signal: they wait, since one that is blocked is not ignored. Then the first that has
 * come ends the process, or none is blocked any more. 0 or -errno. */
int signals_hold(void);
int signals_release(void);

#endif
