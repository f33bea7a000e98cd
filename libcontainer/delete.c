/* Theory of operation: delete undoes create in its reverse order: processes, cgroup, then
 * the poststop hooks, and the state directory last, so that a delete which was interrupted
 * can be repeated. Each part may be gone already. There is no sleeping: the end of the init
 * is a poll on its pidfd, the end of the others one on cgroup.events.
 *
 * `delete --force` kills before it waits for the lock, so that whoever holds it and waits
 * for the container goes on. Mostly nobody does.
 *
 * What cannot be read for the moment (no descriptor or memory left, an error of the disk)
 * is an error, and all stays as it is. Only what was read can be damaged: then the copy
 * of the state says what there is, or the mark of a cgroup; when neither does, something
 * may run that nobody knows any more, which is an error too. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/host.h"
#include "base/log.h"
#include "libcontainer/container.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/process/hooks.h"
#include "oci-spec/documents.h"

/* How long a killed process may take: longer only in uninterruptible sleep. */
#define END_TIMEOUT_MS 10000

/* ---- its cgroup -------------------------------------------------------- */

static struct cgroup
cgroup_of(const struct container_env *env, const struct state *state)
{
	struct cgroup cg = state_cgroup(state);

	if (env->open_cgroup && cg.path && !strcmp(cg.path, env->open_cgroup->path))
		cg.inode = env->open_cgroup->inode;
	return cg;
}

/* ---- a state that is lost ---------------------------------------------- */

