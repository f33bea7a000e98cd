/* Restore is a run
 * whose init CRIU makes: the bundle is loaded, checked and compiled as for run, and
 * state directory and cgroup are the same; of the plan only the steps are executed that
 * make the root file system, in CRIU's process, which has a mount namespace of
 * its own: CRIU wants the root to be a mount point, and the host's mount table
 * shows nothing of it, however restore ends.
 *
 * CRIU reports when the namespaces exist (hooks that set up the network run then),
 * hands over the master of the terminal, and says when the processes are there
 * and not yet running: then their pid is saved, so that nothing runs that
 * `delete` does not know. What fails in these reports makes CRIU undo. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "libcontainer/checkpoint/criu_mounts.h"
#include "libcontainer/checkpoint/criu_namespaces.h"
#include "libcontainer/checkpoint/criu_net.h"
#include "libcontainer/checkpoint/criu_options.h"
#include "libcontainer/checkpoint/criu_rpc.h"
#include "libcontainer/checkpoint/criu_stdio.h"
#include "libcontainer/checkpoint/scope_holder.h"
#include "libcontainer/launch/launch.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/stage/tty.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_sources.h"
#include "namespaces/mount/rootfs.h"

#define LOG_FILE "restore.log"

struct restore {
	struct launch launch;
	const struct container_criu_options *options;
	struct container_criu_options own_options; /* what options points at, from choose_options() on */
	struct criu_directories directories;
	struct criu_namespaces namespaces;
	struct scope_holder holder;
	const char *program; /* criu */
	char *root;	     /* where CRIU finds the root file system */
};

static const struct plan_step *
find_step(const struct plan *plan, enum plan_kind first, enum plan_kind second)
{
	for (uint32_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].kind == first || plan->steps[i].kind == second)
			return &plan->steps[i];
	return NULL;
}

/* ---- in CRIU's process ----------------------------------------------- */

static int
mount_root(const struct restore *restore, struct plan_ctx *c, struct err *err)
{
	const struct plan_step *s = find_step(c->plan, PLAN_ROOT_BIND, PLAN_ROOT_OVERLAY);
	int ret, mask;

	if (unshare(CLONE_NEWNS) < 0)
		return err_set(err, errno, "make a mount namespace");
	ret = mount_classic(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
	if (ret < 0)
		return err_set(err, -ret, "set the propagation of '/'");
	ret = criu_directories_reopen(&restore->directories, err);
	if (ret < 0)
		return ret;
	ret = mount_sources_open(c->plan, c->fds, err);
	if (ret < 0)
		return ret;
	mask = process_set_umask(0); /* as where a plan is executed */
	if (mask < 0)
		return err_set(err, -mask, "set the umask");
	ret = s->kind == PLAN_ROOT_BIND ? root_run_bind(c, s) : overlay_run_root(c, s);
	if (ret == 0)
		ret = criu_mounts_make_points(restore->launch.env->arena, restore->launch.spec, restore->launch.bundle,
					      c->fds[PLAN_FD_ROOT], err);
	return process_restore_umask(mask, ret);
}

/* What is restored inherits the session keyring of CRIU, which must not be that
 * of the caller, or another user's. */
static int
join_keyring(struct plan_ctx *c)
{
	const struct plan_step *s = find_step(c->plan, PLAN_JOIN_KEYRING, PLAN_JOIN_KEYRING);
	int r = s ? credentials_run_keyring(c, s) : 0;

	/* A kernel without keyrings, as the step says. */
	if (r != -ENOSYS || !c->answered)
		return r;
	err_clear(c->err);
	return 0;
}

static int
prepare_criu(void *data, struct err *err)
{
	const struct restore *r = data;
	struct plan_ctx ctx = { .plan = r->launch.plan, .err = err };
	int ret;

	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		ctx.fds[i] = -1;
	ret = join_keyring(&ctx);
	return ret == 0 && r->root ? mount_root(r, &ctx, err) : ret;
}

/* ---- CRIU's reports -------------------------------------------------- */

/* --manage-cgroups-mode ignore: CRIU leaves its processes where they are. Else it moves
 * the first of them after this report, which is too late for a scope that exists
 * only around a process. */
static int
enter_cgroup(const struct launch *launch, pid_t pid, struct err *err)
{
	char text[16];
	int r;

	if (!launch->has_cgroup)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)pid);
	r = fd_write_file_at(launch->cgroup.fd, "cgroup.procs", text);
	return r < 0 ? err_set(err, -r, "move process %d to the cgroup '%s'", (int)pid, launch->cgroup.path) : 0;
}

