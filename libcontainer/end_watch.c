/* Theory of operation: see end_watch.h. Reading a file of events through the
 * descriptor that is polled arms it again; that of a removed cgroup fails and would
 * be ready for ever, so it is closed. The cgroup may go between any two reads: what
 * belongs together is read at once, and the rest is judged by what was had. */
#include "libcontainer/end_watch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/keyed.h"
#include "libcontainer/oom_log.h"

/* The scope's limits are hit first by what the init had charged before it was in the
 * container's cgroup; its events are those of all below it, too. */
static int
events_dir(const struct end_watch *w)
{
	return w->scope_fd >= 0 ? w->scope_fd : w->dirfd;
}

void
end_watch_open(struct end_watch *w, const struct cgroup *cg)
{
	struct cgroup opened = { .mount = cg->mount, .path = cg->path, .fd = -1 };
	struct err ignored;

	*w = END_WATCH_NONE;
	w->memory_max = w->pids_max = KEYED_MAX;
	w->own = cg->made > 0 || cg->unit;
	err_clear(&ignored);
	if (!cg->path || cgroup_open(&opened, &ignored) < 0)
		return;
	w->dirfd = opened.fd;
	w->path = cg->path;
	w->log_fd = cg->unit ? oom_log_open() : -1;
	cgroup_open_scope(cg, &ignored, &w->scope_fd);
	w->files[0] = openat(events_dir(w), "memory.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	w->files[1] = openat(w->dirfd, "pids.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	end_watch_read(w);
}

void
end_watch_poll(const struct end_watch *w, struct pollfd fds[END_WATCH_FILES])
{
	for (size_t i = 0; i < END_WATCH_FILES; i++)
		fds[i] = (struct pollfd){ w ? w->files[i] : -1, POLLPRI, 0 };
}

static void
arm(struct end_watch *w)
{
	char text[256];

	for (size_t i = 0; i < END_WATCH_FILES; i++)
		if (w->files[i] >= 0 && pread(w->files[i], text, sizeof(text), 0) < 0)
			w->files[i] = fd_close(w->files[i]);
}

/* Without the local files, whose limit it was is not known: the container's own is the
 * likely one. */
static uint64_t
count_own_oom(const struct end_watch *w)
{
	uint64_t own = 0, scope = 0;

	if (keyed_read(w->dirfd, "memory.events.local", "oom", &own) < 0 ||
	    (w->scope_fd >= 0 && keyed_read(w->scope_fd, "memory.events.local", "oom", &scope) < 0))
		return w->oom;
	return own + scope;
}

/* Once, for a cgroup that is gone. The counters hold what was read before. */
static void
read_log(struct end_watch *w)
{
	struct oom_log_counts c;
	size_t scope_len;

	if (w->log_fd < 0 || w->oom_kills > 0)
		return;
	scope_len = strlen(w->path);
	while (w->scope_fd >= 0 && w->path[--scope_len] != '/')
		;
	oom_log_read(w->log_fd, w->path, scope_len, &c);
	w->log_fd = fd_close(w->log_fd);
	if (c.kills == 0)
		return;
	w->oom_kills = c.kills;
	w->oom = c.below;
	w->own_oom = c.own;
}

static void
read_memory(struct end_watch *w)
{
	uint64_t max;
	char text[256];

	w->gone = fd_read_small_at(events_dir(w), "memory.events", text, sizeof(text)) < 0;
	if (w->gone) {
		read_log(w);
		return;
	}
	keyed_find(text, "oom_kill", &w->oom_kills);
	keyed_find(text, "oom", &w->oom);
	w->own_oom = count_own_oom(w);
	if (keyed_read_number(w->dirfd, "memory.max", &max) == 0)
		w->memory_max = max;
	if (w->scope_fd >= 0 && keyed_read_number(w->scope_fd, "memory.max", &max) == 0 && max < w->memory_max)
		w->memory_max = max;
}

void
end_watch_read(struct end_watch *w)
{
	if (!w || w->dirfd < 0)
		return;
	read_memory(w);
	keyed_read(w->dirfd, "pids.events", "max", &w->forks_refused);
	keyed_read_number(w->dirfd, "pids.max", &w->pids_max);
	arm(w);
}

void
end_watch_close(struct end_watch *w)
{
	for (size_t i = 0; i < END_WATCH_FILES; i++)
		w->files[i] = fd_close(w->files[i]);
	w->dirfd = fd_close(w->dirfd);
	w->scope_fd = fd_close(w->scope_fd);
	w->log_fd = fd_close(w->log_fd);
}
