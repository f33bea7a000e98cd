/* pause and resume: the freezer of the container's cgroup. */
#include "libcontainer/live.h"

/* A process in uninterruptible sleep is not frozen before it wakes up. */
#define FREEZE_TIMEOUT_MS 10000

int
container_pause(const struct container_env *env, const char *id, struct err *err)
{
	struct live o;
	int r = live_open(env, id, "pause", err, &o);

	if (r < 0)
		return r;
	if (o.status == STATUS_PAUSED)
		r = err_plain(err, "cannot pause container \"%s\": it is paused already", id);
	else
		r = cgroup_freeze(&o.cgroup, true, FREEZE_TIMEOUT_MS, err);
	live_close(&o);
	return r;
}

int
container_resume(const struct container_env *env, const char *id, struct err *err)
{
	struct live o;
	int r = live_open(env, id, "resume", err, &o);

	if (r < 0)
		return r;
	if (o.status != STATUS_PAUSED)
		r = err_plain(err, "cannot resume container \"%s\": container not paused", id);
	else
		r = cgroup_freeze(&o.cgroup, false, FREEZE_TIMEOUT_MS, err);
	live_close(&o);
	return r;
}
