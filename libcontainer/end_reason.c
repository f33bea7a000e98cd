/* Theory of operation: a wait status says how a process ended but not why. The
 * why is in the counters of the container's cgroup, which outlive its processes
 * and go with the folder: memory.events counts the kills of the OOM killer,
 * pids.events the forks that were refused. A cgroup that knarr made was empty
 * at the beginning, so everything counted there happened to this container; one
 * that was there before may have had other tenants, and is believed only when
 * the status fits. SIGSYS is what seccomp kills with.
 *
 * What a counter tells is a hint and no proof: a container whose worker ran out
 * of memory and that was then killed by hand looks the same. */
#include "libcontainer/end_reason.h"

#include <signal.h>

#include "base/fd.h"
#include "base/size_text.h"
#include "cgroups/keyed.h"

#define CODE_OF_SIGNAL(sig) (128 + (sig))

/* Whose limit it was. memory.events counts below the cgroup too,
 * memory.events.local (Linux 5.2) does not, and a limit above counts in neither. */
static const char *
memory_limit(int dirfd, struct arena *a)
{
	uint64_t own = 0, all = 0, limit = KEYED_MAX;
	char size[SIZE_TEXT_MAX];

	keyed_read(dirfd, "memory.events", "oom", &all);
	if (keyed_read(dirfd, "memory.events.local", "oom", &own) < 0)
		own = all;
	keyed_read_number(dirfd, "memory.max", &limit);
	if (own > 0 && limit != KEYED_MAX)
		return arena_printf(a, "memory.max %s", size_text(limit, size));
	return all > 0 ? "a limit of a cgroup in it" : "of the host or of a cgroup above";
}

static const char *
memory_reason(int dirfd, struct arena *a)
{
	uint64_t kills = 0;

	if (keyed_read(dirfd, "memory.events", "oom_kill", &kills) < 0 || kills == 0)
		return NULL;
	if (kills == 1)
		return arena_printf(a, "out of memory (%s)", memory_limit(dirfd, a));
	return arena_printf(a, "out of memory (%s; %llu processes killed)", memory_limit(dirfd, a),
			    (unsigned long long)kills);
}

static const char *
pids_reason(int dirfd, struct arena *a)
{
	uint64_t refused = 0, limit = KEYED_MAX;

	if (keyed_read(dirfd, "pids.events", "max", &refused) < 0 || refused == 0)
		return NULL;
	keyed_read_number(dirfd, "pids.max", &limit);
	if (limit == KEYED_MAX)
		return "no more tasks (a pids.max of a cgroup above)";
	return arena_printf(a, "no more tasks (pids.max %llu)", (unsigned long long)limit);
}

static const char *
cgroup_reason(const struct cgroup *cg, int code, struct arena *a)
{
	struct cgroup opened = *cg;
	const char *reason = NULL;
	struct err ignored;

	err_clear(&ignored);
	if (!cg->path || cgroup_open(&opened, &ignored) < 0)
		return NULL;
	if (cg->made > 0 || code == CODE_OF_SIGNAL(SIGKILL))
		reason = memory_reason(opened.fd, a);
	if (!reason && cg->made > 0 && code != 0)
		reason = pids_reason(opened.fd, a);
	if (opened.fd != cg->fd)
		fd_close(opened.fd);
	return reason;
}

const char *
end_reason(const struct cgroup *cg, int code, struct arena *a)
{
	if (code == CODE_OF_SIGNAL(SIGSYS))
		return "a forbidden system call (seccomp, SIGSYS)";
	return cgroup_reason(cg, code, a);
}

const char *
end_reason_sentence(const char *id, int code, const char *reason, struct arena *a)
{
	if (code == CODE_OF_SIGNAL(SIGKILL) || code == CODE_OF_SIGNAL(SIGSYS))
		return arena_printf(a, "container '%s' was killed: %s", id, reason);
	if (code == END_CODE_UNKNOWN)
		return arena_printf(a, "container '%s' ended: %s", id, reason);
	return arena_printf(a, "container '%s' ended with status %d: %s", id, code, reason);
}

const char *
end_reason_of_state(const struct state *s, int code, struct arena *a)
{
	struct cgroup cg = { .mount = s->cgroup_mount, .path = s->cgroup_path, .made = s->cgroup_made, .fd = -1 };

	return end_reason(&cg, code, a);
}
