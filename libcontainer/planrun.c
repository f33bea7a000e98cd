/* Theory of operation: see planrun.h and base/plan.h. The table below is the
 * only place that knows which function executes which kind of step. */
#include "libcontainer/planrun.h"

#include <errno.h>
#include <string.h>

#include "libcontainer/credentials.h"
#include "libcontainer/hooks.h"
#include "libcontainer/program.h"
#include "libcontainer/tty.h"
#include "namespaces/net.h"
#include "namespaces/rootfs.h"
#include "namespaces/uts.h"

typedef int step_fn(struct plan_ctx *c, const struct plan_step *s);

static int
run_ask_hooks(struct plan_ctx *c, const struct plan_step *s)
{
	(void)s;
	return stage_ask(c, STAGE_HOOKS, 0, -1, STAGE_HOOKS_DONE);
}

static step_fn *const runners[PLAN_KIND_COUNT] = {
	[PLAN_JOIN_KEYRING] = credentials_run_keyring,
	[PLAN_LOOPBACK_UP] = net_run_loopback_up,
	[PLAN_SET_UTS_NAME] = uts_run_set_name,
	[PLAN_SET_PROPAGATION] = rootfs_run_propagation,
	[PLAN_ROOT_BIND] = rootfs_run_root_bind,
	[PLAN_ROOT_OVERLAY] = rootfs_run_root_overlay,
	[PLAN_MOUNT_FS] = rootfs_run_mount_fs,
	[PLAN_MOUNT_BIND] = rootfs_run_mount_bind,
	[PLAN_REMOUNT] = rootfs_run_remount,
	[PLAN_MAKE_DIR] = rootfs_run_make_dir,
	[PLAN_MAKE_DEVICE] = rootfs_run_make_device,
	[PLAN_BIND_DEVICE] = rootfs_run_bind_device,
	[PLAN_MAKE_SYMLINK] = rootfs_run_make_symlink,
	[PLAN_OPEN_CONSOLE] = tty_run_open_console,
	[PLAN_ASK_HOOKS] = run_ask_hooks,
	[PLAN_RUN_HOOK] = hooks_run_step,
	[PLAN_UNMOUNT] = rootfs_run_unmount,
	[PLAN_MASK_PATH] = rootfs_run_mask_path,
	[PLAN_READONLY_PATH] = rootfs_run_readonly_path,
	[PLAN_ROOT_READONLY] = rootfs_run_root_readonly,
	[PLAN_PIVOT_ROOT] = rootfs_run_pivot_root,
	[PLAN_CLOSE_FDS] = program_run_close_fds,
	[PLAN_WRITE_SYSCTL] = rootfs_run_write_sysctl,
	[PLAN_SET_RLIMIT] = credentials_run_rlimit,
	[PLAN_SET_OOM_SCORE] = credentials_run_oom_score,
	[PLAN_SET_SCHEDULER] = credentials_run_scheduler,
	[PLAN_SET_AFFINITY] = credentials_run_affinity,
	[PLAN_SET_IO_PRIORITY] = credentials_run_io_priority,
	[PLAN_SET_PERSONALITY] = credentials_run_personality,
	[PLAN_SET_MEMORY_POLICY] = credentials_run_memory_policy,
	[PLAN_SET_LABEL] = credentials_run_label,
	[PLAN_SET_IDS] = credentials_run_ids,
	[PLAN_CHANGE_DIR] = credentials_run_change_dir,
	[PLAN_SET_CAPABILITIES] = credentials_run_capabilities,
	[PLAN_FIND_PROGRAM] = program_run_find,
	[PLAN_NO_NEW_PRIVILEGES] = credentials_run_no_new_privileges,
	[PLAN_WAIT_START] = program_run_wait_start,
	[PLAN_PREPARE_EXEC] = program_run_prepare_exec,
	[PLAN_LOAD_SECCOMP] = program_run_seccomp,
	[PLAN_EXEC] = program_run_exec,
};

