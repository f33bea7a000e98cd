/* run: create and start in one, and in the foreground the end as well. */
#include "libcontainer/container.h"
#include "libcontainer/launch/launch.h"
#include "libcontainer/poststart.h"
#include "libcontainer/stage/tty.h"

int
container_run(const struct container_env *env, const struct container_create_options *options, struct err *err,
	      int *ret_exit)
{
	struct launch l;
	sigset_t old;
	int r;

	*ret_exit = 0;
	if (!options->detach)
		tty_block_signals(&old);
	r = launch_prepare(&l, env, options, LAUNCH_RUN, /* host= */ NULL, err);
	if (r == 0)
		r = launch_go(&l, err);
	if (r == 0 && l.state.has_poststart) {
		state_close(&l.dir);
		r = poststart_run(env, &l.state, l.spec, err);
		/* Its failure took these back already. */
		if (r < 0) {
			l.has_cgroup = l.hooks_ran = false;
			l.resctrl.group = NULL;
		}
	}
	if (r < 0)
		launch_undo(&l);
	else if (!options->detach)
		r = launch_foreground(&l, err, ret_exit);
	else
		r = launch_detach(&l, err);
	launch_close(&l);
	return r;
}
