/* create, run, start and plan: see container.h. The others have files of their own:
 * lifecycle.c (state, kill, delete), manage.c (pause, resume, update, processes), exec.c,
 * live_mounts.c, stats.c, checkpoint.c, restore.c. */
#include "libcontainer/container.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/hooks.h"
#include "libcontainer/launch.h"
#include "libcontainer/listener.h"
#include "libcontainer/tty.h"

int
container_create(const struct container_env *env, const struct container_create_options *o, struct err *err)
{
	struct launch l;
	int r = launch_prepare(&l, env, o, LAUNCH_CREATE, /* host= */ NULL, err);

	if (r == 0)
		r = launch_go(&l, err);
	if (r < 0)
		launch_undo(&l);
	launch_close(&l);
	return r;
}

/* A hook failed after create: runtime.md#lifecycle goes on with its step 12. */
static void
destroy_after_hook(const struct container_env *env, const char *id)
{
	char text[ERR_MSG_MAX];
	struct err err;

	err_clear(&err);
	if (container_delete(env, id, /* force= */ true, &err) < 0)
		log_warning("%s", err_format(&err, text, sizeof(text)));
}

/* Without the lock, since a hook takes as long as it likes and other commands must
 * get through. Since spec 1.3 a failing hook ends the container. */
static int
run_poststart(const struct container_env *env, const struct state *s, const struct spec *spec, struct err *err)
{
	char *json = launch_state_json(env->arena, s, "running", s->pid);
	int r = hooks_run("poststart", &spec->hooks.poststart, s->bundle, json, &spec->annotations,
			  /* init_pidfd= */ -1,
			  /* keep_going= */ false, err);

	if (r < 0)
		destroy_after_hook(env, s->id);
	return r;
}

int
container_run(const struct container_env *env, const struct container_create_options *o, struct err *err, int *ret_exit)
{
	struct launch l;
	sigset_t old;
	int r;

	*ret_exit = 0;
	if (!o->detach)
		tty_block_signals(&old);
	r = launch_prepare(&l, env, o, LAUNCH_RUN, /* host= */ NULL, err);
	if (r == 0)
		r = launch_go(&l, err);
	if (r == 0 && l.state.has_poststart) {
		state_close(&l.dir);
		r = run_poststart(env, &l.state, l.spec, err);
		/* Its failure took these back already. */
		if (r < 0) {
			l.has_cgroup = l.hooks_ran = false;
			l.resctrl.group = NULL;
		}
	}
	if (r < 0)
		launch_undo(&l);
	else if (!o->detach)
		r = launch_stay(&l, err, ret_exit);
	else
		launch_detach(&l);
	launch_close(&l);
	return r;
}

/* ---- start ----------------------------------------------------------- */

static int
load_saved_spec(const struct container_env *env, const struct state_dir *dir, struct err *err, struct spec **ret_spec)
{
	struct spec_report report = { 0 };

	return spec_load(dir->path, /* config_path= */ NULL, env->arena, &report, err, ret_spec);
}

static int
check_created(const struct state *s, struct err *err)
{
	enum container_status status = state_status(s);

	if (status == STATUS_CREATED)
		return 0;
	if (status == STATUS_PAUSED)
		return err_plain(err, "cannot start container \"%s\": it is paused", s->id);
	return err_plain(err, "cannot start container \"%s\" in state %s, only a created one", s->id,
			 state_status_name(status));
}

static int
serve_start(const struct container_env *env, const struct state *s, const struct spec *spec, struct stage *g,
	    struct err *err)
{
	enum stage_message message = STAGE_NONE;

	while (message != STAGE_EXECED) {
		auto_close int fd = -1;
		int r = stage_next(g, /* plan= */ NULL, err, &message, &fd);

		if (r == 0 && message == STAGE_LISTENER)
			r = listener_send(spec->linux_.seccomp, launch_state_json(env->arena, s, "created", s->pid),
					  s->pid, fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
start_init(const struct container_env *env, struct state_dir *dir, struct state *s, struct err *err)
{
	struct spec *spec = NULL;
	bool hook_failed;
	struct stage g;
	int r = 0;

	if (s->has_poststart || s->has_listener)
		r = load_saved_spec(env, dir, err, &spec);
	if (r == 0)
		r = stage_connect(dir->fd, s->pid, s->has_listener, err, &g);
	if (r < 0)
		return r;
	s->started = true;
	r = state_save(dir, s, err);
	if (r == 0)
		r = stage_reply(&g, STAGE_GO, err);
	if (r == 0)
		r = serve_start(env, s, spec, &g, err);
	if (r < 0)
		syscall(SYS_pidfd_send_signal, g.pidfd, SIGKILL, NULL, 0);
	hook_failed = r < 0 && g.status->hook_failed;
	stage_close(&g);
	state_close(dir);
	if (hook_failed)
		destroy_after_hook(env, s->id);
	if (r < 0 || !s->has_poststart)
		return r;
	return run_poststart(env, s, spec, err);
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
		notify_socket_wait(&notify, pidfd, s->pid);
	notify_socket_close(&notify);
	return r;
}

int
container_plan(const struct container_env *env, const struct container_create_options *o, const struct host *host,
	       struct err *err, struct plan **ret_plan)
{
	struct launch l;
	int r = launch_prepare(&l, env, o, LAUNCH_PLAN, host, err);

	if (r == 0) {
		*ret_plan = l.plan;
		l.plan = NULL;
	}
	launch_close(&l);
	return r;
}
