/* What a process inherits of its caller's signals, and how to be rid of it. */
#ifndef KNARR_BASE_SIGNALS_H
#define KNARR_BASE_SIGNALS_H

/* Every signal to its default action, and none blocked. Callers of a runtime ignore
 * SIGPIPE or block signals; a container's program and a hook start with the defaults.
 * Allocates nothing. signal(7). */
void signals_reset(void);

#endif
