/* Theory of operation: see end_watch.h. Reading a file of events through the
 * descriptor that is polled arms it again; that of a removed cgroup fails and would
 * be ready for ever, so it is closed. The cgroup may go between any two reads: what
 * belongs together is read at once, and the rest is judged by what was had. */
#include "libcontainer/end_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/keyed.h"

static const char *const names[END_WATCH_FILES] = { "memory.events", "pids.events" };

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
	for (size_t i = 0; i < END_WATCH_FILES; i++)
		w->files[i] = openat(w->dirfd, names[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
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

/* Without the local file, whose limit it was is not known: the container's own is the
 * likely one. */
static void
read_memory_events(struct end_watch *w)
{
	char text[256];

	w->gone = fd_read_small_at(w->dirfd, "memory.events", text, sizeof(text)) < 0;
	if (w->gone)
		return;
	keyed_find(text, "oom_kill", &w->oom_kills);
	keyed_find(text, "oom", &w->oom);
	if (keyed_read(w->dirfd, "memory.events.local", "oom", &w->own_oom) < 0)
		w->own_oom = w->oom;
}

void
end_watch_read(struct end_watch *w)
{
	if (!w || w->dirfd < 0)
		return;
	read_memory_events(w);
	keyed_read(w->dirfd, "pids.events", "max", &w->forks_refused);
	keyed_read_number(w->dirfd, "memory.max", &w->memory_max);
	keyed_read_number(w->dirfd, "pids.max", &w->pids_max);
	arm(w);
}

void
end_watch_close(struct end_watch *w)
{
	for (size_t i = 0; i < END_WATCH_FILES; i++)
		w->files[i] = fd_close(w->files[i]);
	w->dirfd = fd_close(w->dirfd);
}
