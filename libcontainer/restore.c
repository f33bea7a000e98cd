/* Theory of operation: see container_restore() in container.h. Restore is a run
 * whose init CRIU makes: the bundle is loaded, checked and compiled as for run, and
 * state folder and cgroup are the same; of the plan only the steps are executed that
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
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/credentials.h"
#include "libcontainer/criu_mounts.h"
#include "libcontainer/criu_namespaces.h"
#include "libcontainer/criu_net.h"
#include "libcontainer/criu_options.h"
#include "libcontainer/criu_rpc.h"
#include "libcontainer/criu_stdio.h"
#include "libcontainer/launch.h"
#include "libcontainer/resctrl_use.h"
#include "libcontainer/scope_holder.h"
#include "libcontainer/tty.h"
#include "namespaces/mount_api.h"
#include "namespaces/mount_sources.h"
#include "namespaces/rootfs.h"

#define LOG_FILE "restore.log"

struct restore {
	struct launch launch;
	const struct container_criu_options *options;
	struct container_criu_options own_options; /* what options points at, from choose_options() on */
	struct criu_folders folders;
	struct criu_namespaces namespaces;
	struct scope_holder holder;
	char *root; /* where CRIU finds the root file system */
};

static const struct plan_step *
find_step(const struct plan *p, enum plan_kind a, enum plan_kind b)
{
	for (uint32_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == a || p->steps[i].kind == b)
			return &p->steps[i];
	return NULL;
}

/* ---- in CRIU's process ----------------------------------------------- */

static int
mount_root(const struct restore *r, struct plan_ctx *c, struct err *err)
{
	const struct plan_step *s = find_step(c->plan, PLAN_ROOT_BIND, PLAN_ROOT_OVERLAY);
	int ret;

	if (unshare(CLONE_NEWNS) < 0)
		return err_set(err, errno, "make a mount namespace");
	ret = mount_classic(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
	if (ret < 0)
		return err_set(err, -ret, "set the propagation of '/'");
	ret = criu_folders_reopen(&r->folders, err);
	if (ret < 0)
		return ret;
	ret = mount_sources_open(c->plan, c->fds, err);
	if (ret < 0)
		return ret;
	ret = s->kind == PLAN_ROOT_BIND ? rootfs_run_root_bind(c, s) : rootfs_run_root_overlay(c, s);
	if (ret < 0)
		return ret;
	return criu_mounts_make_points(r->launch.env->arena, r->launch.spec, c->fds[PLAN_FD_ROOT], err);
}

/* What is restored inherits the session keyring of CRIU, which must not be that
 * of the caller. */
static void
join_keyring(struct plan_ctx *c)
{
	const struct plan_step *s = find_step(c->plan, PLAN_JOIN_KEYRING, PLAN_JOIN_KEYRING);

	if (s)
		credentials_run_keyring(c, s);
	err_clear(c->err);
}

static int
prepare_criu(void *data, struct err *err)
{
	static struct plan_ctx ctx; /* too large for the stack */
	const struct restore *r = data;

	ctx = (struct plan_ctx){ .plan = r->launch.plan, .err = err };
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		ctx.fds[i] = -1;
	join_keyring(&ctx);
	return r->root ? mount_root(r, &ctx, err) : 0;
}

/* ---- CRIU's reports -------------------------------------------------- */

/* --manage-cgroups-mode ignore: CRIU leaves its processes where they are. Else it moves
 * the first of them after this report, which is too late for a scope that exists
 * only around a process. */
static int
enter_cgroup(const struct launch *l, pid_t pid, struct err *err)
{
	char text[16];
	int r;

	if (!l->has_cgroup)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)pid);
	r = fd_write_file_at(l->cgroup.fd, "cgroup.procs", text);
	return r < 0 ? err_set(err, -r, "move process %d to the cgroup '%s'", (int)pid, l->cgroup.path) : 0;
}

static bool
ignores_cgroups(const struct restore *r)
{
	return r->options->manage_cgroups_mode && !strcmp(r->options->manage_cgroups_mode, "ignore");
}

