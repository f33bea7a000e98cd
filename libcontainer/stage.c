/* The runtime's half of the stage: cloning the init, what only the runtime can do for
 * it (id maps, network devices), and ending it. Theory of operation: stage.h. The init's
 * half is stage_child.c; what the two say to each other, stage_channel.c. */
#include "libcontainer/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/resctrl.h"
#include "libcontainer/credentials.h"
#include "libcontainer/stage_channel.h"
#include "libcontainer/stage_child.h"
#include "namespaces/idmap.h"
#include "namespaces/mount_sources.h"
#include "namespaces/net_devices.h"

/* Pointers that argv or envp of the program and of hooks may have, NULL included. */
#define MAX_VECTOR 65536

/* ---- spawn ----------------------------------------------------------- */

/* What the plan will ask for; everything else is refused. */
static uint32_t
expected_messages(const struct plan *p)
{
	uint32_t set = 0;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];

		if (s->kind == PLAN_ASK_HOOKS)
			set |= 1u << STAGE_HOOKS;
		if (s->kind == PLAN_OPEN_CONSOLE)
			set |= 1u << STAGE_CONSOLE;
		if (s->kind == PLAN_WAIT_START)
			set |= 1u << STAGE_READY;
		if (s->kind == PLAN_LOAD_SECCOMP && s->u.seccomp.notify && !p->stage.is_create)
			set |= 1u << STAGE_LISTENER;
	}
	return set;
}

static int
write_oom_score(const struct plan *p, pid_t pid, struct err *err)
{
	char path[64], text[16];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	snprintf(text, sizeof(text), "%d", p->stage.oom_score);
	r = fd_write_file_at(AT_FDCWD, path, text);
	if (r < 0)
		return err_set(err, -r, "process.oomScoreAdj: write %s to %s", text, path);
	return 0;
}

/* What only the runtime can do for the init, which waits for MAPPED meanwhile. */
static int
prepare_init(struct stage *g, const struct plan *p, const struct stage_options *o, struct err *err)
{
	int r = 0;

	if (p->stage.map_how != PLAN_MAP_NONE)
		r = idmap_write(p, g->pid, err);
	if (r == 0 && p->stage.has_oom_score)
		r = write_oom_score(p, g->pid, err);
	if (r == 0 && p->stage.resctrl)
		r = resctrl_join(o->resctrl, g->pid, err);
	if (r == 0 && p->stage.net_devices.n)
		r = net_devices_move(p, g->pid, err, &g->net_devices);
	if (r == 0 && stage_child_waits(p))
		credentials_raise_limits(p, g->pid);
	if (r == 0 && stage_child_waits(p) && !o->hold)
		r = stage_release(g, err);
	return r;
}

int
stage_release(struct stage *g, struct err *err)
{
	return stage_reply(g, STAGE_MAPPED, err);
}

/* knarr:[join] ends as soon as it has cloned the init, and leaves its pid in the
 * status; its own failure lies there too. */
