/* The runtime's half of the stage: making the init, what only the runtime can do for
 * it (id maps, network devices), and ending it. Theory of operation: stage.h. The init's
 * half is stage_child.c; the clone itself, stage_clone.c; what the two say to each
 * other, stage_channel.c. */
#include "libcontainer/stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/signals.h"
#include "cgroups/resctrl.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/process/exe_guard_maps.h"
#include "libcontainer/process/home.h"
#include "libcontainer/process/stdio.h"
#include "libcontainer/stage/stage_channel.h"
#include "libcontainer/stage/stage_child.h"
#include "libcontainer/stage/stage_clone.h"
#include "libcontainer/stage/stage_error.h"
#include "libcontainer/stage/stage_last.h"
#include "namespaces/mount/mount_sources.h"
#include "namespaces/net/net_devices.h"
#include "namespaces/user/idmap.h"

/* ---- spawn ----------------------------------------------------------- */

/* What the plan will ask for; everything else is refused. */
static uint32_t
expected_messages(const struct plan *plan)
{
	uint32_t set = 0;

	for (uint32_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *s = &plan->steps[i];

		if (s->kind == PLAN_ASK_HOOKS)
			set |= 1u << STAGE_HOOKS;
		if (s->kind == PLAN_OPEN_CONSOLE)
			set |= 1u << STAGE_CONSOLE;
		if (s->kind == PLAN_WAIT_START)
			set |= 1u << STAGE_READY;
		if (s->kind == PLAN_LOAD_SECCOMP && s->u.seccomp.notify && !plan->spawn.is_create)
			set |= 1u << STAGE_LISTENER;
	}
	if (plan->spawn.enters_pidns_last && (plan->spawn.clone_flags & CLONE_NEWUSER))
		set |= 1u << STAGE_NAMESPACES;
	if (plan->spawn.enters_pidns_last && plan->spawn.has_cgroup)
		set |= 1u << STAGE_LEAVE;
	return set;
}

static int
write_oom_score(const struct plan *plan, pid_t pid, struct err *err)
{
	char path[64], text[16];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	snprintf(text, sizeof(text), "%d", plan->spawn.oom_score);
	r = fd_write_file_at(AT_FDCWD, path, text);
	if (r < 0)
		return err_set(err, -r, "process.oomScoreAdj: write %s to %s", text, path);
	return 0;
}

/* knarr:[join] makes its user namespace itself, when it has joined what takes the runtime's
 * privileges. */
static int
await_namespaces(struct stage *stage, const struct plan *plan, struct err *err)
{
	enum stage_message message;
	auto_close int fd = -1;
	int r = stage_next(stage, plan, err, &message, &fd);

	if (r == 0 && message == STAGE_BORN)
		return stage_error_killed(plan, err);
	return r < 0 || message == STAGE_NAMESPACES
		       ? r
		       : err_plain(err, "the process that joins namespaces sent an unexpected message");
}

/* What only the runtime can do for the init, which waits for MAPPED meanwhile. */
static int
prepare_init(struct stage *stage, const struct plan *plan, const struct stage_options *options, bool is_held,
	     struct err *err)
{
	int r = stage->expected & (1u << STAGE_NAMESPACES) ? await_namespaces(stage, plan, err) : 0;

	if (r == 0 && plan->spawn.map_how != PLAN_MAP_NONE)
		r = idmap_write(plan, stage->pid, err);
	if (r == 0 && plan->spawn.has_oom_score)
		r = write_oom_score(plan, stage->pid, err);
	if (r == 0 && plan->spawn.resctrl)
		r = resctrl_join(options->resctrl, stage->pid, err);
	if (r == 0 && plan->spawn.net_devices.n)
		r = net_devices_move(plan, stage->pid, err, &stage->net_devices);
	if (r == 0 && !plan->spawn.enters)
		r = stdio_give(plan, stage->pid, err);
	if (r == 0 && stage_child_waits(plan))
		credentials_raise_limits(plan, stage->pid);
	if (r == 0 && (stage_child_waits(plan) || is_held) && !options->hold)
		r = stage_continue(stage, err);
	return r;
}

int
stage_continue(struct stage *stage, struct err *err)
{
	return stage_reply(stage, STAGE_MAPPED, err);
}

/* Strings of the longest list of arguments or variables, of the program or a hook. */
static size_t
longest_vector(const struct plan *plan)
{
	size_t n = 0;

	for (uint32_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *s = &plan->steps[i];
		const struct plan_strv none = { 0 };
		const struct plan_strv *args = &none, *env = &none;

		if (s->kind == PLAN_PREPARE_EXEC) {
			args = &s->u.exec.args;
			env = &s->u.exec.env;
		} else if (s->kind == PLAN_RUN_HOOK) {
			args = &s->u.hook.args;
			env = &s->u.hook.env;
		}
		n = args->n > n ? args->n : n;
		n = env->n > n ? env->n : n;
	}
	return n;
}

static bool
wants_listen_pid(const struct plan *plan)
{
	const struct plan_step *step = plan_find(plan, PLAN_PREPARE_EXEC, 0);

	return step && step->u.exec.listen_pid;
}

/* "LISTEN_PID=" and room for the number; the pointer is to where that goes. */
static int
make_listen_pid(struct plan_ctx *c)
{
	static const char name[] = "LISTEN_PID=";
	char *text = malloc(sizeof(name) + 24);

	if (!text)
		return -ENOMEM;
	memcpy(text, name, sizeof(name));
	c->listen_pid = text + sizeof(name) - 1;
	return 0;
}

