/* Theory of operation: see end_watch.h. Reading a file of events through the
 * descriptor that is polled arms it again; that of a removed cgroup fails and would
 * be ready for ever, so it is closed. The numbers are read by name, in the order in
 * which they are needed. */
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

void
end_watch_read(struct end_watch *w)
{
	if (!w || w->dirfd < 0)
		return;
	keyed_read(w->dirfd, "memory.events", "oom_kill", &w->oom_kills);
	keyed_read(w->dirfd, "pids.events", "max", &w->forks_refused);
	keyed_read(w->dirfd, "memory.events", "oom", &w->oom);
	keyed_read(w->dirfd, "memory.events.local", "oom", &w->own_oom);
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
