/* What containers use, and waiting for what happens to one. */
#ifndef KNARR_LIBCONTAINER_STATS_H
#define KNARR_LIBCONTAINER_STATS_H

#include "cgroups/stats.h"
#include "libcontainer/container.h"

/* A line of /proc/PID/net/dev. */
struct net_counters {
	char *name;
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

struct container_stats {
	struct state *state;
	enum container_status status;
	bool has_cgroup; /* false: cgroup is all zero */
	struct cgroup_stats cgroup;
	/* All but the loopback device, when the network namespace is not the runtime's. */
	struct net_counters *interfaces;
	size_t n_interfaces;
	int64_t read_at_ms; /* CLOCK_MONOTONIC, for differences */
};

/* Reads them once. Memory from env->arena. A container that has stopped, before or
 * meanwhile: -ESRCH with the text "container not running". */
int container_stats(const struct container_env *env, const char *id, struct err *err,
		    struct container_stats *ret_stats);

/* Splits the text of a net/dev file, without the line of "lo". Memory from a. Returns how
 * many there are. */
size_t stats_parse_net_counters(const char *text, struct arena *a, struct net_counters **ret_interfaces);

/* ---- waiting --------------------------------------------------------- */

enum container_event { CONTAINER_TIMEOUT, CONTAINER_OOM, CONTAINER_ENDED, CONTAINER_OUTPUT_CLOSED };

struct container_watch {
	int pidfd;	 /* of its init */
	int memory_fd;	 /* memory.events; -1: there is none */
	uint64_t killed; /* by the OOM killer, as told so far */
};

/* Begins to watch a container that is not stopped (else -ESRCH as above), until
 * container_watch_close(). Without a memory controller in its cgroup a warning says that
 * OOM kills cannot be told. */
int container_watch_open(const struct container_env *env, const char *id, struct err *err,
			 struct container_watch *ret_watch);

/* Once it is watched: gives up what watching and container_stats() do not need (restrain.h). 0 or
 * -errno with err. */
int container_watch_restrain(struct err *err);

/* The next thing that happens, or CONTAINER_TIMEOUT at deadline_ms (CLOCK_MONOTONIC;
 * negative: none). CONTAINER_OOM: once for each process that the OOM killer has
 * ended, those of the container's last moment too. CONTAINER_OUTPUT_CLOSED: the
 * reader of output_fd, a pipe, has gone. -errno with err. */
int container_watch_next(struct container_watch *watch, int64_t deadline_ms, int output_fd, struct err *err,
			 enum container_event *ret_event);

void container_watch_close(struct container_watch *watch);

#endif
