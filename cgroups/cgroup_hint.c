/* Theory of operation: a limit that is too small for the container to begin with
 * shows itself as something else: a fork that fails, a process that is killed.
 * The kernel counts in the cgroup what it refused there; the cgroup is new, so
 * whatever is counted happened to this very container. */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "cgroups/keyed.h"

static const struct {
	const char *events, *key; /* "KEY N" in the file */
	const char *limit;	  /* the file with the limit */
	const char *text;
} refusals[] = {
	{ "pids.events", "max", "pids.max", "no more tasks" },
	{ "memory.events", "oom_kill", "memory.max", "not the memory that starting takes" },
	{ "memory.events", "oom", "memory.max", "not the memory that starting takes" },
};

void
cgroup_add_hint(const struct cgroup *cg, struct err *err)
{
	if (cg->fd < 0)
		return;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		size_t n = strlen(err->msg);
		uint64_t count;
		char limit[32];

		if (keyed_read(cg->fd, refusals[i].events, refusals[i].key, &count) < 0 || count == 0 ||
		    fd_read_small_at(cg->fd, refusals[i].limit, limit, sizeof(limit)) < 0)
			continue;
		snprintf(err->msg + n, sizeof(err->msg) - n, " (hint: %s of the container's cgroup, %s, allows %s)",
			 refusals[i].limit, limit, refusals[i].text);
		return;
	}
}
