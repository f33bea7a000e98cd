/* This file is the parent's half: it
 * turns process and parts of linux into steps and refuses what cannot work.
 *
 * A capability that cannot be granted is a warning and not an error, so the
 * five sets are cut here, in an order that makes each cut follow from the one
 * before: what the runtime lacks, then inheritable by bounding, effective by
 * permitted, ambient by permitted and inheritable. The kernel refuses the whole
 * call in the child if any of these rules is broken. What the config itself breaks was
 * told when it was parsed (parse_process.c); here is told what the runtime lacks. */
#include "libcontainer/process/credentials.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/process/attributes.h"
#include "oci-spec/annotations.h"

/* ---- capabilities ---------------------------------------------------- */

/* "CAP_CHOWN, CAP_KILL" in the arena. */
static const char *
capability_names(struct arena *a, uint64_t set)
{
	const char *list = "";

	for (unsigned cap = 0; cap < 64; cap++) {
		char *name, *upper;

		if (!(set & (uint64_t)1 << cap))
			continue;
		name = cap_to_name((cap_value_t)cap);
		upper = arena_strdup(a, name ? name : "?");
		cap_free(name);
		for (char *p = upper; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", upper);
	}
	return list;
}

/* What the init can have at all: in a user namespace everything the kernel
 * knows, else what the runtime was given. */
static uint64_t
obtainable(const struct spec *spec, const struct host *host)
{
	uint64_t known = host->last_cap >= 63 ? UINT64_MAX : ((uint64_t)1 << (host->last_cap + 1)) - 1;

	return spec->linux_.namespaces[NS_USER].listed ? known : known & host->capabilities;
}

static void
cut_unobtainable(struct arena *a, struct plan_capabilities *capabilities, uint64_t allowed)
{
	uint64_t all = capabilities->bounding | capabilities->effective | capabilities->permitted |
		       capabilities->inheritable | capabilities->ambient;
	uint64_t lost = all & ~allowed;

	if (lost)
		log_warning("process.capabilities: left out %s: the runtime does not have it",
			    capability_names(a, lost));
	capabilities->bounding &= allowed;
	capabilities->effective &= allowed;
	capabilities->permitted &= allowed;
	capabilities->inheritable &= allowed;
	capabilities->ambient &= allowed;
}

/* An absent process.capabilities leaves none, in any set: as runc has it. */
static void
plan_capabilities(struct plan_builder *b, const struct spec *spec, const struct host *host)
{
	const struct spec_capabilities *from = spec->process->capabilities;
	uint64_t allowed = obtainable(spec, host);
	struct plan_capabilities c = { 0 };

	if (from) {
		c.bounding = from->bounding;
		c.effective = from->effective;
		c.permitted = from->permitted;
		c.inheritable = from->inheritable;
		c.ambient = from->ambient;
	}
	cut_unobtainable(b->arena, &c, allowed);
	c.inheritable &= c.bounding;
	c.effective &= c.permitted;
	c.ambient &= c.permitted & c.inheritable;
	c.keep_sys_admin =
		spec->linux_.seccomp && !spec->process->no_new_privileges && (allowed & (uint64_t)1 << CAP_SYS_ADMIN);
	plan_add(b, PLAN_SET_CAPABILITIES, "process.capabilities")->u.capabilities = c;
}

/* ---- ids ------------------------------------------------------------- */

/* setgroups(2) is denied for good in a namespace below one where it is denied.
 * The flag is the kernel's word on the runtime's own namespace. */
static bool
groups_denied(const struct plan_builder *b, const struct host *host)
{
	char text[16];

	if (b->spawn.deny_setgroups)
		return true;
	return host->in_userns && fd_read_record_at(AT_FDCWD, "/proc/self/setgroups", text, sizeof(text)) >= 0 &&
	       strcmp(text, "deny") == 0;
}

static int
plan_ids(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err)
{
	const struct spec_user *u = &spec->process->user;
	bool keep = annotation_is_true(annotation_get(&spec->annotations, ANNOTATION_KEEP_GROUPS));
	struct plan_ids ids = {
		.uid = u->uid,
		.gid = u->gid,
		.set_groups = !keep && !groups_denied(b, host),
		.has_umask = u->umask.set,
		.umask = u->umask.v,
	};

	b->spawn.keep_groups = keep;
	if (keep && u->additional_gids.n)
		log_warning("process.user.additionalGids: the annotation %s keeps the caller's groups instead",
			    annotation_name(ANNOTATION_KEEP_GROUPS));
	else if (!ids.set_groups && u->additional_gids.n)
		return err_plain(err,
				 "process.user.additionalGids: the user namespace denies setgroups(2), so no group "
				 "can be added (hint: a range in /etc/subgid and newgidmap lift this)");
	if (ids.set_groups)
		ids.groups = plan_data(b, u->additional_gids.items, u->additional_gids.n * sizeof(uint32_t));
	plan_add(b, PLAN_SET_IDS, "process.user")->u.ids = ids;
	return 0;
}

/* ---- rlimits --------------------------------------------------------- */

/* When a limit is set: a low one of descriptors leaves none for the steps before it, and
 * one of processes none for the clone into a pid namespace that is entered last. */
enum limit_time { LIMIT_EARLY, LIMIT_AS_ROOT, LIMIT_LAST };

static enum limit_time
limit_time(const struct plan_builder *b, int resource)
{
	if (resource == RLIMIT_NOFILE)
		return LIMIT_AS_ROOT;
	return resource == RLIMIT_NPROC && b->spawn.enters_pidns_last ? LIMIT_LAST : LIMIT_EARLY;
}

static void
plan_rlimits(struct plan_builder *b, const struct spec_process *process, enum limit_time time)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *l = &process->rlimits[i];

		if (limit_time(b, l->resource) != time)
			continue;
		plan_add(b, PLAN_SET_RLIMIT, "process.rlimits[%zu]", i)->u.rlimit = (struct plan_rlimit){
			.resource = (uint32_t)l->resource,
			.soft = l->soft,
			.hard = l->hard,
		};
	}
}