static bool
ignores_cgroups(const struct restore *restore)
{
	return restore->options->manage_cgroups_mode && !strcmp(restore->options->manage_cgroups_mode, "ignore");
}

static int
on_namespaces(struct restore *restore, struct err *err)
{
	struct launch *l = &restore->launch;
	int ret = ignores_cgroups(restore) || cgroup_is_systemd(&l->cgroup) ? enter_cgroup(l, l->stage.pid, err) : 0;

	/* Before the others are made: a limit of tasks is theirs. */
	scope_holder_end(&restore->holder);
	if (ret == 0 && l->resctrl.group)
		ret = resctrl_join(&l->resctrl, l->stage.pid, err);
	if (ret == 0 && restore->options->empty_ns && criu_net_is_own(l->spec))
		ret = criu_net_loopback_up(l->stage.pidfd, err);
	return ret < 0 ? ret : launch_run_create_hooks(l, err);
}

static int
on_restored(struct launch *launch, struct err *err)
{
	int r = launch_save_pid(launch, err);

	return r < 0 ? r : launch_send_pidfd(launch, err);
}

static int
notify(void *data, const char *event, pid_t pid, int *fd, struct err *err)
{
	struct restore *r = data;
	struct launch *l = &r->launch;

	if (pid > 0 && l->stage.pid == 0) {
		l->stage.pid = pid;
		l->stage.pidfd = process_open(pid);
		if (l->stage.pidfd < 0)
			return err_set(err, -l->stage.pidfd, "open a pidfd of the restored process");
	}
	if (!strcmp(event, "setup-namespaces"))
		return on_namespaces(r, err);
	if (!strcmp(event, "orphan-pts-master") && *fd >= 0)
		return launch_take_console(l, fd, err);
	if (!strcmp(event, "post-restore"))
		return on_restored(l, err);
	return 0;
}

/* ---- the request ----------------------------------------------------- */

/* CRIU's root is the place that mount_root() will mount on. */
static int
find_root(struct restore *restore, struct err *err)
{
	const struct plan *p = restore->launch.plan;
	const struct plan_step *s = find_step(p, PLAN_ROOT_BIND, PLAN_ROOT_OVERLAY);
	const char *path;

	if (!s || (s->kind == PLAN_ROOT_BIND && s->u.root_bind.open_only))
		return 0;
	path = plan_text(p, s->kind == PLAN_ROOT_BIND ? s->u.root_bind.path : s->u.root_overlay.target);
	if (!path)
		return err_plain(err, "root.path: restore needs this directory to mount the root file system on");
	restore->root = realpath(path, NULL);
	return restore->root ? 0 : err_set(err, errno, "root.path: '%s'", path);
}

static void
put_cgroup(const struct launch *launch, struct protobuf *options)
{
	enum { CONTROLLER = 1, PATH = 2 };
	struct protobuf m = { .arena = options->arena };

	if (!launch->cgroup.path)
		return;
	/* cgroup2 has no name. */
	protobuf_put_string(&m, CONTROLLER, "");
	protobuf_put_string(&m, PATH, launch->cgroup.path);
	protobuf_put_message(options, CRIU_OPT_CG_ROOT, &m);
}

static int
make_options(struct restore *restore, struct err *err, struct protobuf *options)
{
	const struct launch *l = &restore->launch;
	const char *notify_dir = notify_socket_dir(options->arena, l->dir.path);
	int ret = criu_options_put(restore->options, &restore->directories, &l->spec->annotations, LOG_FILE, err,
				   options);

	if (ret < 0)
		return ret;
	protobuf_put_number(options, CRIU_OPT_EVASIVE_DEVICES, true);
	protobuf_put_number(options, CRIU_OPT_RST_SIBLING, true);
	protobuf_put_string(options, CRIU_OPT_ROOT, restore->root);
	protobuf_put_string(options, CRIU_OPT_LSM_PROFILE, restore->options->lsm_profile);
	protobuf_put_string(options, CRIU_OPT_LSM_MOUNT_CONTEXT, restore->options->lsm_mount_context);
	put_cgroup(l, options);
	ret = criu_mounts_restore(options->arena, l->spec, l->bundle, &l->cgroup, notify_dir, err, options);
	if (ret == 0)
		ret = criu_stdio_restore(restore->directories.image_fd, l->spec, err, options);
	if (ret == 0)
		ret = criu_namespaces_restore(l->spec, err, options, &restore->namespaces);
	return ret;
}