static int
on_namespaces(struct restore *r, struct err *err)
{
	struct launch *l = &r->launch;
	int ret = ignores_cgroups(r) || l->cgroup.unit ? enter_cgroup(l, l->stage.pid, err) : 0;

	/* Before the others are made: a limit of tasks is theirs. */
	scope_holder_end(&r->holder);
	if (ret == 0 && l->resctrl.group)
		ret = resctrl_join(&l->resctrl, l->stage.pid, err);
	if (ret == 0 && r->options->empty_ns && criu_net_is_own(l->spec))
		ret = criu_net_loopback_up(l->stage.pidfd, err);
	return ret < 0 ? ret : launch_run_create_hooks(l, err);
}

static int
on_restored(struct launch *l, struct err *err)
{
	int r = launch_save_pid(l, err);

	return r < 0 ? r : launch_send_pidfd(l, err);
}

static int
notify(void *data, const char *event, pid_t pid, int *fd, struct err *err)
{
	struct restore *r = data;
	struct launch *l = &r->launch;

	if (pid > 0 && l->stage.pid == 0) {
		l->stage.pid = pid;
		l->stage.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
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
find_root(struct restore *r, struct err *err)
{
	const struct plan *p = r->launch.plan;
	const struct plan_step *s = find_step(p, PLAN_ROOT_BIND, PLAN_ROOT_OVERLAY);
	const char *path;

	if (!s || (s->kind == PLAN_ROOT_BIND && s->u.root_bind.open_only))
		return 0;
	path = plan_text(p, s->kind == PLAN_ROOT_BIND ? s->u.root_bind.path : s->u.root_overlay.target);
	if (!path)
		return err_plain(err, "root.path: restore needs this folder to mount the root file system on");
	r->root = realpath(path, NULL);
	return r->root ? 0 : err_set(err, errno, "root.path: '%s'", path);
}

static void
put_cgroup(const struct launch *l, struct protobuf *options)
{
	enum { CONTROLLER = 1, PATH = 2 };
	struct protobuf m = { .arena = options->arena };

	if (!l->cgroup.path)
		return;
	/* cgroup2 has no name. */
	protobuf_put_string(&m, CONTROLLER, "");
	protobuf_put_string(&m, PATH, l->cgroup.path);
	protobuf_put_message(options, CRIU_OPT_CG_ROOT, &m);
}

static int
make_options(struct restore *r, struct err *err, struct protobuf *options)
{
	const struct launch *l = &r->launch;
	const char *notify_dir = notify_socket_dir(options->arena, l->dir.path);
	int ret = criu_options_put(r->options, &r->folders, &l->spec->annotations, LOG_FILE, err, options);

	if (ret < 0)
		return ret;
	protobuf_put_number(options, CRIU_OPT_EVASIVE_DEVICES, true);
	protobuf_put_number(options, CRIU_OPT_RST_SIBLING, true);
	protobuf_put_string(options, CRIU_OPT_ROOT, r->root);
	protobuf_put_string(options, CRIU_OPT_LSM_PROFILE, r->options->lsm_profile);
	protobuf_put_string(options, CRIU_OPT_LSM_MOUNT_CONTEXT, r->options->lsm_mount_context);
	put_cgroup(l, options);
	ret = criu_mounts_restore(options->arena, l->spec, l->bundle, &l->cgroup, notify_dir, err, options);
	if (ret == 0)
		ret = criu_stdio_restore(r->folders.image_fd, l->spec, err, options);
	if (ret == 0)
		ret = criu_namespaces_restore(l->spec, err, options, &r->namespaces);
	return ret;
}

static int
call_criu(struct restore *r, struct err *err)
{
	struct launch *l = &r->launch;
	struct protobuf options = { .arena = l->env->arena };
	struct criu_call call = {
		.arena = l->env->arena,
		.type = CRIU_RESTORE,
		.options = &options,
		.log_dir = r->folders.work,
		.log_file = LOG_FILE,
		.data = r,
		.prepare = prepare_criu,
		.notify = notify,
	};
	int inherit[SPEC_NS_COUNT + 2] = { r->folders.image_fd, r->folders.work_fd };
	pid_t pid;
	int ret = make_options(r, err, &options);

	memcpy(inherit + 2, r->namespaces.fds, r->namespaces.n * sizeof(*inherit));
	call.inherit = inherit;
	call.n_inherit = r->namespaces.n + 2;
	if (ret == 0)
		ret = criu_call(&call, err, &pid);
	criu_namespaces_close(&r->namespaces);
	if (ret < 0)
		err_wrap(err, "restore container \"%s\"", l->options->id);
	else if (pid != l->stage.pid)
		ret = err_plain(err, "criu restored process %d and reported process %d", (int)pid, (int)l->stage.pid);
	return ret;
}

/* ---- all ------------------------------------------------------------- */

static int
check_image(const struct restore *r, struct err *err)
{
	if (faccessat(r->folders.image_fd, "inventory.img", F_OK, 0) < 0)
		return err_set(err, errno, "there is no checkpoint in the image path '%s': inventory.img",
			       r->folders.image);
	return 0;
}

/* A container without a cgroup of its own: CRIU would make that of the image. The
 * contents of its network namespace may have been left out at checkpoint. */
static void
choose_options(struct restore *r)
{
	struct container_criu_options *o = &r->own_options;

	*o = *r->options;
	if (!r->launch.cgroup.path && !o->manage_cgroups_mode)
		o->manage_cgroups_mode = "ignore";
	if (!o->empty_ns && criu_net_is_own(r->launch.spec) && criu_net_is_left_out(r->folders.image_fd))
		o->empty_ns = "network";
	r->options = o;
}

static int
make_scope(struct restore *r, struct err *err)
{
	int ret = scope_holder_start(&r->holder, err);

	return ret < 0 ? ret : launch_make_scope(&r->launch, r->holder.pid, err);
}

static int
restore(struct restore *r, struct err *err)
{
	struct launch *l = &r->launch;
	int ret = check_image(r, err);

	if (ret == 0)
		ret = find_root(r, err);
	if (ret < 0)
		return ret;
	choose_options(r);
	ret = launch_make_places(l, err);
	if (ret == 0 && !l->notify_host)
		ret = notify_socket_make_dir(l->dir.fd, err);
	if (ret == 0)
		ret = resctrl_use_make(&l->resctrl, l->spec, err);
	if (ret == 0 && l->cgroup.unit)
		ret = make_scope(r, err);
	if (ret == 0)
		ret = call_criu(r, err);
	scope_holder_end(&r->holder);
	return ret < 0 ? ret : launch_write_pid_file(l, err);
}

static int
prepare(struct restore *r, const struct container_env *env, const struct container_create_options *o, struct err *err)
{
	int ret = launch_prepare(&r->launch, env, o, LAUNCH_RESTORE, /* host= */ NULL, err);

	if (ret == 0)
		ret = criu_check_installed(env->arena, err);
	return ret < 0 ? ret : criu_folders_open(r->options, /* make= */ false, env->arena, err, &r->folders);
}

int
container_restore(const struct container_env *env, const struct container_create_options *o,
		  const struct container_criu_options *criu, struct err *err, int *ret_exit)
{
	struct restore r = { .options = criu, .folders = { .image_fd = -1, .work_fd = -1 } };
	sigset_t old;
	int ret;

	*ret_exit = 0;
	ret = criu_check_user("restore", err);
	if (ret < 0)
		return ret;
	if (!o->detach)
		tty_block_signals(&old);
	ret = prepare(&r, env, o, err);
	if (ret == 0)
		ret = restore(&r, err);
	criu_folders_close(&r.folders);
	if (ret < 0)
		launch_undo(&r.launch);
	else if (!o->detach) {
		tty_copy_size(r.launch.console_master);
		ret = launch_stay(&r.launch, err, ret_exit);
	} else
		launch_detach(&r.launch);
	launch_close(&r.launch);
	free(r.root);
	return ret;
}
