/* Theory of operation: a process that is seen without its filter could be made to do, by who may
 * trace it, what the filter denies to both; and without no_new_privs it must keep
 * CAP_SYS_ADMIN until the filter is loaded. So it is loaded first where the profile allows the
 * few calls that are left, as nearly all do. Where it does not, those calls come before the
 * filter, and the window stays: it is as long as they take. */
#include "libcontainer/stage/stage_last_filter.h"

#include <linux/filter.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "libcontainer/seccomp/seccomp_permits.h"
#include "libcontainer/stage/stage_last.h"

/* When a call is made: always, or only with one of these in the plan. */
enum condition { ALWAYS, WHEN_CLONED, WITH_TERMINAL, WITH_LIMIT, WITH_START };

static const struct {
	enum condition when;
	struct seccomp_known_call call;
} rows[] = {
	{ ALWAYS, { SYS_capset, 0, { 0 } } },
	{ ALWAYS, { SYS_munmap, 0, { 0 } } },
	{ ALWAYS, { SYS_getpid, 0, { 0 } } },
	{ ALWAYS, { SYS_prctl, 1, { PR_SET_PDEATHSIG } } },
	{ ALWAYS, { SYS_recvfrom, 0, { 0 } } },
	{ ALWAYS, { SYS_execve, 0, { 0 } } },
	{ ALWAYS, { SYS_exit_group, 0, { 0 } } },
	{ WHEN_CLONED, { SYS_clone, 1, { CLONE_PARENT | CLONE_PARENT_SETTID } } },
	{ WHEN_CLONED, { SYS_setsid, 0, { 0 } } },
	{ WHEN_CLONED, { SYS_sendto, 0, { 0 } } },
	{ WITH_TERMINAL, { SYS_ioctl, 7, { 0, TIOCSCTTY, 0 } } },
	{ WITH_LIMIT, { SYS_prlimit64, 3, { 0, RLIMIT_NPROC } } },
	{ WITH_START, { SYS_prctl, 1, { PR_SET_NAME } } },
	{ WITH_START, { SYS_accept4, 0, { 0 } } },
	{ WITH_START, { SYS_sendto, 0, { 0 } } },
	{ WITH_START, { SYS_sendmsg, 0, { 0 } } },
	{ WITH_START, { SYS_close, 0, { 0 } } },
};

static struct plan_step *
find_step(const struct plan_builder *b, enum plan_kind kind)
{
	for (size_t i = b->spawn.first_seen; i < b->n_steps; i++)
		if (b->steps[i].kind == kind)
			return &b->steps[i];
	return NULL;
}

static bool
is_made(const struct plan_builder *b, enum condition when)
{
	switch (when) {
	case WHEN_CLONED:
		return b->spawn.enters_pidns_last;
	case WITH_TERMINAL:
		return find_step(b, PLAN_TAKE_TERMINAL) != NULL;
	case WITH_LIMIT:
		return find_step(b, PLAN_SET_RLIMIT) != NULL;
	case WITH_START:
		return find_step(b, PLAN_WAIT_START) != NULL;
	case ALWAYS:
		break;
	}
	return true;
}

void
stage_last_plan_filter(struct plan_builder *b)
{
	struct plan_step *step = find_step(b, PLAN_LOAD_SECCOMP);
	const struct sock_filter *program;

	if (!step || step->u.seccomp.notify || !(b->spawn.enters_pidns_last || b->spawn.is_create) ||
	    find_step(b, PLAN_RUN_HOOK))
		return;
	program = (const struct sock_filter *)(b->blob + step->u.seccomp.filter.off);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_made(b, rows[i].when) &&
		    !seccomp_permits(program, step->u.seccomp.filter.len / sizeof(*program), &rows[i].call))
			return;
	step->u.seccomp.early = true;
}
