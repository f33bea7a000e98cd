/* Reading a file of events through the
 * descriptor that is polled arms it again; that of a removed cgroup fails and would
 * be ready for ever, so it is closed. The cgroup may go between any two reads: what
 * belongs together is read at once, and the rest is judged by what was had. */
#include "libcontainer/state/end_watch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/keyed.h"
#include "libcontainer/state/oom_log.h"

/* The scope's limits are hit first by what the init had charged before it was in the
 * container's cgroup; its events are those of all below it, too. */
static int
events_dir(const struct end_watch *watch)
{
	return watch->scope_fd >= 0 ? watch->scope_fd : watch->dirfd;
}

void
end_watch_open(struct end_watch *watch, const struct cgroup *cg)
{
	struct cgroup opened = *cg;
	struct err ignored;

	*watch = END_WATCH_NONE;
	watch->memory_max = watch->pids_max = KEYED_MAX;
	watch->own = cg->made > 0 || cgroup_is_systemd(cg);
	err_clear(&ignored);
	opened.fd = -1;
	if (!cg->path || cgroup_open(&opened, &ignored) < 0)
		return;
	watch->dirfd = opened.fd;
	watch->path = cg->path;
	watch->log_fd = cgroup_is_systemd(cg) ? oom_log_open() : -1;
	cgroup_open_scope(cg, &ignored, &watch->scope_fd);
	watch->files[0] = openat(events_dir(watch), "memory.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	watch->files[1] = openat(watch->dirfd, "pids.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	end_watch_read(watch);
}

void
end_watch_poll(const struct end_watch *watch, struct pollfd fds[END_WATCH_FILES])
{
	for (size_t i = 0; i < END_WATCH_FILES; i++)
		fds[i] = (struct pollfd){ watch ? watch->files[i] : -1, POLLPRI, 0 };
}

static void
arm(struct end_watch *watch)
{
	char text[256];

	for (size_t i = 0; i < END_WATCH_FILES; i++)
		if (watch->files[i] >= 0 && pread(watch->files[i], text, sizeof(text), 0) < 0)
			watch->files[i] = fd_close(watch->files[i]);
}

/* Without the local files, whose limit it was is not known: the container's own is the
 * likely one. */
static uint64_t
count_own_oom(const struct end_watch *watch)
{
	uint64_t own = 0, scope = 0;

	if (keyed_read(watch->dirfd, "memory.events.local", "oom", &own) < 0 ||
	    (watch->scope_fd >= 0 && keyed_read(watch->scope_fd, "memory.events.local", "oom", &scope) < 0))
		return watch->oom;
	return own + scope;
}

/* Once, for a cgroup that is gone. The counters hold what was read before. */
static void
read_log(struct end_watch *watch)
{
	struct oom_log_counts c;
	size_t scope_len;

	if (watch->log_fd < 0 || watch->oom_kills > 0)
		return;
	scope_len = strlen(watch->path);
	while (watch->scope_fd >= 0 && watch->path[--scope_len] != '/')
		;
	oom_log_read(watch->log_fd, watch->path, scope_len, &c);
	watch->log_fd = fd_close(watch->log_fd);
	if (c.kills == 0)
		return;
	watch->oom_kills = c.kills;
	watch->oom = c.below;
	watch->own_oom = c.own;
}

static void
read_memory(struct end_watch *watch)
{
	uint64_t max;
	char text[256];

	watch->gone = fd_read_small_at(events_dir(watch), "memory.events", text, sizeof(text)) < 0;
	if (watch->gone) {
		read_log(watch);
		return;
	}
	keyed_find(text, "oom_kill", &watch->oom_kills);
	keyed_find(text, "oom", &watch->oom);
	watch->own_oom = count_own_oom(watch);
	if (keyed_read_number(watch->dirfd, "memory.max", &max) == 0)
		watch->memory_max = max;
	if (watch->scope_fd >= 0 && keyed_read_number(watch->scope_fd, "memory.max", &max) == 0 &&
	    max < watch->memory_max)
		watch->memory_max = max;
}

void
end_watch_read(struct end_watch *watch)
{
	if (!watch || watch->dirfd < 0)
		return;
	read_memory(watch);
	keyed_read(watch->dirfd, "pids.events", "max", &watch->forks_refused);
	keyed_read_number(watch->dirfd, "pids.max", &watch->pids_max);
	arm(watch);
}

void
end_watch_close(struct end_watch *watch)
{
	for (size_t i = 0; i < END_WATCH_FILES; i++)
		watch->files[i] = fd_close(watch->files[i]);
	watch->dirfd = fd_close(watch->dirfd);
	watch->scope_fd = fd_close(watch->scope_fd);
	watch->log_fd = fd_close(watch->log_fd);
}
