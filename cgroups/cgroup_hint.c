/* Theory of operation: a limit that is too small for the container to begin with
 * shows itself as something else: a fork that fails, a process that is killed.
 * The kernel counts in the cgroup what it refused there; the cgroup is new, so
 * whatever is counted happened to this very container. */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "cgroups/keyed.h"

enum { PIDS };

static const struct {
	const char *events, *key; /* "KEY N" in the file */
	const char *limit;	  /* the file with the limit */
	const char *text;	  /* for the hint: "text (limit N)" */
} refusals[] = {
	[PIDS] = { "pids.events", "max", "pids.max", "PID limit reached" },
	{ "memory.events", "oom_kill", "memory.max", "starting takes more memory than the limit" },
	{ "memory.events", "oom", "memory.max", "starting takes more memory than the limit" },
};

const char *
cgroup_delegation_command(uid_t euid)
{
	return euid != 0 ? "systemd-run --user --scope -p Delegate=yes" : "systemd-run --scope -p Delegate=yes";
}

void
cgroup_add_hint(const struct cgroup *cg, bool init_was_moved, struct err *err)
{
	if (cg->fd < 0)
		return;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		size_t n = strlen(err->msg);
		uint64_t count;
		char limit[32];

		if (keyed_read(cg->fd, refusals[i].events, refusals[i].key, &count) < 0 ||
		    count <= (init_was_moved && i == PIDS ? 1 : 0) ||
		    fd_read_small_at(cg->fd, refusals[i].limit, limit, sizeof(limit)) < 0)
			continue;
		snprintf(err->msg + n, sizeof(err->msg) - n, " (hint: %s (%s %s))", refusals[i].text, refusals[i].limit,
			 limit);
		return;
	}
}
