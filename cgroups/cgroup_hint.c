/* Theory of operation: a limit that is too small for the container to begin with
 * shows itself as something else: a fork that fails, a process that is killed.
 * The kernel counts in the cgroup what it refused there; the cgroup is new, so
 * whatever is counted happened to this very container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"

static const struct {
	const char *events, *key; /* "KEY N" in the file */
	const char *limit;	  /* the file with the limit */
	const char *text;
} refusals[] = {
	{ "pids.events", "max", "pids.max", "no more tasks" },
	{ "memory.events", "oom_kill", "memory.max", "not the memory that starting takes" },
	{ "memory.events", "oom", "memory.max", "not the memory that starting takes" },
};

static bool
was_counted(int dirfd, const char *file, const char *key)
{
	size_t key_len = strlen(key);
	char text[512], *save = NULL;

	if (fd_read_small_at(dirfd, file, text, sizeof(text)) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, key_len) && line[key_len] == ' ')
			return strtoull(line + key_len, NULL, 10) > 0;
	return false;
}

void
cgroup_add_hint(const struct cgroup *cg, struct err *err)
{
	if (cg->fd < 0)
		return;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		size_t n = strlen(err->msg);
		char limit[32];

		if (!was_counted(cg->fd, refusals[i].events, refusals[i].key) ||
		    fd_read_small_at(cg->fd, refusals[i].limit, limit, sizeof(limit)) < 0)
			continue;
		snprintf(err->msg + n, sizeof(err->msg) - n, " (hint: %s of the container's cgroup, %s, allows %s)",
			 refusals[i].limit, limit, refusals[i].text);
		return;
	}
}
