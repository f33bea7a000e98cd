/* The init's half of the stage, and knarr:[join]. Theory of operation: stage.h.
 *
 * Everything here runs between clone and execve: it allocates nothing and
 * leaves its error in the shared status.
 * Should: enter namespaces, become root of the user namespace, reset what is
 * inherited from the caller (signals, parent-death). Mustn't: touch the rootfs;
 * that is the plan's. */
#include "libcontainer/stage_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/signals.h"
#include "libcontainer/exe_guard.h"
#include "libcontainer/planrun.h"

static bool
joins_user(const struct plan *p)
{
	return (p->stage.n_joins > 0 && p->stage.joins[0].nstype == CLONE_NEWUSER) ||
	       (p->stage.enter_flags & CLONE_NEWUSER);
}

/* The root of mqueue belongs to whoever makes the IPC namespace. With clone that would
 * be the runtime's user, who is nobody in the user namespace. */
static bool
makes_ipc_later(const struct plan *p)
{
	return (p->stage.clone_flags & CLONE_NEWIPC) && ((p->stage.clone_flags & CLONE_NEWUSER) || joins_user(p));
}

uint64_t
stage_child_clone_flags(const struct plan *p)
{
	/* The root of a new cgroup namespace is the cgroup of the process that
	 * makes it: with clone that would be the runtime's, not the container's.
	 * The clocks of a time namespace can be set until a process is in it. */
	uint64_t later = CLONE_NEWCGROUP | CLONE_NEWTIME | (makes_ipc_later(p) ? CLONE_NEWIPC : 0);

	return p->stage.clone_flags & ~later;
}

bool
stage_child_waits(const struct plan *p)
{
	return p->stage.map_how != PLAN_MAP_NONE || p->stage.has_oom_score || p->stage.net_devices.n ||
	       p->stage.resctrl;
}

/* ---- talking --------------------------------------------------------- */

