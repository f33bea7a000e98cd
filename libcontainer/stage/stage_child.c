/* The init's half of the stage, and knarr:[join]. Theory of operation: stage.h.
 *
 * A pid namespace that is not the container's own is entered last, by a clone: setns(2) and
 * unshare(2) leave the caller's own pid namespace as it is. So the process that everybody in it
 * can see has its final ids, capabilities, limits, directory, labels and descriptors
 * already, and none of its memory is a file of the host.
 *
 * Everything here runs between clone and execve: it allocates nothing and
 * leaves its error in the shared status (stage_fail()).
 * Should: enter namespaces, become root of the user namespace, reset what is
 * inherited from the caller (signals, umask, parent-death). Mustn't: touch the rootfs;
 * that is the plan's. */
#include "libcontainer/stage/stage_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/signals.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/process/exe_guard.h"
#include "libcontainer/stage/planrun.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/stage_last.h"
#include "libcontainer/state/state.h"

static bool
joins_user(const struct plan *plan)
{
	return (plan->spawn.n_joins > 0 && plan->spawn.joins[0].nstype == CLONE_NEWUSER) ||
	       (plan->spawn.enter_flags & CLONE_NEWUSER);
}

/* The root of mqueue belongs to whoever makes the IPC namespace. With clone that would
 * be the runtime's user, who is nobody in the user namespace. */
static bool
makes_ipc_later(const struct plan *plan)
{
	return (plan->spawn.clone_flags & CLONE_NEWIPC) &&
	       ((plan->spawn.clone_flags & CLONE_NEWUSER) || joins_user(plan));
}

uint64_t
stage_child_clone_flags(const struct plan *plan)
{
	/* The root of a new cgroup namespace is the cgroup of the process that
	 * makes it: with clone that would be the runtime's, not the container's.
	 * The clocks of a time namespace can be set until a process is in it. */
	uint64_t later = CLONE_NEWCGROUP | CLONE_NEWTIME | (makes_ipc_later(plan) ? CLONE_NEWIPC : 0);

	return plan->spawn.clone_flags & ~later;
}

bool
stage_child_waits(const struct plan *plan)
{
	return plan->spawn.map_how != PLAN_MAP_NONE || plan->spawn.has_oom_score || plan->spawn.net_devices.n ||
	       plan->spawn.resctrl || (plan->spawn.maps_stdio && !plan->spawn.enters);
}

/* ---- becoming the init ----------------------------------------------- */

/* The id that is root of the namespace, or the first that exists in it. */
static uint32_t
namespace_id(const struct plan *plan, struct plan_bytes maps)
{
	const struct plan_id_map *m = (const struct plan_id_map *)(plan->blob + maps.off);
	uint32_t n = maps.len / (uint32_t)sizeof(*m);

	for (uint32_t i = 0; i < n; i++)
		if (m[i].container == 0)
			return 0;
	return n ? m[0].container : 0;
}

