/* Opening a container that runs, for pause, resume and update. */
#include "libcontainer/live.h"

#include <errno.h>

#include "base/fd.h"

void
live_close(struct live *live)
{
	fd_close(live->cgroup.fd);
	state_close(&live->dir);
}

int
live_open(const struct container_env *env, const char *id, const char *verb, struct err *err, struct live *ret_live)
{
	int r = state_open(env->root, id, /* lock= */ true, env->arena, err, &ret_live->dir);

	if (r < 0)
		return r;
	ret_live->cgroup.fd = -1;
	r = state_load(&ret_live->dir, id, env->arena, err, &ret_live->state);
	if (r == 0)
		r = state_dir_status(&ret_live->dir, ret_live->state, err, &ret_live->status);
	if (r == 0) {
		ret_live->cgroup = state_cgroup(ret_live->state);
		if (ret_live->status == STATUS_STOPPED || ret_live->status == STATUS_CREATING) {
			err_plain(err, "cannot %s container \"%s\": container not running", verb, id);
			r = -ESRCH;
		} else if (!ret_live->cgroup.path) {
			r = err_plain(err, "cannot %s container \"%s\": it has no cgroup of its own", verb, id);
		}
	}
	if (r == 0)
		r = cgroup_open(&ret_live->cgroup, err);
	if (r < 0)
		live_close(ret_live);
	return r;
}