static int
run_step(struct plan_ctx *c, const struct plan_step *s)
{
	step_fn *run = s->kind < PLAN_KIND_COUNT ? runners[s->kind] : NULL;
	int r;

	if (!run)
		return err_plain(c->err, "the plan holds a step of unknown kind %u", s->kind);
	r = run(c, s);
	if (r < 0 && s->on_error != PLAN_FAIL && (plan_errno_bit(-r) & s->errnos)) {
		err_clear(c->err);
		return s->on_error == PLAN_SKIP ? 0 : run_step(c, &c->plan->steps[s->alt]);
	}
	return r;
}

/* "mounts[3]: mount 'proc' on '/proc'", without repeating a prefix that the
 * leaf put there itself. */
static void
name_the_step(struct plan_ctx *c, uint32_t i)
{
	const char *what = plan_text(c->plan, c->plan->steps[i].what);

	if (what && what[0] && strncmp(c->err->msg, what, strlen(what)) != 0)
		err_wrap(c->err, "%s", what);
	c->err->step = (uint16_t)i;
}

static int
run_steps(struct plan_ctx *c, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++) {
		int r = run_step(c, &c->plan->steps[i]);

		if (r < 0) {
			name_the_step(c, i);
			return r;
		}
	}
	return 0;
}

int
plan_run_outside(struct plan_ctx *c)
{
	return run_steps(c, 0, c->plan->stage.n_outside);
}

int
plan_run_all(struct plan_ctx *c)
{
	return run_steps(c, 0, c->plan->n_steps);
}

int
plan_run(struct plan_ctx *c, struct stage_status *status)
{
	int r;

	c->status = status;
	r = run_steps(c, c->plan->stage.n_outside, c->plan->n_steps);
	if (r < 0) {
		status->hook_failed = c->plan->steps[c->err->step].kind == PLAN_RUN_HOOK;
		return r;
	}
	return err_plain(c->err, "process: the config has none, so there is no program to start");
}

static const struct {
	uint8_t kind;
	int code;
	const char *hint;
} hints[] = {
	{ PLAN_MOUNT_FS, ENODEV, "the kernel lacks this file system, or its module is not loaded" },
	{ PLAN_MOUNT_FS, EPERM,
	  "in a user namespace only proc, sysfs, tmpfs, devpts, mqueue, cgroup2 and overlay can be mounted" },
	{ PLAN_ROOT_OVERLAY, ENODEV, "the kernel lacks overlayfs, or its module is not loaded" },
	{ PLAN_ROOT_OVERLAY, EPERM, "overlayfs in a user namespace needs Linux 5.11" },
	{ PLAN_SET_RLIMIT, EPERM, "raising a hard limit needs CAP_SYS_RESOURCE" },
	{ PLAN_SET_OOM_SCORE, EACCES, "lowering it needs CAP_SYS_RESOURCE" },
	{ PLAN_LOAD_SECCOMP, EINVAL, "the kernel lacks a seccomp flag of the profile, or seccomp itself" },
	{ PLAN_LOAD_SECCOMP, EBUSY, "a seccomp listener exists already for this process" },
	{ PLAN_WRITE_SYSCTL, ENOENT, "the kernel has no such sysctl in this namespace" },
	{ PLAN_WRITE_SYSCTL, EACCES, "this sysctl is not of the container's namespaces" },
	{ PLAN_WRITE_SYSCTL, EROFS, "this sysctl is not of the container's namespaces" },
	{ PLAN_SET_UTS_NAME, EPERM, "it needs a uts namespace of its own" },
	{ PLAN_EXEC, ENOEXEC, "not a program for this machine, or a script without #!" },
	{ PLAN_EXEC, ENOENT, "the program is there; its interpreter or dynamic loader is not" },
};

const char *
plan_hint(const struct plan *p, const struct err *e)
{
	if (e->step >= p->n_steps)
		return NULL;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].kind == p->steps[e->step].kind && hints[i].code == e->code)
			return hints[i].hint;
	return NULL;
}
