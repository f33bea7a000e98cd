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

#include "base/size_text.h"
#include "cgroups/keyed.h"

#define CODE_OF_SIGNAL(sig) (128 + (sig))

/* Whose limit it was: memory.events counts below the cgroup too, and a limit above
 * counts in neither file. */
static const char *
memory_limit(const struct end_watch *w, struct arena *a)
{
	char size[SIZE_TEXT_MAX];

	if (w->own_oom > 0 && w->memory_max != KEYED_MAX)
		return arena_printf(a, "memory.max %s", size_text(w->memory_max, size));
	return w->oom > 0 ? "a limit of a cgroup in it" : "of the host or of a cgroup above";
}

/* Memory ran out, and the cgroup went before the kill could be read. */
static bool
kill_was_missed(const struct end_watch *w, int code)
{
	return w->gone && w->oom > 0 && w->oom_kills == 0 &&
	       (code == CODE_OF_SIGNAL(SIGKILL) || code == END_CODE_UNKNOWN);
}

static const char *
memory_reason(const struct end_watch *w, int code, struct arena *a)
{
	if (w->oom_kills == 1 || kill_was_missed(w, code))
		return arena_printf(a, "out of memory (%s)", memory_limit(w, a));
	if (w->oom_kills == 0)
		return NULL;
	return arena_printf(a, "out of memory (%s; %llu processes killed)", memory_limit(w, a),
			    (unsigned long long)w->oom_kills);
}

static const char *
pids_reason(const struct end_watch *w, struct arena *a)
{
	if (w->forks_refused == 0)
		return NULL;
	if (w->pids_max == KEYED_MAX)
		return "no more tasks (a pids.max of a cgroup above)";
	return arena_printf(a, "no more tasks (pids.max %llu)", (unsigned long long)w->pids_max);
}

const char *
end_reason(const struct end_watch *w, int code, struct arena *a)
{
	const char *reason = NULL;

	if (code == CODE_OF_SIGNAL(SIGSYS))
		return "a forbidden system call (seccomp, SIGSYS)";
	if (w->own || code == CODE_OF_SIGNAL(SIGKILL))
		reason = memory_reason(w, code, a);
	if (!reason && w->own && code != 0)
		reason = pids_reason(w, a);
	return reason;
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

void
end_watch_of_state(struct end_watch *w, const struct state *s)
{
	struct cgroup cg = { .mount = s->cgroup_mount,
			     .path = s->cgroup_path,
			     .made = s->cgroup_made,
			     .unit = s->systemd_unit,
			     .fd = -1 };

	end_watch_open(w, &cg);
}

const char *
end_reason_of_state(const struct state *s, int code, struct arena *a)
{
	struct end_watch w;
	const char *reason;

	if (s->exit_reason)
		return s->exit_reason;
	end_watch_of_state(&w, s);
	reason = end_reason(&w, code, a);
	end_watch_close(&w);
	return reason;
}