/* The runtime's procfs: a joined mount namespace may show anything at /proc. */
static int
open_proc_self(struct plan_ctx *c)
{
	struct statfs fs;
	int proc = c->fds[PLAN_FD_PROC];
	auto_close int fd = openat(proc >= 0 ? proc : AT_FDCWD, proc >= 0 ? "self" : "/proc/self",
				   O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(c->err, errno, "linux.namespaces: open '/proc/self'");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_plain(c->err, "linux.namespaces: '/proc' is not a procfs");
	return fd_take(&fd);
}

/* Whether the user namespace of this process denies setgroups(2): its own word, since the
 * call would answer EPERM for other reasons as well. proc: its directory of procfs. */
static int
ask_groups(struct plan_ctx *c, int proc)
{
	char text[16];
	ssize_t n = fd_read_record_at(proc, "setgroups", text, sizeof(text));

	if (n < 0)
		return err_set(c->err, (int)-n, "linux.namespaces: ask the user namespace for its additional groups");
	c->groups_denied = strcmp(text, "deny") == 0;
	return 0;
}

static int
ask_groups_of_own(struct plan_ctx *c)
{
	auto_close int proc = open_proc_self(c);

	return proc < 0 ? proc : ask_groups(c, proc);
}

/* Files made in the rootfs must belong to an id that exists in the namespace.
 * A joined namespace may lack id 0: then the ids stay, the capabilities are there. */
static int
become_namespace_root(struct plan_ctx *c)
{
	const struct plan *p = c->plan;
	bool joined = joins_user(p);
	uid_t uid = namespace_id(p, p->spawn.uid_maps);
	gid_t gid = namespace_id(p, p->spawn.gid_maps);

	if (!joined && !(p->spawn.clone_flags & CLONE_NEWUSER))
		return 0;
	if (!p->spawn.deny_setgroups && !p->spawn.keep_groups && !c->groups_denied && setgroups(0, NULL) < 0)
		return err_set(c->err, errno, "drop the caller's groups");
	/* EINVAL: the joined namespace has no such id. */
	if (setresgid(gid, gid, gid) < 0 && !(joined && errno == EINVAL))
		return err_set(c->err, errno, "become gid %u of the user namespace", gid);
	if (setresuid(uid, uid, uid) < 0 && !(joined && errno == EINVAL))
		return err_set(c->err, errno, "become uid %u of the user namespace", uid);
	return 0;
}

/* time_namespaces(7): unshare(2) makes one for the children and leaves its maker
 * outside; until somebody is in it, its clocks can be set. Then the init moves
 * itself there, which the kernel allows to a process that shares its memory with
 * no other. It is done here and not in a process before the clone, so that the
 * namespace belongs to the container's user namespace and an unprivileged user may
 * have one. */
static int
enter_time_namespace(struct plan_ctx *c)
{
	const char *offsets = plan_text(c->plan, c->plan->spawn.time_offsets);
	auto_close int proc = -1, ns = -1;
	int r = 0;

	if (!(c->plan->spawn.clone_flags & CLONE_NEWTIME))
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

/* The runtime does its part meanwhile: id maps need the process to be in the user namespace, which
 * it is from its birth on, if it was not made in two steps. */
static int
await_runtime(struct plan_ctx *c, const struct stage_options *options)
{
	const struct plan *p = c->plan;
	bool is_unshared = p->spawn.enters_pidns_last && (p->spawn.clone_flags & CLONE_NEWUSER);
	int r = is_unshared ? stage_ask(c, STAGE_NAMESPACES, 0, -1, STAGE_NONE) : 0;

	if (r == 0 && (stage_child_waits(p) || options->hold))
		r = stage_await(c, STAGE_MAPPED);
	return r;
}

static int
enter(struct plan_ctx *c, const struct stage_options *options)
{
	const struct plan *p = c->plan;
	int r = 0;

	if (p->spawn.clone_flags & CLONE_NEWUSER)
		r = ask_groups_of_own(c);
	/* Before changing ids, which gives the files below /proc/self to the host's root. */
	if (r == 0)
		r = enter_time_namespace(c);
	if (r == 0)
		r = become_namespace_root(c);
	/* Changing ids cleared it. */
	if (r == 0)
		r = stage_die_with_runtime(c);
	if (r == 0 && makes_ipc_later(p) && unshare(CLONE_NEWIPC) < 0)
		r = err_set(c->err, errno, "linux.namespaces: make a new ipc namespace");
	if (r == 0 && options->guard_in_child)
		r = exe_guard(c->err);
	if (r == 0 && (p->spawn.clone_flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		r = err_set(c->err, errno, "linux.namespaces: make a new cgroup namespace");
	/* After the cgroup namespace was made: the container sees where it is. */
	if (r == 0 && options->cgroup_procs > 0 && write(options->cgroup_procs, "0", 1) < 0)
		r = err_set(c->err, errno, "move to the cgroup that is the container's own");
	return r;
}

/* Hooks, a listener and answers of the runtime may take long, and `start` does. */
static bool
waits_for_others(const struct plan *plan, const struct stage_options *options)
{
	return plan->spawn.is_create || options->hold || stage_child_waits(plan) ||
	       plan_find(plan, PLAN_ASK_HOOKS, 0) || plan_find(plan, PLAN_RUN_HOOK, 0) || stage_last_has_notify(plan);
}

/* Of the first process of a pid namespace; exec and the others are ended by signals as usual. */
static int
take_signals(struct plan_ctx *c, const struct stage_options *options)
{
	if (getpid() != 1)
		return 0;
	if (waits_for_others(c->plan, options))
		return stage_last_take_signals(c);
	c->holds_signals = true;
	return signals_hold();
}

static int
reset_process(struct plan_ctx *c, const struct stage_options *options)
{
	int r = signals_reset(c->ignored_signals); /* clone3 has taken back the handlers */

	if (r == 0)
		r = take_signals(c, options);
	if (r < 0)
		return err_set(c->err, -r, "reset the actions and the mask of signals");
	/* What the steps make has the modes that they name. PLAN_SET_IDS sets the program's. */
	if (process_set_umask(0) < 0)
		return err_set(c->err, errno, "set the umask");
	return 0;
}

void
stage_child(struct plan_ctx *c, const struct stage_options *options)
{
	if (reset_process(c, options) < 0 || stage_die_with_runtime(c) < 0 || await_runtime(c, options) < 0 ||
	    enter(c, options) < 0)
		stage_fail(c);
	/* A process that was just cloned leads no group yet: nothing prevents it. */
	if (setsid() < 0) {
		err_set(c->err, errno, "start a session");
		stage_fail(c);
	}
	if (planrun_unseen(c) == 0)
		stage_last(c, options, /* makes_process= */ false);
	stage_fail(c);
}

/* ---- knarr:[join] ---------------------------------------------------- */

static int
open_namespaces(struct plan_ctx *c, int *fds)
{
	const struct plan *p = c->plan;

	for (uint32_t i = 0; i < p->spawn.n_joins; i++) {
		const char *path = plan_text(p, p->spawn.joins[i].path);

		fds[i] = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fds[i] < 0)
			return err_set(c->err, errno, "linux.namespaces: open '%s'", path);
	}
	return 0;
}

static int
join_one(struct plan_ctx *c, uint32_t index, int fd)
{
	const struct plan_join *j = &c->plan->spawn.joins[index];
	const char *path = plan_text(c->plan, j->path);

	if (setns(fd, j->nstype) == 0)
		return 0;
	if (errno == EINVAL)
		return err_set(c->err, EINVAL, "linux.namespaces: '%s' is not a namespace of the type given for it",
			       path);
	return err_set(c->err, errno, "linux.namespaces: join '%s'", path);
}

/* A procfs of the pid namespace is mounted without being in it. */
static void
keep_or_close(struct plan_ctx *c, uint32_t index, int fd)
{
	if (c->plan->spawn.joins[index].nstype == CLONE_NEWPID)
		c->fds[PLAN_FD_PID_NS] = fd;
	else
		fd_close(fd);
}

/* A namespace may belong to the caller's user namespace or to the one that is
 * joined: try with the caller's privileges first, the rest after the user namespace. */
static int
join_all(struct plan_ctx *c)
{
	const struct plan *p = c->plan;
	uint32_t first = joins_user(p) ? 1 : 0;
	int fds[PLAN_MAX_JOINS];
	/* While the runtime's /proc is there. */
	auto_close int proc = first ? open_proc_self(c) : -1;
	int r = first && proc < 0 ? proc : open_namespaces(c, fds);

	for (uint32_t i = first; r == 0 && i < p->spawn.n_joins; i++) {
		r = join_one(c, i, fds[i]);
		if (r == 0) {
			keep_or_close(c, i, fds[i]);
			fds[i] = -1;
		} else if (r == -EPERM && first) {
			err_clear(c->err);
			r = 0;
		}
	}
	if (r == 0 && first) {
		r = join_one(c, 0, fds[0]);
		for (uint32_t i = 1; r == 0 && i < p->spawn.n_joins; i++) {
			if (fds[i] < 0)
				continue;
			r = join_one(c, i, fds[i]);
			keep_or_close(c, i, fds[i]);
		}
		if (r == 0)
			r = ask_groups(c, proc);
	}
	return r;
}

/* Those that the init, cloned with these flags, would have from its birth on. */
static int
make_namespaces(struct plan_ctx *c)
{
	uint64_t flags = stage_child_clone_flags(c->plan);

	if (flags && unshare((int)flags) < 0)
		return err_set(c->err, errno, "linux.namespaces: make the container's namespaces");
	return 0;
}

/* The host's procfs: it was there before the container, and only the host's
 * administrator can mount something over it. */
static int
open_proc(struct plan_ctx *c)
{
	struct statfs fs;

	c->fds[PLAN_FD_PROC] = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->fds[PLAN_FD_PROC] < 0 || fstatfs(c->fds[PLAN_FD_PROC], &fs) < 0)
		return err_set(c->err, errno, "open '/proc'");
	return fs.f_type == PROC_SUPER_MAGIC ? 0 : err_plain(c->err, "'/proc' is not a procfs");
}

/* Everything but the last steps is done here, where nobody in the pid namespace sees it. */
static void __attribute__((noreturn)) join_pid_namespace_last(struct plan_ctx *c, const struct stage_options *options)
{
	bool enters = c->plan->spawn.enters;
	int r = reset_process(c, options);

	if (r == 0)
		r = stage_die_with_runtime(c);
	if (r == 0)
		r = open_proc(c);
	credentials_raise_limits(c->plan, 0);
	if (r == 0 && enters)
		r = await_runtime(c, options);
	if (r == 0)
		r = enters ? stage_enter(c) : join_all(c);
	if (r == 0 && !enters)
		r = make_namespaces(c);
	if (r == 0 && !enters)
		r = await_runtime(c, options);
	if (r == 0)
		r = enter(c, options);
	if (r == 0)
		r = planrun_unseen(c);
	if (r == 0)
		stage_last(c, options, /* makes_process= */ true);
	stage_fail(c);
}

void
stage_child_join(struct plan_ctx *c, const struct stage_options *options)
{
	struct clone_args args = { .flags = CLONE_PARENT | stage_child_clone_flags(c->plan) };
	pid_t pid;

	if (c->plan->spawn.enters_pidns_last)
		join_pid_namespace_last(c, options);
	prctl(PR_SET_NAME, "knarr:[join]"); /* for people: nothing depends on it */
	if (stage_die_with_runtime(c) < 0 || join_all(c) < 0)
		stage_fail(c);
	if (prctl(PR_SET_NAME, STATE_NAME_INIT) < 0) {
		err_set(c->err, errno, "name the container's first process");
		stage_fail(c);
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		err_set(c->err, errno, "linux.namespaces: create the container's first process");
		stage_fail(c);
	}
	if (pid == 0)
		return;
	c->status->init_pid = pid;
	process_end(0);
}