/* Room for the pointers of argv and envp of the program, which has up to three variables of
 * the runtime's, and for those of hooks, and for HOME and LISTEN_PID: the init allocates
 * nothing. */
static int
make_room(const struct plan *plan, struct plan_ctx *c, struct err *err)
{
	bool finds_home = plan_find(plan, PLAN_FIND_HOME, 0) != NULL,
	     has_hooks = plan_find(plan, PLAN_RUN_HOOK, 0) != NULL;
	size_t n = longest_vector(plan) + 4;

	c->argv = calloc((has_hooks ? 4 : 2) * n, sizeof(*c->argv));
	c->home = finds_home ? malloc(HOME_MAX) : NULL;
	if (!c->argv || (finds_home && !c->home) || (wants_listen_pid(plan) && make_listen_pid(c) < 0))
		return err_set(err, ENOMEM, "make room for arguments and environment");
	c->envp = c->argv + n;
	c->hook_argv = has_hooks ? c->argv + 2 * n : NULL;
	c->hook_envp = has_hooks ? c->argv + 3 * n : NULL;
	c->max_vector = n;
	return 0;
}

/* What the last steps unmap: where others can see them. */
static int
find_files(const struct plan *plan, const struct stage *stage, struct plan_ctx *c, struct err *err)
{
	struct exe_range *files;
	int n;

	if (!stage_last_is_watched(plan))
		return 0;
	files = calloc(EXE_FILES_MAX, sizeof(*files));
	if (!files)
		return err_set(err, ENOMEM, "make room for the list of mapped files");
	c->files = files;
	n = exe_guard_find_files(stage->status, files, err);
	if (n < 0)
		return n;
	c->n_files = (size_t)n;
	return 0;
}

static void
free_room(struct plan_ctx *c)
{
	free((void *)c->argv);
	free(c->home);
	free(c->listen_pid ? c->listen_pid - strlen("LISTEN_PID=") : NULL);
	free((void *)c->files);
}

static void
fill_slots(const struct plan *plan, const struct stage_options *options, int channel, const struct stage *stage,
	   struct plan_ctx *c)
{
	c->status = stage->status;
	c->fds[PLAN_FD_CHANNEL] = channel;
	c->fds[PLAN_FD_START] = options->start_fd;
	c->fds[PLAN_FD_STATUS] = stage->status_fd;
	c->fds[PLAN_FD_HOOK_STDOUT] = options->hook_stdout > 0 ? options->hook_stdout : -1;
	c->fds[PLAN_FD_HOOK_STDERR] = options->hook_stderr > 0 ? options->hook_stderr : -1;
	if (plan->spawn.enters) {
		c->fds[PLAN_FD_INIT] = options->init_pidfd;
		c->fds[PLAN_FD_ROOT] = options->root_fd;
	}
}

/* All that the init is born with. */
static int
prepare_context(const struct plan *plan, const struct stage_options *options, struct err *err, struct stage *stage,
		struct plan_ctx *c)
{
	int pair[2], r;

	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		c->fds[i] = -1;
	stage_init(stage);
	stage->expected = expected_messages(plan);
	stage->cgroup_fd = options->cgroup_fd;
	stage->resctrl = options->resctrl;
	c->ignored_signals = signals_ignored();
	if ((r = make_room(plan, c, err)) < 0)
		return r;
	if ((r = stage_map_status(stage, plan->spawn.is_create, err)) < 0)
		return r;
	if ((r = find_files(plan, stage, c, err)) < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make the channel to the container's init");
	stage->channel = pair[0];
	fill_slots(plan, options, pair[1], stage, c);
	return mount_sources_open(plan, c->fds, err);
}

int
stage_spawn(const struct plan *plan, const struct stage_options *options, struct err *err, struct stage *ret_stage)
{
	struct err of_child;
	struct plan_ctx ctx = { .plan = plan, .err = &of_child };
	struct stage g;
	bool is_held = false;
	int r;

	err_clear(&of_child);
	r = prepare_context(plan, options, err, &g, &ctx);
	if (r == 0)
		r = stage_clone(&g, plan, options, &ctx, err, &is_held);
	fd_close(ctx.fds[PLAN_FD_CHANNEL]);
	free_room(&ctx);
	mount_sources_close(plan, ctx.fds);
	if (r == 0)
		r = prepare_init(&g, plan, options, is_held, err);
	if (r < 0) {
		stage_kill(&g);
		stage_close(&g);
		return r;
	}
	*ret_stage = g;
	return 0;
}

/* ---- the end ---------------------------------------------------------- */

void
stage_close(struct stage *stage)
{
	stage->pidfd = fd_close(stage->pidfd);
	stage->channel = fd_close(stage->channel);
	stage->status_fd = fd_close(stage->status_fd);
	if (stage->status)
		munmap(stage->status, sizeof(*stage->status));
	stage->status = NULL;
	stage_forget_devices(stage);
}

void
stage_forget_devices(struct stage *stage)
{
	net_devices_free(stage->net_devices);
	stage->net_devices = NULL;
}

static void
kill_child(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void
stage_kill(struct stage *stage)
{
	net_devices_undo(stage->net_devices);
	kill_child(stage->pid);
	/* What it made meanwhile. */
	if (stage->is_joining && stage->status)
		kill_child(stage->status->init_pid);
	stage->is_joining = false;
	stage->pid = 0;
}
