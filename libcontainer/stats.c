/* Theory of operation: numbers come from the container's cgroup and, for the
 * network, from its init's view of /proc/net/dev, which needs no setns. No lock
 * is taken: reading changes nothing, and a container may go meanwhile.
 *
 * Watching is a poll on two descriptors: the pidfd of the init, and memory.events,
 * which the kernel marks (POLLPRI) when a counter changes; the read that follows
 * arms it again. The end is looked at last, so that a kill that ends the
 * container is told before the end is. */
#include "libcontainer/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/controllers.h"
#include "cgroups/events.h"
#include "libcontainer/process/restrain.h"

#define NET_DEV_MAX ((size_t)1024 * 1024)

static int
not_running(const char *id, struct err *err)
{
	err_plain(err, "cannot watch container \"%s\": container not running", id);
	return -ESRCH;
}

/* Either the container has ended a moment ago, or its processes were moved to another cgroup and
 * its own was removed. */
static int
cgroup_is_gone(const struct state *state, struct err *err)
{
	auto_close int pidfd = state_pidfd(state);

	if (pidfd == -ESRCH)
		return not_running(state->id, err);
	return err_plain(err, "container \"%s\" runs, but its cgroup '%s' is gone", state->id, state->cgroup_path);
}

/* ---- network --------------------------------------------------------- */

static bool
has_own_network(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat("/proc/self/ns/net", &own) == 0 && stat(path, &other) == 0 && own.st_ino != other.st_ino;
}

/* "  eth0: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0": eight numbers each way, of which the
 * first four are bytes, packets, errors and drops. */
static bool
parse_interface(const char *line, struct arena *a, struct net_counters *ret)
{
	uint64_t v[12];
	const char *colon = strchr(line, ':');
	char *p;

	if (!colon)
		return false;
	line += strspn(line, " ");
	p = (char *)(uintptr_t)colon + 1;
	for (size_t i = 0; i < 12; i++) {
		char *end;

		v[i] = strtoull(p, &end, 10);
		if (end == p)
			return false;
		p = end;
	}
	*ret = (struct net_counters){
		.name = arena_strndup(a, line, (size_t)(colon - line)),
		.rx_bytes = v[0],
		.rx_packets = v[1],
		.rx_errors = v[2],
		.rx_dropped = v[3],
		.tx_bytes = v[8],
		.tx_packets = v[9],
		.tx_errors = v[10],
		.tx_dropped = v[11],
	};
	return true;
}

size_t
stats_parse_net_counters(const char *text, struct arena *a, struct net_counters **ret_interfaces)
{
	char *copy = arena_strdup(a, text), *save = NULL;
	struct net_counters *list = NULL, one;
	size_t n = 0;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!parse_interface(line, a, &one) || !strcmp(one.name, "lo"))
			continue;
		list = arena_grow(a, list, n * sizeof(one), (n + 1) * sizeof(one));
		list[n++] = one;
	}
	*ret_interfaces = list;
	return n;
}

static void
read_network(struct container_stats *stats, struct arena *a)
{
	char path[64], *text;
	size_t len;

	if (!has_own_network(stats->state->pid))
		return;
	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)stats->state->pid);
	if (fd_read_file_at(AT_FDCWD, path, NET_DEV_MAX, &text, &len) < 0)
		return;
	stats->n_interfaces = stats_parse_net_counters(text, a, &stats->interfaces);
	free(text);
}

/* ---- all numbers ----------------------------------------------------- */

static int
read_cgroup(struct container_stats *stats, struct arena *a, struct err *err)
{
	struct cgroup cg = state_cgroup(stats->state);
	int r;

	if (!cg.path)
		return 0;
	r = cgroup_open(&cg, err);
	if (r == 0)
		r = cgroup_stats_read(cg.fd, a, &stats->cgroup);
	fd_close(cg.fd);
	if (r == -ENOENT || r == -ENODEV)
		return cgroup_is_gone(stats->state, err);
	if (r < 0)
		return err_set(err, -r, "read cgroup '%s'", cg.path);
	stats->has_cgroup = true;
	return 0;
}

int
container_stats(const struct container_env *env, const char *id, struct err *err, struct container_stats *ret_stats)
{
	struct container_stats s = { 0 };
	int r = container_state(env, id, err, &s.state, &s.status);

	if (r < 0)
		return r;
	if (s.status == STATUS_STOPPED || s.status == STATUS_CREATING)
		return not_running(id, err);
	r = read_cgroup(&s, env->arena, err);
	if (r < 0)
		return r;
	read_network(&s, env->arena);
	s.read_at_ms = events_clock_ms();
	*ret_stats = s;
	return 0;
}

/* ---- watching -------------------------------------------------------- */

