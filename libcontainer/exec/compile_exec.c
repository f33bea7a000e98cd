/* compile_exec() is the table of contents of
 * what a process goes through that enters a running container; the order of its
 * lines is the order of execution. */
#include <sched.h>

#include "libcontainer/launch/program_plan.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/process/stdio.h"
#include "libcontainer/stage/stage_last_filter.h"

/* The keyring that the container's init made is found by its name; where the
 * container has none, a new one keeps the caller's keys away all the same. */
static void
plan_session(struct plan_builder *b, const struct compile_options *options)
{
	struct plan_step *step;

	if (options->no_new_keyring)
		return;
	step = plan_add(b, PLAN_JOIN_KEYRING, "session keyring");
	step->u.keyring.name = plan_string(b, arena_printf(b->arena, "_ses.%s", options->id));
	step->on_error = PLAN_SKIP;
	step->errnos = PLAN_ENOSYS;
}

int
compile_exec(struct plan_builder *b, const struct spec *spec, const struct host *host,
	     const struct compile_options *options, uint64_t enter_flags, bool deny_setgroups, struct err *err)
{
	const struct spec_process *p = spec->process;
	struct plan_seccomp seccomp;
	int r;

	b->spawn.enters = true;
	b->spawn.enters_pidns_last = true;
	b->spawn.enter_flags = enter_flags;
	b->spawn.deny_setgroups = deny_setgroups;
	b->spawn.has_cgroup = options->has_cgroup;
	b->spawn.keep_fds = options->keep_fds;
	resctrl_use_plan(b, spec, options->id);
	if ((r = credentials_plan_outside(b, spec, host, err)) < 0)
		return r;
	b->spawn.n_outside = (uint32_t)b->n_steps;

	plan_session(b, options);
	/* No bind on /dev/console: that is the container's own terminal. */
	if ((r = program_plan_console(b, p, /* bind= */ false, err)) < 0)
		return r;
	if ((r = credentials_plan_inside(b, spec, err)) < 0)
		return r;
	if ((r = program_plan_seccomp(b, spec, err, &seccomp)) < 0)
		return r;
	plan_add(b, PLAN_CLOSE_FDS, "process")->u.close_fds.keep = options->keep_fds;
	program_plan_find_home(b, p);
	stdio_plan(b, spec, enter_flags & CLONE_NEWUSER);
	if ((r = credentials_plan(b, spec, host, err)) < 0)
		return r;
	program_plan_find(b, p);
	if (p->no_new_privileges)
		plan_add(b, PLAN_NO_NEW_PRIVILEGES, "process.noNewPrivileges");
	program_plan_prepare_exec(b, p, options);
	b->spawn.first_seen = (uint32_t)b->n_steps;
	program_plan_last(b, p);
	if (seccomp.filter.len)
		plan_add(b, PLAN_LOAD_SECCOMP, "linux.seccomp")->u.seccomp = seccomp;
	plan_add(b, PLAN_EXEC, "process.args");
	stage_last_plan_filter(b);
	return 0;
}
