/* Theory of operation: a wait status says how a process ended but not why. The
 * why is in the counters of the container's cgroup, which outlive its processes
 * and go with the directory: memory.events counts the kills of the OOM killer,
 * pids.events the forks that were refused. A cgroup that knarr made was empty
 * at the beginning, so everything counted there happened to this container; one
 * that was there before may have had other tenants, and is believed only when
 * the status fits. SIGSYS is what seccomp kills with.
 *
 * What a counter tells is a hint and no proof: a container whose worker ran out
 * of memory and that was then killed by hand looks the same. */
#include "libcontainer/state/end_reason.h"

#include <signal.h>

#include "base/size_text.h"
#include "cgroups/keyed.h"

#define CODE_OF_SIGNAL(sig) (128 + (sig))

/* Whose limit it was: memory.events counts below the cgroup too, and a limit above
 * counts in neither file. */
static const char *
memory_limit(const struct end_watch *watch, struct arena *a)
{
	char size[SIZE_TEXT_MAX];

	if (watch->own_oom > 0 && watch->memory_max != KEYED_MAX)
		return arena_printf(a, "memory.max %s", size_text(watch->memory_max, size));
	return watch->oom > 0 ? "a limit of a cgroup in it" : "of the host or of a cgroup above";
}

/* Memory ran out, and the cgroup went before the kill could be read. */
static bool
kill_was_missed(const struct end_watch *watch, int code)
{
	return watch->gone && watch->oom > 0 && watch->oom_kills == 0 &&
	       (code == CODE_OF_SIGNAL(SIGKILL) || code == END_CODE_UNKNOWN);
}

static const char *
memory_reason(const struct end_watch *watch, int code, struct arena *a)
{
	if (watch->oom_kills == 1 || kill_was_missed(watch, code))
		return arena_printf(a, "out of memory (%s)", memory_limit(watch, a));
	if (watch->oom_kills == 0)
		return NULL;
	return arena_printf(a, "out of memory (%s; %llu processes killed)", memory_limit(watch, a),
			    (unsigned long long)watch->oom_kills);
}

static const char *
pids_reason(const struct end_watch *watch, struct arena *a)
{
	if (watch->forks_refused == 0)
		return NULL;
	if (watch->pids_max == KEYED_MAX)
		return "PID limit reached (a pids.max of a cgroup above)";
	return arena_printf(a, "PID limit reached (pids.max %llu)", (unsigned long long)watch->pids_max);
}

const char *
end_reason(const struct end_watch *watch, int code, struct arena *a)
{
	const char *reason = NULL;

	if (code == CODE_OF_SIGNAL(SIGSYS))
		return "seccomp violation (SIGSYS)";
	if (watch->own || code == CODE_OF_SIGNAL(SIGKILL))
		reason = memory_reason(watch, code, a);
	if (!reason && watch->own && code != 0)
		reason = pids_reason(watch, a);
	return reason;
}

const char *
end_reason_sentence(const char *id, int code, const char *reason, struct arena *a)
{
	if (code == CODE_OF_SIGNAL(SIGKILL) || code == CODE_OF_SIGNAL(SIGSYS))
		return arena_printf(a, "container '%s' was killed: %s", id, reason);
	if (code == END_CODE_UNKNOWN)
		return arena_printf(a, "container '%s' ended: %s", id, reason);
	return arena_printf(a, "container '%s' exited with status %d: %s", id, code, reason);
}

void
end_watch_of_state(struct end_watch *watch, const struct state *state)
{
	struct cgroup cg = state_cgroup(state);

	end_watch_open(watch, &cg);
}

const char *
end_reason_of_state(const struct state *state, int code, struct arena *a)
{
	struct end_watch w;
	const char *reason;

	if (state->exit_reason)
		return state->exit_reason;
	end_watch_of_state(&w, state);
	reason = end_reason(&w, code, a);
	end_watch_close(&w);
	return reason;
}
