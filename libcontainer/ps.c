/* ps: the processes of a container, by its cgroup, or its first process alone. */
#include <errno.h>

#include "base/fd.h"
#include "libcontainer/container.h"

static int
cgroup_processes(const struct state *state, struct arena *a, struct err *err, pid_t **ret_pids, size_t *ret_n)
{
	struct cgroup cg = state_cgroup(state);
	size_t max = 64;
	pid_t *pids;
	ssize_t n;
	int r = cgroup_open(&cg, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (;; max = (size_t)n + 64) {
		pids = arena_array(a, max, sizeof(*pids));
		n = cgroup_pids(&cg, pids, max, err);
		if (n <= (ssize_t)max)
			break;
	}
	fd_close(cg.fd);
	if (n < 0)
		return n == -ENODEV || n == -ENOENT ? 0 : (int)n;
	*ret_pids = pids;
	*ret_n = (size_t)n;
	return 0;
}

int
container_processes(const struct container_env *env, const char *id, struct err *err, pid_t **ret_pids, size_t *ret_n)
{
	enum container_status status;
	struct state *s;
	int r = container_state(env, id, err, &s, &status);

	if (r < 0)
		return r;
	*ret_pids = NULL;
	*ret_n = 0;
	if (s->cgroup_path && (r = cgroup_processes(s, env->arena, err, ret_pids, ret_n)) < 0)
		return r;
	/* Its cgroup is gone, when the init was moved to another: that one is still its. */
	if (*ret_n > 0 || status == STATUS_STOPPED || s->pid <= 0)
		return 0;
	*ret_pids = arena_array(env->arena, 1, sizeof(**ret_pids));
	(*ret_pids)[0] = s->pid;
	*ret_n = 1;
	return 0;
}