/* The counter in an open memory.events; reading arms the next wake-up. */
static int
read_kills(int fd, uint64_t *ret_kills)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return keyed_find(text, "oom_kill", ret_kills) ? 0 : -ENODATA;
}

static void
warn_blind(const char *id, const struct cgroup *cg)
{
	char why[4400];

	if (!cg->path) {
		log_warning("OOM kills of container \"%s\" cannot be reported: it has no cgroup of its own", id);
		return;
	}
	log_warning("OOM kills of container \"%s\" cannot be reported: %s", id,
		    controller_explain(CONTROLLER_MEMORY, why, sizeof(why)));
}

static int
open_memory_events(const struct state *state, struct err *err, struct container_watch *watch)
{
	struct cgroup cg = state_cgroup(state);
	int r = cg.path ? cgroup_open(&cg, err) : 0;

	if (r < 0)
		return r == -ENOENT ? cgroup_is_gone(state, err) : r;
	if (cg.path)
		watch->memory_fd = openat(cg.fd, "memory.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	fd_close(cg.fd);
	if (watch->memory_fd < 0)
		warn_blind(state->id, &cg);
	else if ((r = read_kills(watch->memory_fd, &watch->killed)) < 0)
		return err_set(err, -r, "read 'memory.events' of cgroup '%s'", cg.path);
	return 0;
}

int
container_watch_open(const struct container_env *env, const char *id, struct err *err,
		     struct container_watch *ret_watch)
{
	struct container_watch w = { .pidfd = -1, .memory_fd = -1 };
	enum container_status status;
	struct state *s;
	int r = container_state(env, id, err, &s, &status);

	if (r < 0)
		return r;
	w.pidfd = state_pidfd(s);
	if (w.pidfd == -ESRCH)
		return not_running(id, err);
	if (w.pidfd < 0)
		return err_set(err, -w.pidfd, "open process %d of container \"%s\"", (int)s->pid, id);
	r = open_memory_events(s, err, &w);
	if (r < 0)
		container_watch_close(&w);
	else
		*ret_watch = w;
	return r;
}

int
container_watch_restrain(struct err *err)
{
	/* Each time, statistics look for the container's cgroup by its mark (cgroup_mark.c), which is
	 * read with CAP_SYS_ADMIN, and at its network namespace. The state root may be in a
	 * directory that is closed to others. */
	const struct restrain_options restraint = {
		.uses_files = true,
		.looks_into_processes = true,
		.capabilities = RESTRAIN_CAPABILITY(CAP_SYS_PTRACE) | RESTRAIN_CAPABILITY(CAP_DAC_READ_SEARCH) |
				RESTRAIN_CAPABILITY(CAP_SYS_ADMIN),
	};

	return restrain_self(&restraint, err);
}

static int
poll_timeout(int64_t deadline_ms)
{
	int64_t left = deadline_ms - events_clock_ms();

	if (deadline_ms < 0)
		return -1;
	return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* True when there is a kill that was not told yet. */
static bool
take_kill(struct container_watch *watch)
{
	uint64_t kills;

	/* The cgroup was removed: its container has ended, and the pidfd says so. */
	if (watch->memory_fd >= 0 && read_kills(watch->memory_fd, &kills) < 0)
		watch->memory_fd = fd_close(watch->memory_fd);
	if (watch->memory_fd < 0 || kills <= watch->killed)
		return false;
	watch->killed++;
	return true;
}

int
container_watch_next(struct container_watch *watch, int64_t deadline_ms, int output_fd, struct err *err,
		     enum container_event *ret_event)
{
	enum { INIT, MEMORY, OUTPUT, COUNT };
	struct pollfd p[COUNT];
	int n;

	for (;;) {
		if (take_kill(watch)) {
			*ret_event = CONTAINER_OOM;
			return 0;
		}
		p[INIT] = (struct pollfd){ watch->pidfd, POLLIN, 0 };
		p[MEMORY] = (struct pollfd){ watch->memory_fd, POLLPRI, 0 };
		p[OUTPUT] = (struct pollfd){ output_fd, 0, 0 };
		n = poll(p, COUNT, poll_timeout(deadline_ms));
		if (n < 0 && errno != EINTR)
			return err_set(err, errno, "wait for the container");
		if (n < 0)
			continue;
		if (n == 0) {
			*ret_event = CONTAINER_TIMEOUT;
			return 0;
		}
		if (take_kill(watch))
			*ret_event = CONTAINER_OOM;
		else if (p[OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL))
			*ret_event = CONTAINER_OUTPUT_CLOSED;
		else if (p[INIT].revents)
			*ret_event = CONTAINER_ENDED;
		else
			continue;
		return 0;
	}
}

void
container_watch_close(struct container_watch *watch)
{
	watch->pidfd = fd_close(watch->pidfd);
	watch->memory_fd = fd_close(watch->memory_fd);
}
