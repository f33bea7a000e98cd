/* Theory of operation: see compile.h. compile_exec() is the table of contents of
 * what a process goes through that enters a running container; the order of its
 * lines is the order of execution. */

#include "libcontainer/compile_process.h"
#include "libcontainer/credentials.h"
#include "libcontainer/resctrl_use.h"

/* The keyring that the container's init made is found by its name; where the
 * container has none, a new one keeps the caller's keys away all the same. */
static void
compile_session(struct plan_builder *b, const struct compile_options *o)
{
	struct plan_step *step;

	if (o->no_new_keyring)
		return;
	step = plan_add(b, PLAN_JOIN_KEYRING, "session keyring");
	step->u.keyring.name = plan_string(b, arena_printf(b->arena, "_ses.%s", o->id));
	step->on_error = PLAN_SKIP;
	step->errnos = PLAN_ENOSYS | PLAN_EOPNOTSUPP;
}

int
compile_exec(struct plan_builder *b, const struct spec *s, const struct host *h, const struct compile_options *o,
	     uint64_t enter_flags, bool deny_setgroups, struct err *err)
{
	const struct spec_process *p = s->process;
	struct plan_seccomp seccomp;
	int r;

	b->stage.enters = true;
	b->stage.enter_flags = enter_flags;
	b->stage.deny_setgroups = deny_setgroups;
	b->stage.has_cgroup = o->has_cgroup;
	b->stage.keep_fds = o->keep_fds;
	resctrl_use_plan(b, s, o->id);
	if ((r = credentials_plan_outside(b, s, h, err)) < 0)
		return r;
	b->stage.n_outside = (uint32_t)b->n_steps;

	compile_session(b, o);
	/* No bind on /dev/console: that is the container's own terminal. */
	if ((r = compile_console(b, p, /* bind= */ false, err)) < 0)
		return r;
	if ((r = credentials_plan_inside(b, s, err)) < 0)
		return r;
	if ((r = compile_seccomp(b, s, o->seccomp_cache, err, &seccomp)) < 0)
		return r;
	plan_add(b, PLAN_CLOSE_FDS, "process")->u.close_fds.keep = o->keep_fds;
	if ((r = credentials_plan(b, s, h, err)) < 0)
		return r;
	compile_program(b, p);
	if (p->no_new_privileges)
		plan_add(b, PLAN_NO_NEW_PRIVILEGES, "process.noNewPrivileges");
	compile_vectors(b, p, o);
	if (seccomp.filter.len)
		plan_add(b, PLAN_LOAD_SECCOMP, "linux.seccomp")->u.seccomp = seccomp;
	plan_add(b, PLAN_EXEC, "process.args");
	return 0;
}
