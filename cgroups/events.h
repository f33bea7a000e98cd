/* cgroup.events: whether a cgroup holds processes and whether it is frozen, now
 * or when that changes. */
#ifndef KNARR_CGROUPS_EVENTS_H
#define KNARR_CGROUPS_EVENTS_H

#include <stdint.h>

/* Value of key ("populated", "frozen") in the cgroup.events of dirfd: 0 or 1,
 * or -errno (-ENOENT, -ENODEV: the cgroup is gone). */
int events_read(int dirfd, const char *key);

/* The same of the cgroup `path` below the mount, which need not be open. It is looked up in one go, by a
 * path that the kernel resolves: for a path without "..". */
int events_read_in(const char *mount, const char *path, const char *key);

/* Waits (poll(2)) for the kernel to say that key has that value. 0; -ETIMEDOUT; -errno as
 * above. */
int events_wait(int dirfd, const char *key, int value, int timeout_ms);

/* CLOCK_MONOTONIC in milliseconds, for deadlines. */
int64_t events_clock_ms(void);

#endif