static int
send_packet(int channel, const struct stage_packet *packet, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)packet, sizeof(*packet) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(channel, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int
await(struct plan_ctx *c, enum stage_message wanted)
{
	struct stage_packet packet;
	ssize_t n;

	do
		n = recv(c->fds[PLAN_FD_CHANNEL], &packet, sizeof(packet), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(c->err, errno, "receive from the runtime");
	if (n == 0)
		return err_plain(c->err, "the runtime ended while the container was being set up");
	if (n != sizeof(packet) || packet.message != (uint32_t)wanted)
		return err_plain(c->err, "the runtime sent an unexpected answer");
	return 0;
}

int
stage_ask(struct plan_ctx *c, enum stage_message message, int32_t value, int fd, enum stage_message answer)
{
	struct stage_packet packet = { .message = message, .value = value };
	int r = send_packet(c->fds[PLAN_FD_CHANNEL], &packet, fd);

	if (r < 0)
		return err_set(c->err, -r, "send to the runtime");
	return answer == STAGE_NONE ? 0 : await(c, answer);
}

int
stage_send_console(struct plan_ctx *c, int master)
{
	return stage_ask(c, STAGE_CONSOLE, 0, master, STAGE_NONE);
}

/* ---- becoming the init ----------------------------------------------- */

/* The id that is root of the namespace, or the first that exists in it. */
static uint32_t
namespace_id(const struct plan *p, struct plan_bytes maps)
{
	const struct plan_id_map *m = (const struct plan_id_map *)(p->blob + maps.off);
	uint32_t n = maps.len / (uint32_t)sizeof(*m);

	for (uint32_t i = 0; i < n; i++)
		if (m[i].container == 0)
			return 0;
	return n ? m[0].container : 0;
}

/* Files made in the rootfs must belong to an id that exists in the namespace.
 * A joined namespace may lack id 0: then the ids stay, the capabilities are there. */
static int
become_namespace_root(struct plan_ctx *c)
{
	const struct plan *p = c->plan;
	bool joined = joins_user(p);
	uid_t uid = namespace_id(p, p->stage.uid_maps);
	gid_t gid = namespace_id(p, p->stage.gid_maps);

	if (!joined && !(p->stage.clone_flags & CLONE_NEWUSER))
		return 0;
	if (!p->stage.deny_setgroups && !p->stage.keep_groups && setgroups(0, NULL) < 0 && errno != EPERM)
		return err_set(c->err, errno, "drop the caller's groups");
	if (setresgid(gid, gid, gid) < 0 && !joined)
		return err_set(c->err, errno, "become gid %u of the user namespace", gid);
	if (setresuid(uid, uid, uid) < 0 && !joined)
		return err_set(c->err, errno, "become uid %u of the user namespace", uid);
	return 0;
}

/* The init dies with the runtime until it is ready. The parent may have died
 * before prctl: then the channel is at its end already. */
static int
die_with_runtime(struct plan_ctx *c)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(c->err, errno, "set the parent-death signal");
	if (recv(c->fds[PLAN_FD_CHANNEL], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		return err_plain(c->err, "the runtime ended while the container was being set up");
	return 0;
}

/* The runtime's procfs: a joined mount namespace may show anything at /proc. */
static int
open_proc_self(struct plan_ctx *c)
{
	struct statfs fs;
	int fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(c->err, errno, "linux.namespaces: open '/proc/self' to set up the time namespace");
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return fd;
	fd_close(fd);
	return err_plain(c->err, "linux.namespaces: '/proc' is no procfs, which a new time namespace needs");
}

/* time_namespaces(7): unshare(2) makes one for the children and leaves its maker
 * outside; until somebody is in it, its clocks can be set. Then the init moves
 * itself there, which the kernel allows to a process that shares its memory with
 * no other. It is done here and not in a process before the clone, so that the
 * namespace belongs to the container's user namespace and an ordinary user may
 * have one. */
static int
enter_time_namespace(struct plan_ctx *c)
{
	const char *offsets = plan_text(c->plan, c->plan->stage.time_offsets);
	auto_close int proc = -1, ns = -1;
	int r = 0;

	if (!(c->plan->stage.clone_flags & CLONE_NEWTIME))
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_set(c->err, errno, "linux.namespaces: make a new time namespace%s",
			       errno == EINVAL ? " (the kernel has none: CONFIG_TIME_NS)" : "");
	proc = open_proc_self(c);
	if (proc < 0)
		return proc;
	if (offsets)
		r = fd_write_file_at(proc, "timens_offsets", offsets);
	if (r < 0)
		return err_set(c->err, -r, "linux.timeOffsets: set the clocks%s",
			       r == -ERANGE ? " (one would be below zero or too far ahead)" : "");
	ns = openat(proc, "ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWTIME) < 0)
		return err_set(c->err, errno, "linux.namespaces: enter the new time namespace");
	return 0;
}

static int
enter(struct plan_ctx *c, const struct stage_options *o)
{
	const struct plan *p = c->plan;
	int r = die_with_runtime(c);

	if (r == 0 && (stage_child_waits(p) || o->hold))
		r = await(c, STAGE_MAPPED);
	/* Before changing ids, which gives the files below /proc/self to the host's root. */
	if (r == 0)
		r = enter_time_namespace(c);
	if (r == 0)
		r = become_namespace_root(c);
	/* Changing ids cleared it. */
	if (r == 0)
		r = die_with_runtime(c);
	if (r == 0 && makes_ipc_later(p) && unshare(CLONE_NEWIPC) < 0)
		r = err_set(c->err, errno, "linux.namespaces: make a new ipc namespace");
	if (r == 0 && o->guard_in_child)
		r = exe_guard(c->err);
	if (r == 0 && (p->stage.clone_flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		r = err_set(c->err, errno, "linux.namespaces: make a new cgroup namespace");
	/* After the cgroup namespace was made: the container sees where it is. */
	if (r == 0 && o->cgroup_procs > 0 && write(o->cgroup_procs, "0", 1) < 0)
		r = err_set(c->err, errno, "move to the cgroup that is the container's own");
	if (r == 0 && setsid() < 0 && errno != EPERM)
		r = err_set(c->err, errno, "start a session");
	return r;
}

void
stage_child(struct plan_ctx *c, struct stage_status *status, const struct stage_options *o)
{
	prctl(PR_SET_NAME, STAGE_NAME_INIT);
	signals_reset();
	if (enter(c, o) == 0)
		plan_run(c, status);
	process_end(1);
}

/* ---- knarr:[join] ---------------------------------------------------- */

static int
open_namespaces(struct plan_ctx *c, int *fds)
{
	const struct plan *p = c->plan;

	for (uint32_t i = 0; i < p->stage.n_joins; i++) {
		const char *path = plan_text(p, p->stage.joins[i].path);

		fds[i] = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fds[i] < 0)
			return err_set(c->err, errno, "linux.namespaces: open '%s'", path);
	}
	return 0;
}

static int
join_one(struct plan_ctx *c, uint32_t i, int fd)
{
	const struct plan_join *j = &c->plan->stage.joins[i];
	const char *path = plan_text(c->plan, j->path);

	if (setns(fd, j->nstype) == 0)
		return 0;
	if (errno == EINVAL)
		return err_set(c->err, EINVAL, "linux.namespaces: '%s' is not a namespace of the type given for it",
			       path);
	return err_set(c->err, errno, "linux.namespaces: join '%s'", path);
}

/* A namespace may belong to the caller's user namespace or to the one that is
 * joined: try with the caller's rights first, the rest after the user namespace. */
static int
join_all(struct plan_ctx *c)
{
	const struct plan *p = c->plan;
	uint32_t first = joins_user(p) ? 1 : 0;
	int fds[PLAN_MAX_JOINS];
	int r = open_namespaces(c, fds);

	for (uint32_t i = first; r == 0 && i < p->stage.n_joins; i++) {
		r = join_one(c, i, fds[i]);
		if (r == 0) {
			fds[i] = fd_close(fds[i]);
		} else if (r == -EPERM && first) {
			err_clear(c->err);
			r = 0;
		}
	}
	if (r == 0 && first) {
		r = join_one(c, 0, fds[0]);
		for (uint32_t i = 1; r == 0 && i < p->stage.n_joins; i++)
			if (fds[i] >= 0)
				r = join_one(c, i, fds[i]);
	}
	return r;
}

void
stage_join(struct plan_ctx *c, struct stage_status *status)
{
	struct clone_args args = { .flags = CLONE_PARENT | stage_child_clone_flags(c->plan) };
	pid_t pid;

	prctl(PR_SET_NAME, "knarr:[join]");
	if (die_with_runtime(c) < 0 || (c->plan->stage.enters ? stage_enter(c) : join_all(c)) < 0)
		process_end(1);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		err_set(c->err, errno, "%s",
			c->plan->stage.enters ? "make a process in the container"
					      : "linux.namespaces: create the container's first process");
		process_end(1);
	}
	if (pid == 0)
		return;
	status->init_pid = pid;
	process_end(0);
}
