/* Who the program is: ids, capabilities, limits, priorities. Each plan_* adds steps to b:
 * 0, or -errno with err that names the property. Each run_* is the executor of one step
 * in the child and allocates nothing: 0, or -errno with c->err. Orders and traps:
 * capabilities(7), setgroups in user_namespaces(7). */
#ifndef KNARR_LIBCONTAINER_PROCESS_CREDENTIALS_H
#define KNARR_LIBCONTAINER_PROCESS_CREDENTIALS_H

#include "base/host.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* Rlimits (but RLIMIT_NOFILE), oom score, scheduler, io priority, personality,
 * memory policy, LSM labels: everything that init sets while it still is root and
 * can mount a procfs of its own. A label takes effect at execve only. */
int credentials_plan_limits(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err);

/* The same for a process that enters a running container, in two parts. What is
 * inherited by a child and is written to procfs comes before: the host's procfs is
 * at hand there, and an oom score may be lowered with the host's privileges. */
int credentials_plan_outside(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err);
int credentials_plan_inside(struct plan_builder *b, const struct spec *spec, struct err *err);

/* RLIMIT_NOFILE, ids, cwd, capabilities. The order, and why: ids first while the
 * permitted set is kept (PR_SET_KEEPCAPS); cwd with the new fsuid and the old
 * capabilities, so that a directory of root's or of the user's both work; then the
 * final sets. When seccomp must be loaded without no_new_privs, CAP_SYS_ADMIN
 * stays effective until execve, which takes it away (keep_sys_admin).
 * Capabilities the runtime does not hold are dropped from the plan with a
 * warning (config.md: must be logged, should not fail). */
int credentials_plan(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err);

/* What limits the process itself and would keep knarr:[join] from making it: RLIMIT_NPROC,
 * where the pid namespace is entered last. */
void credentials_plan_last(struct plan_builder *b, const struct spec_process *process);

/* Raises hard limits of the process pid that the plan wants higher, and nothing
 * else (pid 0: of the caller, which its children inherit; prlimit(2)): root of a new user
 * namespace may not, but the runtime perhaps may. What fails here fails in the init
 * again, and is told there. */
void credentials_raise_limits(const struct plan *plan, pid_t pid);

/* setrlimit(2), /proc/self/oom_score_adj, sched_setattr(2), sched_setaffinity(2),
 * ioprio_set(2), personality(2), set_mempolicy(2), /proc/self/attr. */
int attributes_run_rlimit(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_oom_score(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_scheduler(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_affinity(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_io_priority(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_personality(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_memory_policy(struct plan_ctx *c, const struct plan_step *step);
int attributes_run_label(struct plan_ctx *c, const struct plan_step *step);

/* Groups, gid, uid and umask; the directory; the five sets; PR_SET_NO_NEW_PRIVS: in the
 * order that credentials_plan() gives. */
int credentials_run_ids(struct plan_ctx *c, const struct plan_step *step);
int credentials_run_change_dir(struct plan_ctx *c, const struct plan_step *step);
int credentials_run_capabilities(struct plan_ctx *c, const struct plan_step *step);
int credentials_run_no_new_privileges(struct plan_ctx *c, const struct plan_step *step);

/* When the filter is loaded: gives up the CAP_SYS_ADMIN that was kept for it, if it was:
 * capset(2). 0, or -errno with c->err. */
int credentials_drop_kept(struct plan_ctx *c);

/* A new session keyring named for the container: keyctl(2). */
int credentials_run_keyring(struct plan_ctx *c, const struct plan_step *step);

#endif
