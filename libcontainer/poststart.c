/* After the program runs: poststart hooks, and the end that a failing hook brings. */
#include "libcontainer/poststart.h"

#include "base/log.h"
#include "libcontainer/launch/launch.h"
#include "libcontainer/process/hooks.h"

/* A hook failed after create: runtime.md#lifecycle goes on with its step 12. */
void
poststart_destroy(const struct container_env *env, const char *id)
{
	char text[ERR_MSG_MAX];
	struct err err;

	err_clear(&err);
	if (container_delete(env, id, /* force= */ true, &err) < 0)
		log_warning("%s", err_format(&err, text, sizeof(text)));
}

/* Without the lock, since a hook takes as long as it likes and other commands must
 * get through. Since spec 1.3 a failing hook ends the container. */
int
poststart_run(const struct container_env *env, const struct state *state, const struct spec *spec, struct err *err)
{
	char *json = launch_state_json(env->arena, state, "running", state->pid);
	int r = hooks_run("poststart", &spec->hooks.poststart, state->bundle, json, &spec->annotations,
			  /* init_pidfd= */ -1,
			  /* keep_going= */ false, err);

	if (r < 0)
		poststart_destroy(env, state->id);
	return r;
}
