/* The counters of a container's cgroup that say why it ended, kept while it lives.
 *
 * systemd removes the cgroup of a scope as soon as its last process has left, and
 * the counters with it: whoever waits for the end must have read them before. The
 * kernel counts a kill before it kills, but announces events from a queue, and a second
 * one of a file up to 10 ms after the first: that memory ran out ("oom") is mostly read
 * in time, the kill that followed ("oom_kill") less often. So when the cgroup of a scope
 * has gone without a kill that was read, the kernel's log is asked (oom_log.h). */
#ifndef KNARR_LIBCONTAINER_STATE_END_WATCH_H
#define KNARR_LIBCONTAINER_STATE_END_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgroups/cgroup.h"

#define END_WATCH_FILES 2

struct end_watch {
	int dirfd;		    /* the cgroup; -1: none */
	int scope_fd;		    /* systemd's scope around it, with the same limits; -1: none */
	int files[END_WATCH_FILES]; /* memory.events, pids.events; -1: not there (any more) */
	int log_fd;		    /* the kernel's log, for a scope; -1: none */
	const char *path;	    /* of the cgroup, borrowed from who opened the watch */
	bool own;		    /* the cgroup was made for the container, all that is counted is its */

	bool gone;			  /* memory.events could not be read the last time */
	uint64_t oom_kills, oom, own_oom; /* own_oom: at a limit of its own */
	uint64_t memory_max;		  /* KEYED_MAX: no limit */
	uint64_t forks_refused, pids_max;
};

/* Nothing to watch. */
#define END_WATCH_NONE ((struct end_watch){ .dirfd = -1, .scope_fd = -1, .files = { -1, -1 }, .log_fd = -1 })

/* Opens the container's cgroup and reads the counters. Without one, or when it is
 * gone, there is nothing to watch. cg->path must live as long as the watch. */
void end_watch_open(struct end_watch *watch, const struct cgroup *cg);

/* What poll(2) is to look at. Any event: end_watch_read(). watch may be NULL. */
void end_watch_poll(const struct end_watch *watch, struct pollfd fds[END_WATCH_FILES]);

/* Reads what is still there; what is not keeps the value that it had. watch may be NULL. */
void end_watch_read(struct end_watch *watch);

void end_watch_close(struct end_watch *watch);

#endif