static bool
has_config(const struct state_dir *dir)
{
	return faccessat(dir->fd, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static struct state *
state_of_cgroup(const struct cgroup *cg, const char *id, struct arena *a)
{
	struct state *s = arena_alloc(a, sizeof(*s));

	s->id = arena_strdup(a, id);
	s->cgroup_mount = cg->mount;
	s->cgroup_path = cg->path;
	s->cgroup_made = cg->made;
	s->systemd_unit = cg->unit;
	s->systemd_user = cg->user_manager;
	return s;
}

/* By the mark of its cgroup, or because it is open; *ret_state is NULL when there is neither. */
static int
find_by_mark(const struct container_env *env, const struct state_dir *dir, const char *id, struct err *err,
	     struct state **ret_state)
{
	struct arena *a = env->arena;
	struct state *s = arena_alloc(a, sizeof(*s));
	struct host host;
	int r;

	*ret_state = NULL;
	if (env->open_cgroup) {
		*ret_state = state_of_cgroup(env->open_cgroup, id, a);
		return 0;
	}
	r = host_probe(a, err, &host);
	if (r < 0 || !host.cgroup_mount)
		return r;
	s->id = arena_strdup(a, id);
	s->cgroup_mount = arena_strdup(a, host.cgroup_mount);
	s->cgroup_marked = true;
	r = state_cgroup_owner(dir, a, err, &s->cgroup_owner);
	if (r == 0)
		r = cgroup_find_marked(s->cgroup_mount, s->cgroup_owner, a, err, &s->cgroup_path);
	if (r == 0 && s->cgroup_path)
		*ret_state = s;
	return r;
}

/* The container of a state directory where no state can be had. why: what is wrong with it. */
static int
find_lost(const struct container_env *env, const struct state_dir *dir, const char *id, enum state_finding finding,
	  const struct err *why, struct err *err, struct state **ret_state)
{
	int r = find_by_mark(env, dir, id, err, ret_state);

	if (r < 0)
		return r;
	if (*ret_state) {
		log_warning("%s; the container is known by its cgroup '%s', its poststop hooks do not run", why->msg,
			    (*ret_state)->cgroup_path);
		return 0;
	}
	if (finding != STATE_NEVER_SAVED && has_config(dir))
		return err_plain(
			err,
			"%s, and no cgroup is marked as that of container \"%s\": what is left of it cannot be "
			"known; end its processes, if there are any, and remove the directory '%s'",
			why->msg, id, dir->path);
	if (finding != STATE_NEVER_SAVED)
		log_warning("%s; there is nothing of it but the directory", why->msg);
	*ret_state = arena_alloc(env->arena, sizeof(**ret_state));
	(*ret_state)->id = arena_strdup(env->arena, id);
	return 0;
}

/* A damaged state stops delete, but not delete --force. A missing one is none that says
 * that the container runs. */
static int
load_for_delete(const struct container_env *env, const struct state_dir *dir, const char *id, bool force,
		struct err *err, struct state **ret_state)
{
	enum state_finding finding;
	struct err why;
	int r = state_salvage(dir, id, env->arena, err, &finding, ret_state);

	if (r < 0 || finding == STATE_INTACT)
		return r;
	if (finding == STATE_DAMAGED && !force)
		return -EINVAL;
	why = *err;
	err_clear(err);
	if (*ret_state) {
		log_warning("%s; its copy '" STATE_COPY "' is used", why.msg);
		return 0;
	}
	r = find_lost(env, dir, id, finding, &why, err, ret_state);
	if (r == 0 && !force && (*ret_state)->cgroup_path)
		r = err_plain(err, "%s, and the cgroup '%s' of container \"%s\" is there (hint: delete --force)",
			      why.msg, (*ret_state)->cgroup_path, id);
	return r;
}

/* ---- the parts --------------------------------------------------------- */

/* SIGKILL to all processes, and waits for the end of the init. */
static int
kill_and_wait(const struct container_env *env, const struct state *state, struct err *err)
{
	auto_close int pidfd = state_pidfd(state);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	struct cgroup cg = cgroup_of(env, state);
	int r = 0;

	if (pidfd < 0 && pidfd != -ESRCH)
		return err_set(err, -pidfd, "look for process %d of container \"%s\"", (int)state->pid, state->id);
	if (cg.path) {
		r = cgroup_kill(&cg, SIGKILL, err);
		fd_close(cg.fd);
	}
	if (r < 0 || pidfd == -ESRCH)
		return r;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_set(err, errno, "kill process %d of container \"%s\"", (int)state->pid, state->id);
	do
		r = poll(&p, 1, END_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(err, ETIMEDOUT, "process %d of container \"%s\" does not exit after SIGKILL",
			       (int)state->pid, state->id);
	return r < 0 ? err_set(err, errno, "wait for process %d", (int)state->pid) : 0;
}

/* The config, when it has poststop hooks. One that is damaged keeps no container from
 * being removed, one that cannot be read does. */
static int
load_poststop(const struct state_dir *dir, const struct state *state, struct arena *a, struct err *err,
	      struct spec **ret_spec)
{
	struct spec_report report = { 0 };
	char text[ERR_MSG_MAX];

	*ret_spec = NULL;
	if (!state->has_poststop || spec_load(dir->path, /* config_path= */ NULL, a, &report, err, ret_spec) == 0)
		return 0;
	if (err->code != 0 && err->code != ENOENT && err->code != EFBIG)
		return -err->code;
	log_warning("poststop hooks: %s", err_format(err, text, sizeof(text)));
	err_clear(err);
	*ret_spec = NULL;
	return 0;
}

/* Failures warn: runtime.md#lifecycle, step 13. */
static void
run_poststop(const struct spec *spec, const struct state *state, struct arena *a)
{
	struct state_document doc = { state->id, "stopped", state->bundle, 0, &state->annotations };
	struct err err;
	char text[ERR_MSG_MAX];

	if (!spec)
		return;
	err_clear(&err);
	if (hooks_run("poststop", &spec->hooks.poststop, state->bundle, document_state(a, &doc, /* pretty= */ false),
		      &spec->annotations, /* init_pidfd= */ -1, /* keep_going= */ true, &err) < 0)
		log_warning("poststop hooks: %s", err_format(&err, text, sizeof(text)));
}

static int
destroy(const struct container_env *env, struct state_dir *dir, const struct state *state, struct err *err)
{
	struct cgroup cg = cgroup_of(env, state);
	struct spec *spec;
	int r = load_poststop(dir, state, env->arena, err, &spec);

	if (r == 0)
		r = kill_and_wait(env, state, err);
	if (r == 0) {
		r = cgroup_destroy(&cg, END_TIMEOUT_MS, err);
		fd_close(cg.fd);
	}
	if (r == 0 && !state->other_boot)
		r = resctrl_use_remove(state, err);
	if (r < 0)
		return r;
	run_poststop(spec, state, env->arena);
	r = state_remove(dir, err);
	if (r == 0)
		log_debug("container '%s' is deleted", state->id);
	return r;
}

static int
check_stopped(const struct state_dir *dir, const struct state *state, struct err *err)
{
	enum container_status status;
	int r = state_dir_status(dir, state, err, &status);

	if (r < 0)
		return r;
	if (status == STATUS_STOPPED || status == STATUS_CREATED)
		return 0;
	return err_plain(err, "cannot delete container \"%s\" that is not stopped: %s", state->id,
			 state_status_name(status));
}

/* ---- all --------------------------------------------------------------- */

/* *ret_exists: false after a failure because there is no such container. */
static int
open_for_delete(const struct container_env *env, const char *id, bool lock, struct err *err, struct state_dir *dir,
		bool *ret_exists)
{
	int r = state_open(env->root, id, lock, env->arena, err, dir);

	*ret_exists = r != -ENOENT;
	return r;
}

/* Without the lock. What is lost is looked for when nobody else works on it. */
static int
force_end(const struct container_env *env, const struct state_dir *dir, const char *id, struct err *err)
{
	enum state_finding finding;
	struct state *s;
	int r = state_salvage(dir, id, env->arena, err, &finding, &s);

	if (r == 0 && s)
		r = kill_and_wait(env, s, err);
	if (r == 0)
		err_clear(err);
	return r;
}

/* With the lock, which it gives up. */
static int
delete_open(const struct container_env *env, struct state_dir *dir, const char *id, bool force, struct err *err)
{
	struct state *s;
	int r = load_for_delete(env, dir, id, force, err, &s);

	if (r == 0 && !force)
		r = check_stopped(dir, s, err);
	if (r == 0)
		r = destroy(env, dir, s, err);
	state_close(dir);
	return r;
}

static int
delete_locked(const struct container_env *env, const char *id, bool force, struct err *err, bool *ret_exists)
{
	struct state_dir d;
	int r = open_for_delete(env, id, /* lock= */ true, err, &d, ret_exists);

	return r < 0 ? r : delete_open(env, &d, id, force, err);
}

static int
delete_forced(const struct container_env *env, const char *id, struct err *err, bool *ret_exists)
{
	struct state_dir d;
	int r = open_for_delete(env, id, /* lock= */ false, err, &d, ret_exists);

	if (r < 0)
		return r;
	r = state_try_lock(&d, id, err);
	*ret_exists = r != -ENOENT;
	if (r == 0)
		return delete_open(env, &d, id, /* force= */ true, err);
	if (r == -EWOULDBLOCK)
		r = force_end(env, &d, id, err);
	state_close(&d);
	return r < 0 ? r : delete_locked(env, id, /* force= */ true, err, ret_exists);
}

int
container_delete(const struct container_env *env, const char *id, bool force, struct err *err)
{
	bool exists = true;
	int r = force ? delete_forced(env, id, err, &exists) : delete_locked(env, id, /* force= */ false, err, &exists);

	if (r < 0 && !exists && force) {
		err_clear(err);
		return 0;
	}
	return r;
}
