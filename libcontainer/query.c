/* state: what is saved of a container, and what is true of it now. Takes no lock. */
#include "libcontainer/container.h"

int
container_state(const struct container_env *env, const char *id, struct err *err, struct state **ret_state,
		enum container_status *ret_status)
{
	struct state_dir d;
	struct state *s;
	int r = env->open_root ? state_open_in(env->open_root, id, env->arena, err, &d)
			       : state_open(env->root, id, /* lock= */ false, env->arena, err, &d);

	if (r < 0)
		return r;
	r = state_load_status(&d, id, env->arena, err, &s, ret_status);
	if (r == 0)
		*ret_state = s;
	state_close(&d);
	return r;
}
