/* state: what is saved of a container, and what is true of it now. Takes no lock. Most containers are
 * whole and past their set-up, which a glance shows; what it does not show is looked at once more, with
 * all that may have become of it, and whose errors are those of the command. */
#include "libcontainer/container.h"

/* ret_status: NULL if it is not wanted. */
static bool
glance(const struct container_env *env, const char *id, struct state **ret_state, enum container_status *ret_status)
{
	struct state_root own = { .fd = -1 };
	const struct state_root *root = env->open_root ? env->open_root : &own;
	struct err ignored;
	bool found;

	err_clear(&ignored);
	if (state_check_id(id, &ignored) < 0)
		return false;
	if (!env->open_root && state_root_open(env->root, env->arena, &ignored, &own) < 0)
		return false;
	found = state_glance(root, id, env->arena, ret_state);
	if (found && ret_status)
		found = state_unlocked_status(*ret_state, &ignored, ret_status) == 0;
	state_root_close(&own);
	return found;
}

static int
look(const struct container_env *env, const char *id, struct err *err, struct state **ret_state,
     enum container_status *ret_status)
{
	struct state_dir d;
	struct state *s;
	int r;

	if (glance(env, id, &s, ret_status)) {
		*ret_state = s;
		return 0;
	}
	r = env->open_root ? state_open_in(env->open_root, id, env->arena, err, &d)
			   : state_open(env->root, id, /* lock= */ false, env->arena, err, &d);
	if (r < 0)
		return r;
	r = ret_status ? state_load_status(&d, id, env->arena, err, &s, ret_status)
		       : state_load(&d, id, env->arena, err, &s);
	if (r == 0)
		*ret_state = s;
	state_close(&d);
	return r;
}

int
container_state(const struct container_env *env, const char *id, struct err *err, struct state **ret_state,
		enum container_status *ret_status)
{
	return look(env, id, err, ret_state, ret_status);
}

int
container_saved_state(const struct container_env *env, const char *id, struct err *err, struct state **ret_state)
{
	return look(env, id, err, ret_state, NULL);
}