static int
collect_join(struct stage *g, pid_t join, struct err *err)
{
	int status;

	while (waitpid(join, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for the process that joins namespaces");
	if (g->status->err.msg[0]) {
		*err = g->status->err;
		return err->code ? -err->code : -EINVAL;
	}
	g->pid = g->status->init_pid;
	if (g->pid <= 0) {
		err_plain(err, "the process that joins namespaces ended with wait status %#x", (unsigned)status);
		return WIFSIGNALED(status) ? -ECHILD : -EINVAL;
	}
	g->pidfd = (int)syscall(SYS_pidfd_open, g->pid, 0);
	if (g->pidfd < 0)
		return err_set(err, errno, "open a pidfd of the container's init");
	return 0;
}

static int
clone_error(const struct plan *p, int code, struct err *err)
{
	const char *hint = "";

	if (p->stage.enters)
		return err_set(
			err, code, "make a process in the container's cgroup%s",
			code == EACCES && geteuid() != 0
				? " (hint: an ordinary user must call knarr from a cgroup that is delegated to him)"
				: "");
	if (code == ENOSPC || code == EUSERS)
		hint = " (a limit in /proc/sys/user/max_*_namespaces is reached)";
	else if (code == EPERM && (p->stage.clone_flags & CLONE_NEWUSER))
		hint = " (user namespaces are forbidden here: see /proc/sys/kernel/unprivileged_userns_clone, "
		       "/proc/sys/user/max_user_namespaces and AppArmor's restriction)";
	else if (code == EAGAIN)
		hint = " (a limit on processes is reached: RLIMIT_NPROC, or pids.max of a cgroup)";
	else if (code == EPERM)
		hint = " (new namespaces need root or a user namespace in linux.namespaces)";
	return err_set(err, code, "linux.namespaces: create the container's first process%s", hint);
}

static int
clone_child(struct stage *g, const struct plan *p, const struct stage_options *o, struct plan_ctx *c, struct err *err)
{
	bool joins = p->stage.n_joins > 0 || p->stage.enters;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&g->pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (!joins)
		args.flags |= stage_child_clone_flags(p);
	if (o->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)o->cgroup_fd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return clone_error(p, errno, err);
	if (pid == 0) {
		/* Before it is in a pid namespace where a container may look at it
		 * (CVE-2016-9962). */
		if (o->not_dumpable)
			prctl(PR_SET_DUMPABLE, 0);
		if (joins)
			stage_join(c, g->status);
		stage_child(c, g->status, o);
	}
	if (joins) {
		g->pidfd = fd_close(g->pidfd);
		return collect_join(g, pid, err);
	}
	g->pid = pid;
	return 0;
}

int
stage_spawn(const struct plan *p, const struct stage_options *o, struct err *err, struct stage *ret_stage)
{
	static struct plan_ctx ctx; /* 4 KiB of slots: too large for the stack, and one container per process */
	static const char *vectors[2][MAX_VECTOR];
	struct stage g;
	int pair[2] = { -1, -1 };
	int r;

	stage_init(&g);
	ctx = (struct plan_ctx){ .plan = p, .argv = vectors[0], .envp = vectors[1], .max_vector = MAX_VECTOR };
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		ctx.fds[i] = -1;

	r = stage_map_status(&g, p->stage.is_create, err);
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		r = err_set(err, errno, "make the channel to the container's init");
	if (r == 0)
		r = mount_sources_open(p, ctx.fds, err);
	if (r == 0) {
		g.channel = pair[0];
		ctx.err = &g.status->err;
		ctx.fds[PLAN_FD_CHANNEL] = pair[1];
		ctx.fds[PLAN_FD_START] = o->start_fd;
		ctx.fds[PLAN_FD_STATUS] = g.status_fd;
		ctx.fds[PLAN_FD_HOOK_STDOUT] = o->hook_stdout > 0 ? o->hook_stdout : -1;
		ctx.fds[PLAN_FD_HOOK_STDERR] = o->hook_stderr > 0 ? o->hook_stderr : -1;
		if (p->stage.enters) {
			ctx.fds[PLAN_FD_INIT] = o->init_pidfd;
			ctx.fds[PLAN_FD_ROOT] = o->root_fd;
		}
		g.expected = expected_messages(p);
		r = clone_child(&g, p, o, &ctx, err);
	}
	fd_close(pair[1]);
	mount_sources_close(p, ctx.fds);
	if (r == 0)
		r = prepare_init(&g, p, o, err);
	if (r < 0) {
		stage_kill(&g);
		if (g.channel < 0)
			fd_close(pair[0]);
		stage_close(&g);
		return r;
	}
	*ret_stage = g;
	return 0;
}

/* ---- the end ---------------------------------------------------------- */

void
stage_close(struct stage *g)
{
	g->pidfd = fd_close(g->pidfd);
	g->channel = fd_close(g->channel);
	g->status_fd = fd_close(g->status_fd);
	if (g->status)
		munmap(g->status, sizeof(*g->status));
	g->status = NULL;
	stage_settle(g);
}

void
stage_settle(struct stage *g)
{
	net_devices_free(g->net_devices);
	g->net_devices = NULL;
}

void
stage_kill(struct stage *g)
{
	net_devices_undo(g->net_devices);
	if (g->pid <= 0)
		return;
	kill(g->pid, SIGKILL);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
}
