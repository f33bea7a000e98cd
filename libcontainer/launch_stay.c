/* Theory of operation: what run and restore do when the container runs; see
 * launch_stay() and launch_detach() in launch.h. */
#include <errno.h>

#include "base/log.h"
#include "libcontainer/end_reason.h"
#include "libcontainer/launch.h"
#include "libcontainer/tty.h"
#include "libcontainer/wait.h"

static void
tell_end(const struct launch *l, const struct end_watch *w, int code)
{
	struct arena *a = l->env->arena;
	const char *reason = end_reason(w, code, a);

	if (l->options->keep)
		container_wait_keep(l->env, &l->state, code, reason);
	if (reason)
		log_warning("%s", end_reason_sentence(l->options->id, code, reason, a));
}

int
launch_stay(struct launch *l, struct err *err, int *ret_exit)
{
	struct end_watch watch;
	int r;

	/* Other commands may now have the lock. */
	state_close(&l->dir);
	end_watch_open(&watch, &l->cgroup);
	r = tty_relay(l->stage.pidfd, l->stage.pid, l->console_master, &l->notify, &watch, err, ret_exit);
	if (r == 0)
		tell_end(l, &watch, *ret_exit);
	end_watch_close(&watch);
	if (!l->options->keep) {
		struct err later;

		err_clear(&later);
		if (container_delete(l->env, l->options->id, /* force= */ true, &later) < 0 && r == 0) {
			*err = later;
			r = later.code ? -later.code : -EINVAL;
		}
	}
	return r;
}

/* systemd is told when the container is ready, and that its init is what counts
 * from now on; until then the runtime must not end. */
void
launch_detach(struct launch *l)
{
	state_close(&l->dir);
	notify_socket_wait(&l->notify, l->stage.pidfd, l->stage.pid);
}
