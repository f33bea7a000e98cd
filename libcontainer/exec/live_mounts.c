/* Theory of operation: the mounts are planned as those of a new container are, and a
 * child of the runtime that has entered the container's user and mount namespace runs
 * the steps. Sources are opened before that, as detached trees, since the container
 * cannot see them; places are resolved below the container's root (path_in_root.h).
 *
 * The child stays in the runtime's pid namespace, where a container cannot see it, and
 * is not dumpable. It allocates nothing and leaves its error in shared memory. */
#include "libcontainer/exec/live_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "libcontainer/exec/exec_init.h"
#include "libcontainer/stage/planrun.h"
#include "namespaces/mount/mount_sources.h"
#include "oci-spec/config_edit.h"

struct live_mounts {
	const struct container_env *env;
	struct state *state;
	struct spec *spec; /* the container's config, with the file's mounts */
	struct host host;
	struct exec_init init;
	bool entered; /* a child was made: some mounts may be there */
	struct err *err;
};

/* ---- in the child -------------------------------------------------------- */

/* What is made in a user namespace belongs to its root. */
static int
become_root(struct plan_ctx *c)
{
	if (!c->groups_denied && setgroups(0, NULL) < 0)
		return err_set(c->err, errno, "drop the caller's groups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_set(c->err, errno, "become root of the container's user namespace");
	return 0;
}

static int
enter(struct plan_ctx *c, int flags)
{
	prctl(PR_SET_NAME, "knarr:[mounts]");
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_set(c->err, errno, "make the process undumpable");
	/* /proc/self is looked up by whose descriptors these are. */
	c->fds[PLAN_FD_PROC] = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->fds[PLAN_FD_PROC] < 0)
		return err_set(c->err, errno, "open '/proc/self/fd'");
	if (setns(c->fds[PLAN_FD_INIT], flags) < 0)
		return err_set(c->err, errno, "enter the container's namespaces");
	if ((flags & CLONE_NEWUSER) && become_root(c) < 0)
		return -EPERM;
	if (process_set_umask(0) < 0)
		return err_set(c->err, errno, "set the umask");
	c->fds[PLAN_FD_ROOT] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->fds[PLAN_FD_ROOT] < 0)
		return err_set(c->err, errno, "open the container's root");
	return 0;
}

/* ---- in the runtime -------------------------------------------------------- */

static int
run_in_child(struct plan_ctx *c, int flags, struct err *err)
{
	struct err *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0, r = 0, waited = 0;
	pid_t pid;

	if (shared == MAP_FAILED)
		return err_set(err, errno, "share memory with the process that mounts");
	c->err = shared;
	pid = fork();
	if (pid == 0) {
		if (enter(c, flags) == 0 && planrun_all(c) == 0)
			process_end(0);
		process_end(1);
	}
	if (pid < 0)
		r = err_set(err, errno, "make a process to mount in the container");
	else if ((waited = process_wait(pid, &status)) < 0)
		kill(pid, SIGKILL);
	if (waited < 0) {
		r = err_set(err, -waited, "wait for the process that mounts in the container");
	} else if (r == 0 && shared->msg[0]) {
		*err = *shared;
		r = err->code ? -err->code : -EINVAL;
	} else if (r == 0 && status != 0) {
		r = err_plain(err, "the process that mounts in the container exited with wait status %#x",
			      (unsigned)status);
	}
	munmap(shared, sizeof(*shared));
	return r;
}

/* An unprivileged user has no right over the mounts of the host, only over those of
 * their user namespace. */
static void
add_source_hint(const struct live_mounts *mounts, struct err *err)
{
	size_t n = strlen(err->msg);

	if (err->code == EPERM && !mounts->host.privileged)
		snprintf(err->msg + n, sizeof(err->msg) - n,
			 " (an unprivileged user can add only tmpfs to a running container)");
}

static int
run_plan(struct live_mounts *mounts, const struct plan *plan)
{
	struct plan_ctx ctx = { .plan = plan, .groups_denied = mounts->init.deny_setgroups };
	int flags = (int)mounts->init.enter_flags & (CLONE_NEWUSER | CLONE_NEWNS), r;

	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		ctx.fds[i] = -1;
	ctx.fds[PLAN_FD_INIT] = mounts->init.pidfd;
	r = mount_sources_open(plan, ctx.fds, mounts->err);
	if (r < 0) {
		add_source_hint(mounts, mounts->err);
	} else {
		mounts->entered = true;
		r = run_in_child(&ctx, flags, mounts->err);
	}
	mount_sources_close(plan, ctx.fds);
	return r;
}