void
credentials_raise_limits(const struct plan *plan, pid_t pid)
{
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		const struct plan_rlimit *l = &plan->steps[i].u.rlimit;
		struct rlimit64 now;

		if (plan->steps[i].kind != PLAN_SET_RLIMIT ||
		    syscall(SYS_prlimit64, pid, l->resource, NULL, &now) < 0 || l->hard <= now.rlim_max)
			continue;
		now.rlim_max = l->hard;
		(void)syscall(SYS_prlimit64, pid, l->resource, &now, NULL);
	}
}

/* ---- all of it ------------------------------------------------------- */

/* A process in a new user namespace may not raise or lower its own score as the
 * host's root may: the parent does it, from outside. */
static int
plan_oom_score(struct plan_builder *b, const struct spec *spec, struct err *err)
{
	const struct spec_namespace *user = &spec->linux_.namespaces[NS_USER];
	struct opt_i64 score = spec->process->oom_score_adj;

	if (!score.set)
		return 0;
	if (score.v < -1000 || score.v > 1000)
		return err_plain(err, "process.oomScoreAdj: %jd is not in -1000 … 1000", (intmax_t)score.v);
	if (user->listed && !user->path && !b->spawn.enters) {
		b->spawn.has_oom_score = true;
		b->spawn.oom_score = (int32_t)score.v;
		return 0;
	}
	plan_add(b, PLAN_SET_OOM_SCORE, "process.oomScoreAdj")->u.oom.score = (int32_t)score.v;
	return 0;
}

int
credentials_plan_limits(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err)
{
	int r;

	if (spec->process) {
		plan_rlimits(b, spec->process, LIMIT_EARLY);
		r = plan_oom_score(b, spec, err);
		if (r < 0)
			return r;
	}
	r = attributes_plan(b, spec, err);
	if (r < 0 || !spec->process)
		return r;
	return attributes_plan_labels(b, spec->process, host, err);
}

/* execCPUAffinity is for exec only: config.md#linux-process. */
static int
plan_affinity(struct plan_builder *b, const char *property, const char *list, struct err *err)
{
	struct plan_affinity affinity;
	unsigned long *mask;
	uint32_t bits;
	int r;

	if (!list || !list[strspn(list, " ")])
		return 0;
	r = attributes_parse_list(b->arena, property, list, err, &mask, &bits);
	if (r < 0)
		return r;
	affinity.cpus = plan_data(b, mask, bits / CHAR_BIT);
	plan_add(b, PLAN_SET_AFFINITY, "%s", property)->u.affinity = affinity;
	return 0;
}

/* knarr:[join] is made inside of the container's cgroup: cpus that its cpuset
 * lacks were meant for the moment before, which does not exist here. */
static int
plan_initial_affinity(struct plan_builder *b, const char *list, struct err *err)
{
	size_t before = b->n_steps;
	int r = plan_affinity(b, "process.execCPUAffinity.initial", list, err);

	if (r == 0 && b->n_steps > before) {
		b->steps[before].on_error = PLAN_SKIP;
		b->steps[before].errnos = PLAN_EINVAL;
	}
	return r;
}

int
credentials_plan_outside(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err)
{
	const struct spec_cpu_affinity *cpus = spec->process->exec_cpu_affinity;
	int r = plan_oom_score(b, spec, err);

	if (r == 0 && cpus)
		r = plan_initial_affinity(b, cpus->initial, err);
	return r < 0 ? r : attributes_plan_labels(b, spec->process, host, err);
}

int
credentials_plan_inside(struct plan_builder *b, const struct spec *spec, struct err *err)
{
	const struct spec_cpu_affinity *cpus = spec->process->exec_cpu_affinity;
	int r = cpus ? plan_affinity(b, "process.execCPUAffinity.final", cpus->final, err) : 0;

	if (r < 0)
		return r;
	plan_rlimits(b, spec->process, LIMIT_EARLY);
	return attributes_plan(b, spec, err);
}

int
credentials_plan(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err)
{
	int r;

	/* Still root, so that a hard limit can be raised. */
	plan_rlimits(b, spec->process, LIMIT_AS_ROOT);
	r = plan_ids(b, spec, host, err);
	if (r < 0)
		return r;
	plan_add(b, PLAN_CHANGE_DIR, "process.cwd")->u.dir.path =
		plan_string(b, spec->process->cwd ? spec->process->cwd : "/");
	plan_capabilities(b, spec, host);
	return 0;
}

void
credentials_plan_last(struct plan_builder *b, const struct spec_process *process)
{
	plan_rlimits(b, process, LIMIT_LAST);
}