static int
call_criu(struct restore *restore, struct err *err)
{
	struct launch *l = &restore->launch;
	struct protobuf options = { .arena = l->env->arena };
	struct criu_call call = {
		.arena = l->env->arena,
		.program = restore->program,
		.type = CRIU_RESTORE,
		.options = &options,
		.log_dir = restore->directories.work,
		.log_file = LOG_FILE,
		.data = restore,
		.prepare = prepare_criu,
		.notify = notify,
	};
	int inherit[NS_COUNT + 2] = { restore->directories.image_fd, restore->directories.work_fd };
	pid_t pid;
	int ret = make_options(restore, err, &options);

	memcpy(inherit + 2, restore->namespaces.fds, restore->namespaces.n * sizeof(*inherit));
	call.inherit = inherit;
	call.n_inherit = restore->namespaces.n + 2;
	if (ret == 0)
		ret = criu_call(&call, err, &pid);
	criu_namespaces_close(&restore->namespaces);
	if (ret < 0)
		err_wrap(err, "restore container \"%s\"", l->options->id);
	else if (pid <= 0)
		ret = err_plain(err, "criu restored the container and reported no process");
	else if (pid != l->stage.pid)
		ret = err_plain(err, "criu restored process %d and reported process %d", (int)pid, (int)l->stage.pid);
	return ret;
}

/* ---- all ------------------------------------------------------------- */

static int
check_image(const struct restore *restore, struct err *err)
{
	if (faccessat(restore->directories.image_fd, "inventory.img", F_OK, 0) < 0)
		return err_set(err, errno, "there is no checkpoint in the image path '%s': inventory.img",
			       restore->directories.image);
	return 0;
}

/* A container without a cgroup of its own: CRIU would make that of the image. The
 * contents of its network namespace may have been left out at checkpoint. */
static void
choose_options(struct restore *restore)
{
	struct container_criu_options *o = &restore->own_options;

	*o = *restore->options;
	if (!restore->launch.cgroup.path && !o->manage_cgroups_mode)
		o->manage_cgroups_mode = "ignore";
	if (!o->empty_ns && criu_net_is_own(restore->launch.spec) &&
	    criu_net_is_left_out(restore->directories.image_fd))
		o->empty_ns = "network";
	restore->options = o;
}

static int
make_scope(struct restore *restore, struct err *err)
{
	int ret = scope_holder_start(&restore->holder, err);

	return ret < 0 ? ret : launch_make_scope(&restore->launch, restore->holder.pid, err);
}

static int
restore(struct restore *restore, struct err *err)
{
	struct launch *l = &restore->launch;
	int ret = check_image(restore, err);

	if (ret == 0)
		ret = find_root(restore, err);
	if (ret < 0)
		return ret;
	choose_options(restore);
	ret = launch_make_state_and_cgroup(l, err);
	if (ret == 0 && !l->notify_host)
		ret = notify_socket_make_dir(l->dir.fd, err);
	if (ret == 0)
		ret = resctrl_use_make(&l->resctrl, l->spec, err);
	if (ret == 0 && cgroup_is_systemd(&l->cgroup))
		ret = make_scope(restore, err);
	if (ret == 0)
		ret = call_criu(restore, err);
	scope_holder_end(&restore->holder);
	return ret < 0 ? ret : launch_write_pid_file(l, err);
}

static int
prepare(struct restore *restore, const struct container_env *env, const struct container_create_options *options,
	struct err *err)
{
	int ret = launch_prepare(&restore->launch, env, options, LAUNCH_RESTORE, /* host= */ NULL, err);

	if (ret == 0)
		ret = criu_find(env->arena, err, &restore->program);
	return ret < 0 ? ret
		       : criu_directories_open(restore->options, /* make= */ false, env->arena, err,
					       &restore->directories);
}

int
container_restore(const struct container_env *env, const struct container_create_options *options,
		  const struct container_criu_options *criu, struct err *err, int *ret_exit)
{
	struct restore r = { .options = criu, .directories = { .image_fd = -1, .work_fd = -1 } };
	sigset_t old;
	int ret;

	*ret_exit = 0;
	ret = criu_check_user("restore", err);
	if (ret < 0)
		return ret;
	if (!options->detach)
		tty_block_signals(&old);
	ret = prepare(&r, env, options, err);
	if (ret == 0)
		ret = restore(&r, err);
	criu_directories_close(&r.directories);
	if (ret < 0)
		launch_undo(&r.launch);
	else if (!options->detach) {
		tty_copy_size(r.launch.console_master);
		ret = launch_foreground(&r.launch, err, ret_exit);
	} else
		ret = launch_detach(&r.launch, err);
	launch_close(&r.launch);
	free(r.root);
	return ret;
}