static int
add_mounts(struct live_mounts *mounts, size_t n, struct plan_builder *b)
{
	struct spec s = *mounts->spec;
	const struct rootfs_options o = {
		.bundle = mounts->state->bundle,
		.parent_opens = true,
		.in_userns = (mounts->init.enter_flags & CLONE_NEWUSER) || mounts->host.in_userns,
	};

	s.n_mounts = n;
	return mount_plan_more(b, &s, &mounts->host, &o, mounts->err);
}

static int
remove_mounts(struct live_mounts *mounts, size_t n, struct plan_builder *b)
{
	struct spec s = *mounts->spec;

	s.n_mounts = n;
	return mount_plan_fewer(b, &s, mounts->err);
}

static int
plan_and_run(struct live_mounts *mounts, size_t n,
	     int (*make)(struct live_mounts *mounts, size_t n, struct plan_builder *b))
{
	struct plan_builder b;
	struct plan *p = NULL;
	int r;

	plan_begin(&b, mounts->env->arena);
	r = make(mounts, n, &b);
	if (r == 0)
		r = plan_seal(&b, mounts->err, &p);
	if (r == 0)
		r = run_plan(mounts, p);
	plan_free(p);
	return r;
}

/* Which step failed says how many mounts were made before. */
static void
undo(struct live_mounts *mounts)
{
	struct err first = *mounts->err;
	size_t n = 0;

	/* The error's text begins with the mount's name. */
	if (sscanf(first.msg, "mounts[%zu]", &n) == 1 && n > 0 && plan_and_run(mounts, n, remove_mounts) < 0)
		log_warning("while undoing: %s", mounts->err->msg);
	*mounts->err = first;
}

/* The namespaces as they are now: a user namespace has a path by which its maps can
 * be had for mapped mounts. */
static void
name_user_namespace(struct live_mounts *mounts)
{
	struct spec_namespace *user = &mounts->spec->linux_.namespaces[NS_USER];

	if (user->listed)
		user->path = arena_printf(mounts->env->arena, "/proc/%d/ns/user", (int)mounts->state->pid);
}

static int
find_container(struct live_mounts *mounts, const struct state_dir *dir, const char *id)
{
	struct spec_report report = { 0 };
	enum container_status status;
	int r = state_load(dir, id, mounts->env->arena, mounts->err, &mounts->state);

	if (r < 0)
		return r;
	if ((r = state_dir_status(dir, mounts->state, mounts->err, &status)) < 0)
		return r;
	if (status == STATUS_STOPPED || status == STATUS_CREATING) {
		err_plain(mounts->err, "cannot change the mounts of container \"%s\": container not running", id);
		return -ESRCH;
	}
	r = spec_load(dir->path, /* config_path= */ NULL, mounts->env->arena, &report, mounts->err, &mounts->spec);
	if (r == 0)
		r = exec_init_find(mounts->state, mounts->spec, mounts->err, &mounts->init);
	if (r == -ESRCH)
		err_plain(mounts->err, "cannot change the mounts of container \"%s\": container not running", id);
	if (r == 0 && !(mounts->init.enter_flags & CLONE_NEWNS))
		r = err_plain(mounts->err, "container \"%s\" has no mount namespace of its own", id);
	return r;
}

/* A later checkpoint learns from the saved config what comes from outside. It is written
 * before anything is mounted, and takes its place after it: on a full disk nothing has
 * changed. */
static int
change_mounts(struct live_mounts *mounts, const struct state_dir *dir, bool add)
{
	const struct spec *s = mounts->spec;
	char *text = config_edit_mounts(mounts->env->arena, s->json, s->json_len, s->mounts, s->n_mounts, add);
	struct fd_replacement config = { .name = "" };
	int r = text ? state_begin_config(dir, text, strlen(text), mounts->err, &config) : 0;

	if (r < 0)
		return r;
	name_user_namespace(mounts);
	r = plan_and_run(mounts, s->n_mounts, add ? add_mounts : remove_mounts);
	if (r < 0 && add && mounts->entered)
		undo(mounts);
	if (r == 0 && text)
		r = state_commit_config(dir, &config, mounts->err);
	fd_replace_abort(&config);
	return r;
}

int
container_mounts(const struct container_env *env, const char *id, const char *file, bool add,
		 struct spec_report *report, struct err *err)
{
	struct live_mounts m = { .env = env, .init = { .pidfd = -1, .root_fd = -1 }, .err = err };
	struct state_dir dir;
	int r = host_probe(env->arena, err, &m.host);

	if (r == 0)
		r = state_open(env->root, id, /* lock= */ true, env->arena, err, &dir);
	if (r < 0)
		return r;
	r = find_container(&m, &dir, id);
	if (r == 0)
		r = spec_load_mounts(file, env->arena, report, err, &m.spec->mounts, &m.spec->n_mounts);
	if (r == 0)
		r = change_mounts(&m, &dir, add);
	fd_close(m.init.pidfd);
	fd_close(m.init.root_fd);
	state_close(&dir);
	return r;
}
