/* start: the program of a container that was created. */
#include "libcontainer/container.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/launch/launch.h"
#include "libcontainer/poststart.h"
#include "libcontainer/process/hooks.h"
#include "libcontainer/stage/listener.h"
#include "libcontainer/stage/tty.h"

/* ---- start ----------------------------------------------------------- */

static int
load_saved_spec(const struct container_env *env, const struct state_dir *dir, struct err *err, struct spec **ret_spec)
{
	struct spec_report report = { 0 };

	return spec_load(dir->path, /* config_path= */ NULL, env->arena, &report, err, ret_spec);
}

static int
check_created(const struct state *state, struct err *err)
{
	enum container_status status;
	int r = state_status(state, err, &status);

	if (r < 0)
		return r;
	if (status == STATUS_CREATED)
		return 0;
	if (status == STATUS_PAUSED)
		return err_plain(err, "cannot start container \"%s\": it is paused", state->id);
	return err_plain(err, "cannot start container \"%s\" in state %s, only a created one", state->id,
			 state_status_name(status));
}

static int
serve_start(const struct container_env *env, const struct state *state, const struct spec *spec, struct stage *stage,
	    struct err *err)
{
	enum stage_message message = STAGE_NONE;

	while (message != STAGE_EXECED) {
		auto_close int fd = -1;
		int r = stage_next(stage, /* plan= */ NULL, err, &message, &fd);

		if (r == 0 && message == STAGE_LISTENER)
			r = listener_send(spec->linux_.seccomp,
					  launch_state_json(env->arena, state, "created", state->pid), state->pid, fd,
					  err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Nothing was changed by a save that failed, and so the container goes on waiting. */
static int
save_started(const struct state_dir *dir, struct state *state, struct stage *stage, struct err *err)
{
	struct err ignored;
	int r;

	state->started = true;
	r = state_save(dir, state, err);
	if (r == 0)
		return 0;
	state->started = false;
	err_clear(&ignored);
	stage_reply(stage, STAGE_NOT_YET, &ignored);
	return r;
}

static int
start_init(const struct container_env *env, struct state_dir *dir, struct state *state, struct err *err)
{
	struct spec *spec = NULL;
	bool hook_failed;
	struct stage g;
	int r = 0;

	if (state->has_poststart || state->has_listener)
		r = load_saved_spec(env, dir, err, &spec);
	if (r == 0)
		r = stage_connect(dir->fd, state->pid, state->has_listener, err, &g);
	if (r < 0)
		return r;
	r = save_started(dir, state, &g, err);
	if (r < 0) {
		stage_close(&g);
		return r;
	}
	r = stage_reply(&g, STAGE_GO, err);
	if (r == 0)
		r = serve_start(env, state, spec, &g, err);
	if (r < 0)
		syscall(SYS_pidfd_send_signal, g.pidfd, SIGKILL, NULL, 0);
	hook_failed = r < 0 && g.status->hook_failed;
	stage_close(&g);
	state_close(dir);
	if (hook_failed)
		poststart_destroy(env, state->id);
	if (r < 0 || !state->has_poststart)
		return r;
	return poststart_run(env, state, spec, err);
}

int
container_start(const struct container_env *env, const char *id, struct err *err)
{
	struct state_dir dir;
	struct state *s;
	struct notify_socket notify = { -1, -1, false };
	const char *host = notify_socket_host();
	auto_close int pidfd = -1;
	int r = state_open(env->root, id, /* lock= */ true, env->arena, err, &dir);

	if (r < 0)
		return r;
	r = state_load(&dir, id, env->arena, err, &s);
	if (r == 0)
		r = check_created(s, err);
	if (r == 0 && host) {
		r = notify_socket_open(dir.fd, host, err, &notify);
		pidfd = state_pidfd(s);
	}
	if (r == 0)
		r = start_init(env, &dir, s, err);
	state_close(&dir);
	/* Without the lock: who waits for ever can still be killed. */
	if (r == 0 && pidfd >= 0)
		r = launch_wait_ready(&notify, pidfd, s->pid, err);
	notify_socket_close(&notify);
	return r;
}
