/* Executors of the steps that attributes_plan() and the limits make: one system
 * call each. In the child: nothing here allocates.
 *
 * What lies in procfs (oom score, labels) is written through PLAN_FD_PROC, a
 * procfs that the runtime itself mounted and nobody else can see: a file that an
 * image or a shared volume puts over /proc is never opened (CVE-2019-16884,
 * CVE-2025-52881). */
#include <errno.h>
#include <linux/ioprio.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/process/attributes.h"
#include "libcontainer/process/credentials.h"
#include "namespaces/mount/rootfs.h"

/* <linux/sched/types.h> and <sched.h> clash over struct sched_param. The version
 * with utilisation clamps: 56 bytes, Linux 5.3. */
struct scheduler_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static const char *const rlimit_names[] = {
	[RLIMIT_CPU] = "RLIMIT_CPU",	       [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_DATA] = "RLIMIT_DATA",	       [RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE",	       [RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

int
attributes_run_rlimit(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_rlimit *l = &step->u.rlimit;
	struct rlimit64 value = { .rlim_cur = l->soft, .rlim_max = l->hard };
	const char *name =
		l->resource < sizeof(rlimit_names) / sizeof(rlimit_names[0]) ? rlimit_names[l->resource] : "limit";

	/* prlimit64(2), not setrlimit(3): 64 bits on every machine. */
	if (syscall(SYS_prlimit64, 0, l->resource, &value, NULL) == 0)
		return 0;
	return err_set(c->err, errno, "set %s to soft %llu, hard %llu", name, (unsigned long long)l->soft,
		       (unsigned long long)l->hard);
}

/* Writes text to a file of the private procfs. */
static int
write_proc(struct plan_ctx *c, const char *file, const char *text)
{
	int r = proc_open(c);

	if (r < 0)
		return r;
	r = fd_write_file_at(c->fds[PLAN_FD_PROC], file, text);
	if (r < 0)
		return err_set(c->err, -r, "write '%s' to /proc/%s", text, file);
	return 0;
}

int
attributes_run_oom_score(struct plan_ctx *c, const struct plan_step *step)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", step->u.oom.score);
	return write_proc(c, "self/oom_score_adj", text);
}

/* Length of the part of a label that the kernel gives back as it was written. Of an
 * SELinux context that is user:role:type, for the policy has its own way to write
 * the level; of an AppArmor profile the name, to which the kernel adds the mode. A
 * name with a namespace (":n:name") or a stack of profiles it writes in its own way. */
static size_t
stable_length(const char *label, bool apparmor)
{
	size_t n = 0;

	if (apparmor)
		return label[0] == ':' || label[0] == '&' || strstr(label, "//&") ? 0 : strlen(label);
	for (int colons = 0; label[n] && (label[n] != ':' || ++colons < 3);)
		n++;
	return n;
}

/* A module that accepts a write and takes something else, or nothing, would leave the
 * container without its confinement, and nobody would know. */
static int
check_label(struct plan_ctx *c, const char *file, const char *label, bool apparmor)
{
	char taken[4100]; /* of a context the kernel takes a page */
	ssize_t r = fd_read_small_at(c->fds[PLAN_FD_PROC], file, taken, sizeof(taken));
	size_t n = stable_length(label, apparmor);

	if (r < 0)
		return err_set(c->err, (int)-r, "read /proc/%s back", file);
	if (r > 0 && strncmp(taken, label, n) == 0 && (n == 0 || strchr(" :", taken[n])))
		return 0;
	return err_plain(c->err, "wrote '%s' to /proc/%s, but the kernel took '%s'", label, file, taken);
}

int
attributes_run_label(struct plan_ctx *c, const struct plan_step *step)
{
	static const char command[] = "exec "; /* AppArmor's word before the name */
	const char *text = plan_text(c->plan, step->u.label.text);
	bool apparmor = strncmp(text, command, sizeof(command) - 1) == 0;
	char file[64];
	int r;

	snprintf(file, sizeof(file), "thread-self/attr/%s", plan_text(c->plan, step->u.label.file));
	r = write_proc(c, file, text);
	return r < 0 ? r : check_label(c, file, apparmor ? text + sizeof(command) - 1 : text, apparmor);
}

int
attributes_set_scheduler(const struct plan_scheduler *scheduler, pid_t pid, struct err *err)
{
	struct scheduler_attr attr = {
		.size = sizeof(attr),
		.policy = scheduler->policy,
		.flags = scheduler->flags,
		.nice = scheduler->nice,
		.priority = scheduler->priority,
		.runtime = scheduler->runtime,
		.deadline = scheduler->deadline,
		.period = scheduler->period,
	};

	if (syscall(SYS_sched_setattr, pid, &attr, 0) == 0)
		return 0;
	return err_set(err, errno, "set scheduling policy %u, priority %u, nice %d", scheduler->policy,
		       scheduler->priority, scheduler->nice);
}

int
attributes_run_scheduler(struct plan_ctx *c, const struct plan_step *step)
{
	return attributes_set_scheduler(&step->u.scheduler, 0, c->err);
}

int
attributes_run_affinity(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_bytes *cpus = &step->u.affinity.cpus;

	if (syscall(SYS_sched_setaffinity, 0, (size_t)cpus->len, c->plan->blob + cpus->off) == 0)
		return 0;
	return plan_answer(c, err_set(c->err, errno, "set the CPUs to run on%s",
				      errno == EINVAL ? " (none of them is in the container's cpuset)" : ""));
}

int
attributes_run_io_priority(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_io_priority *p = &step->u.io_priority;
	int value = (p->class << IOPRIO_CLASS_SHIFT) | p->priority;

	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) == 0)
		return 0;
	return err_set(c->err, errno, "set io priority class %d, level %d", p->class, p->priority);
}

int
attributes_run_personality(struct plan_ctx *c, const struct plan_step *step)
{
	if (syscall(SYS_personality, (unsigned long)step->u.personality.domain) >= 0)
		return 0;
	return err_set(c->err, errno, "set personality %#llx", (unsigned long long)step->u.personality.domain);
}

int
attributes_run_memory_policy(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_memory_policy *m = &step->u.memory_policy;
	const void *nodes = m->nodes.len ? c->plan->blob + m->nodes.off : NULL;

	if (syscall(SYS_set_mempolicy, m->mode | (int)m->flags, nodes, (unsigned long)m->max_node) == 0)
		return 0;
	if (errno == EINVAL && nodes)
		return err_set(c->err, EINVAL, "set memory policy %d (does this host have those nodes?)", m->mode);
	return err_set(c->err, errno, "set memory policy %d", m->mode);
}
