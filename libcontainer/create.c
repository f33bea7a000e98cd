/* create, and the plan of what it would do. */
#include "libcontainer/container.h"
#include "libcontainer/launch/launch.h"

int
container_create(const struct container_env *env, const struct container_create_options *options, struct err *err)
{
	struct launch l;
	int r = launch_prepare(&l, env, options, LAUNCH_CREATE, /* host= */ NULL, err);

	if (r == 0)
		r = launch_go(&l, err);
	if (r < 0)
		launch_undo(&l);
	launch_close(&l);
	return r;
}

int
container_plan(const struct container_env *env, const struct container_create_options *options, const struct host *host,
	       struct err *err, struct plan **ret_plan)
{
	struct launch l;
	int r = launch_prepare(&l, env, options, LAUNCH_PLAN, host, err);

	if (r == 0) {
		*ret_plan = l.plan;
		l.plan = NULL;
	}
	launch_close(&l);
	return r;
}
