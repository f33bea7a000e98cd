/* The table below is the only place that knows which function executes which kind of step;
 * those at the end, which have no function here, are run by stage_last.c. */
#include "libcontainer/stage/planrun.h"

#include <errno.h>
#include <string.h>

#include "base/phases.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/process/hooks.h"
#include "libcontainer/process/stdio.h"
#include "libcontainer/stage/program.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/tty.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/net/net.h"
#include "namespaces/uts.h"

typedef int step_fn(struct plan_ctx *c, const struct plan_step *step);

static int
run_ask_hooks(struct plan_ctx *c, const struct plan_step *step)
{
	(void)step;
	return stage_ask(c, STAGE_HOOKS, 0, -1, STAGE_HOOKS_DONE);
}

/* The change of ids takes the parent-death signal away. */
static int
run_ids(struct plan_ctx *c, const struct plan_step *step)
{
	int r = credentials_run_ids(c, step);

	return r < 0 ? r : stage_die_with_runtime(c);
}

static step_fn *const runners[PLAN_KIND_COUNT] = {
	[PLAN_JOIN_KEYRING] = credentials_run_keyring,
	[PLAN_LOOPBACK_UP] = net_run_loopback_up,
	[PLAN_SET_UTS_NAME] = uts_run_set_name,
	[PLAN_SET_PROPAGATION] = root_run_propagation,
	[PLAN_ROOT_BIND] = root_run_bind,
	[PLAN_ROOT_OVERLAY] = overlay_run_root,
	[PLAN_MOUNT_FS] = mount_run_fs,
	[PLAN_MOUNT_BIND] = mount_run_bind,
	[PLAN_REMOUNT] = mount_run_remount,
	[PLAN_MAKE_DIR] = device_run_make_dir,
	[PLAN_MAKE_DEVICE] = device_run_make,
	[PLAN_BIND_DEVICE] = device_run_bind,
	[PLAN_MAKE_SYMLINK] = device_run_make_symlink,
	[PLAN_OPEN_CONSOLE] = tty_run_open_console,
	[PLAN_ASK_HOOKS] = run_ask_hooks,
	[PLAN_RUN_HOOK] = hooks_run_step,
	[PLAN_UNMOUNT] = mount_run_unmount,
	[PLAN_MASK_PATH] = mask_run_path,
	[PLAN_READONLY_PATH] = mask_run_readonly_path,
	[PLAN_ROOT_READONLY] = root_run_readonly,
	[PLAN_PIVOT_ROOT] = root_run_pivot,
	[PLAN_CLOSE_FDS] = program_run_close_fds,
	[PLAN_WRITE_SYSCTL] = proc_run_write_sysctl,
	[PLAN_SET_RLIMIT] = attributes_run_rlimit,
	[PLAN_SET_OOM_SCORE] = attributes_run_oom_score,
	[PLAN_SET_SCHEDULER] = attributes_run_scheduler,
	[PLAN_SET_AFFINITY] = attributes_run_affinity,
	[PLAN_SET_IO_PRIORITY] = attributes_run_io_priority,
	[PLAN_SET_PERSONALITY] = attributes_run_personality,
	[PLAN_SET_MEMORY_POLICY] = attributes_run_memory_policy,
	[PLAN_SET_LABEL] = attributes_run_label,
	[PLAN_FIND_HOME] = program_run_find_home,
	[PLAN_GIVE_STDIO] = stdio_run_give,
	[PLAN_SET_IDS] = run_ids,
	[PLAN_CHANGE_DIR] = credentials_run_change_dir,
	[PLAN_SET_CAPABILITIES] = credentials_run_capabilities,
	[PLAN_FIND_PROGRAM] = program_run_find,
	[PLAN_NO_NEW_PRIVILEGES] = credentials_run_no_new_privileges,
	[PLAN_PREPARE_EXEC] = program_run_prepare_exec,
};

static int
run_step(struct plan_ctx *c, const struct plan_step *step)
{
	step_fn *run = step->kind < PLAN_KIND_COUNT ? runners[step->kind] : NULL;
	int r;

	if (!run)
		return err_plain(c->err, "the plan holds a step of unknown kind %u", step->kind);
	c->answered = false;
	r = run(c, step);
	if (r < 0 && c->answered && step->on_error != PLAN_FAIL && (plan_errno_bit(-r) & step->errnos)) {
		err_clear(c->err);
		return step->on_error == PLAN_SKIP ? 0 : run_step(c, &c->plan->steps[step->alt]);
	}
	return r;
}

/* The leaf named the property itself, or another one of the same object that it knows to be
 * the cause: "process.env: …" of a step that comes from process.args. */
static bool
names_property(const char *msg, const char *what)
{
	size_t object = strcspn(what, ".");

	return strncmp(msg, what, what[object] ? object + 1 : object) == 0;
}

void
planrun_name_step(struct plan_ctx *c, uint32_t index)
{
	const char *what = plan_text(c->plan, c->plan->steps[index].what);

	if (what && what[0] && !names_property(c->err->msg, what))
		err_wrap(c->err, "%s", what);
	c->err->step = (uint16_t)index;
}

static int
run_steps(struct plan_ctx *c, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++) {
		uint64_t began = phases_step_begin();
		int r = run_step(c, &c->plan->steps[i]);

		phases_step_end(i, began);
		if (r < 0) {
			planrun_name_step(c, i);
			return r;
		}
	}
	return 0;
}

int
planrun_outside(struct plan_ctx *c)
{
	return run_steps(c, 0, c->plan->spawn.n_outside);
}

int
planrun_all(struct plan_ctx *c)
{
	return run_steps(c, 0, c->plan->n_steps);
}

int
planrun_unseen(struct plan_ctx *c)
{
	int r = run_steps(c, c->plan->spawn.n_outside, c->plan->spawn.first_seen);

	if (r < 0)
		c->status->hook_failed = c->plan->steps[c->err->step].kind == PLAN_RUN_HOOK;
	return r;
}

int
planrun_hooks(struct plan_ctx *c)
{
	int r = 0;

	for (uint32_t i = c->plan->spawn.first_seen; r == 0 && i < c->plan->n_steps; i++)
		if (c->plan->steps[i].kind == PLAN_RUN_HOOK)
			r = run_steps(c, i, i + 1);
	c->status->hook_failed = r < 0;
	return r;
}

static const struct {
	uint8_t kind;
	int code; /* 0: any */
	const char *hint;
} hints[] = {
	/* A seccomp profile or security module around the runtime, or a quota of keys. */
	{ PLAN_JOIN_KEYRING, 0, "--no-new-keyring leaves the container in the caller's session keyring" },
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
	{ PLAN_EXEC, EACCES, "its interpreter (#!) or dynamic loader may not be executed" },
	{ PLAN_EXEC, ENOEXEC, "not a program for this machine, or a script without #!" },
	{ PLAN_EXEC, ENOENT, "the program is there; its interpreter or dynamic loader is not" },
};

const char *
planrun_hint(const struct plan *plan, const struct err *err)
{
	if (err->step >= plan->n_steps)
		return NULL;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].kind == plan->steps[err->step].kind && (hints[i].code == 0 || hints[i].code == err->code))
			return hints[i].hint;
	return NULL;
}
