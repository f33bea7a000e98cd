/* Theory of operation: what the last steps need is put into a struct last, and their code is
 * run where no file is mapped (stage_last_code.c), if anybody may look: in a pid namespace of
 * others, and in a container that waits for start, which others may join. Hooks of
 * startContainer, and the listener of a seccomp profile, need more code than that: then all
 * that is mapped is copied to anonymous memory, which takes some 2 ms, and the rest runs as
 * usual. */
#include "libcontainer/stage/stage_last.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/process.h"
#include "base/raw_syscall.h"
#include "base/signals.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/stage/exec_error.h"
#include "libcontainer/stage/planrun.h"
#include "libcontainer/stage/program.h"
#include "libcontainer/stage/stage_ask.h"
#include "libcontainer/stage/stage_last_code.h"
#include "libcontainer/state/state.h"

bool
stage_last_is_watched(const struct plan *plan)
{
	return plan->spawn.enters_pidns_last || plan->spawn.is_create;
}

/* ---- what is left of the plan --------------------------------------------- */

static const struct plan_step *
find_step(const struct plan *plan, enum plan_kind kind)
{
	return plan_find(plan, kind, plan->spawn.first_seen);
}

bool
stage_last_has_notify(const struct plan *plan)
{
	const struct plan_step *filter = find_step(plan, PLAN_LOAD_SECCOMP);

	return filter && filter->u.seccomp.notify;
}

/* The state of a container has its number; exec has no state. */
bool
stage_last_waits_for_runtime(const struct plan *plan)
{
	return !plan->spawn.enters || plan->spawn.has_scheduler || stage_last_has_notify(plan);
}

/* The code of the last steps is all that runs. */
static bool
is_plain(const struct plan *plan)
{
	return RAW_SYSCALL_IS_INLINE && find_step(plan, PLAN_EXEC) && !find_step(plan, PLAN_RUN_HOOK) &&
	       !stage_last_has_notify(plan);
}

/* ---- struct last ------------------------------------------------------------ */

/* A message with one descriptor, laid out before. */
struct last_message {
	struct stage_packet packet;
	struct iovec iov;
	struct msghdr head;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
};

static void
fill_message(struct last_message *message, enum stage_message number, int fd)
{
	struct cmsghdr *c = &message->control.align;

	message->packet = (struct stage_packet){ .message = number };
	message->iov = (struct iovec){ &message->packet, sizeof(message->packet) };
	message->head = (struct msghdr){ .msg_iov = &message->iov,
					 .msg_iovlen = 1,
					 .msg_control = &message->control,
					 .msg_controllen = sizeof(message->control) };
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
}

static void
fill_start(struct last *last, const struct plan_ctx *c)
{
	last->waits_for_start = find_step(c->plan, PLAN_WAIT_START) != NULL;
	last->start_fd = c->fds[PLAN_FD_START];
	last->status_fd = c->fds[PLAN_FD_STATUS];
	snprintf(last->wait_name, sizeof(last->wait_name), "%s", STATE_NAME_WAIT);
}

static void
fill_program(struct last *last, const struct plan_ctx *c)
{
	const struct plan_step *filter = find_step(c->plan, PLAN_LOAD_SECCOMP);

	last->program = c->program;
	last->argv = (char *const *)c->argv;
	last->envp = (char *const *)c->envp;
	last->listen_pid = c->listen_pid;
	if (!filter || filter->u.seccomp.notify || filter->u.seccomp.early)
		return;
	last->has_filter = true;
	last->filter_flags = filter->u.seccomp.flags;
	last->filter = program_filter(c, filter);
	c->status->filter_length = last->filter.len;
	c->status->filter_step = (uint16_t)(filter - c->plan->steps);
}

static void
fill_last(struct last *last, const struct plan_ctx *c, bool makes_process)
{
	const struct plan *plan = c->plan;
	const struct plan_step *limit = find_step(plan, PLAN_SET_RLIMIT);

	*last = (struct last){
		.status = c->status,
		.channel = c->fds[PLAN_FD_CHANNEL],
		.makes_process = makes_process,
		.waits_for_runtime = stage_last_waits_for_runtime(plan),
		/* Also if it was moved there: options->cgroup_fd is where it was made. */
		.may_leave_cgroup = plan->spawn.has_cgroup,
		.takes_terminal = find_step(plan, PLAN_TAKE_TERMINAL) != NULL,
		.has_limit = limit != NULL,
	};
	if (limit)
		last->limit = (struct rlimit64){ .rlim_cur = limit->u.rlimit.soft, .rlim_max = limit->u.rlimit.hard };
	fill_start(last, c);
	if (find_step(plan, PLAN_EXEC))
		fill_program(last, c);
}

/* While the code that words them is still mapped. */
static void
prepare_exec_errors(struct plan_ctx *c)
{
	const struct plan_step *step = find_step(c->plan, PLAN_EXEC);
	struct err *own = c->err;

	if (!step)
		return;
	c->err = &c->status->exec_error;
	exec_error(c, ENOENT);
	planrun_name_step(c, (uint32_t)(step - c->plan->steps));
	c->err = &c->status->too_big;
	exec_error(c, E2BIG);
	planrun_name_step(c, (uint32_t)(step - c->plan->steps));
	c->err = own;
}

/* ---- running it ---------------------------------------------------------------- */

/* Anonymous memory with the code of the last steps, as c->last_code. */
static int
copy_code(struct plan_ctx *c)
{
	size_t len = (size_t)(__stop_stage_last_code - __start_stage_last_code);
	char *copy;

	if (c->last_code)
		return 0;
	copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return err_set(c->err, errno, "make room for the last steps");
	memcpy(copy, __start_stage_last_code, len);
	__builtin___clear_cache(copy, copy + len);
	if (mprotect(copy, len, PROT_READ | PROT_EXEC) < 0)
		return err_set(c->err, errno, "make the last steps executable");
	c->last_code = copy;
	return 0;
}

/* Where a function of the section is in the copy. */
static void *
in_copy(const struct plan_ctx *c, const void *function)
{
	return c->last_code + ((const char *)function - __start_stage_last_code);
}

int
stage_last_take_signals(struct plan_ctx *c)
{
	void (*const restore)(void) = LAST_RETURN_FROM_SIGNAL;
	struct signals_handler handler = { 0 };
	int r;

	if (!RAW_SYSCALL_IS_INLINE || !stage_last_is_watched(c->plan))
		return signals_end_first_process(NULL);
	if ((r = copy_code(c)) < 0)
		return r;
	handler.handle = (void (*)(int, siginfo_t *, void *))in_copy(c, (const void *)last_end_by_signal);
	if (restore)
		handler.restore = (void (*)(void))in_copy(c, (const void *)restore);
	return signals_end_first_process(&handler);
}

/* The hooks of startContainer, and the filter with a listener: 0, or -errno with c->err. */
static int
run_rest(struct plan_ctx *c, struct last *last)
{
	int r = planrun_hooks(c);

	if (r < 0 || !stage_last_has_notify(c->plan))
		return r;
	r = stage_outlive_runtime(c);
	last->has_outlived = true;
	return r < 0 ? r : program_load_with_listener(c, find_step(c->plan, PLAN_LOAD_SECCOMP));
}

/* No capability is left that was kept for it. */
static int
load_early_filter(struct plan_ctx *c)
{
	const struct plan_step *filter = find_step(c->plan, PLAN_LOAD_SECCOMP);
	int r;

	if (!filter || !filter->u.seccomp.early)
		return 0;
	r = program_load_filter(c, filter);
	return r < 0 ? r : credentials_drop_kept(c);
}

/* The change of ids has had that effect, or the opposite (fs.suid_dumpable). An unprivileged
 * user must still get at the namespaces of a container of their own that waits for start. */
static int
become_undumpable(struct plan_ctx *c, const struct stage_options *options)
{
	if (!c->plan->spawn.enters_pidns_last && !options->may_trace)
		return 0;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_set(c->err, errno, "make the process undumpable") : 0;
}

/* Hooks of startContainer, or a listener, come in between. */
static void
run_in_parts(struct plan_ctx *c, struct last *last)
{
	if (stage_last_is_watched(c->plan) && exe_guard_make_private(c->files, c->n_files, c->err) < 0)
		return;
	last_run_begin(last);
	c->fds[PLAN_FD_CHANNEL] = last->channel; /* that of start */
	if (run_rest(c, last) < 0)
		return;
	if (find_step(c->plan, PLAN_EXEC))
		last_run_program(last);
	err_plain(c->err, "process: the config has none, so there is no program to start");
}

/* After the filter, only what stage_last_filter.c has asked it for. */
static void
run_at_once(struct plan_ctx *c, struct last *last)
{
	last_code *run = last_run_all;

	if (stage_last_is_watched(c->plan)) {
		last->files = c->files;
		last->n_files = c->n_files;
		if (copy_code(c) < 0)
			return;
		run = (last_code *)in_copy(c, (const void *)last_run_all);
	}
	if (load_early_filter(c) == 0)
		run(last);
}

void
stage_last(struct plan_ctx *c, const struct stage_options *options, bool makes_process)
{
	struct last_message hello;
	struct last last;
	int r;

	fill_message(&hello, STAGE_STATUS, c->fds[PLAN_FD_STATUS]);
	fill_last(&last, c, makes_process);
	last.hello = &hello.head;
	prepare_exec_errors(c);
	process_hide_arguments();
	if (c->holds_signals && (r = signals_release()) < 0) {
		err_set(c->err, -r, "look at the signals that came meanwhile");
		stage_fail(c);
	}
	if (become_undumpable(c, options) < 0)
		stage_fail(c);
	if (is_plain(c->plan))
		run_at_once(c, &last);
	else
		run_in_parts(c, &last);
	stage_fail(c);
}

/* ---- what failed ------------------------------------------------------------------ */

static const char *const texts[STAGE_LAST_COUNT] = {
	[STAGE_LAST_UNMAP] = "unmap the runtime",
	[STAGE_LAST_PROCESS] = "linux.namespaces: create the container's process in its pid namespace",
	[STAGE_LAST_SEND] = "send to the runtime",
	[STAGE_LAST_RECEIVE] = "receive from the runtime",
	[STAGE_LAST_GONE] = "the runtime exited while the container was being set up",
	[STAGE_LAST_ANSWER] = "the runtime sent an unexpected answer",
	[STAGE_LAST_DEATH_SIGNAL] = "set the parent-death signal",
	[STAGE_LAST_SESSION] = "start a session",
	[STAGE_LAST_TERMINAL] = "process.terminal: make the pty the controlling terminal",
	[STAGE_LAST_LIMIT] = "process.rlimits: set RLIMIT_NPROC",
	[STAGE_LAST_START] = "wait for start",
	[STAGE_LAST_NAME] = "name the process",
};

int
stage_last_error(const struct stage_status *status, struct err *err)
{
	uint32_t words = __atomic_load_n(&status->last_failed, __ATOMIC_ACQUIRE);
	int code = status->last_code;

	if (words == STAGE_LAST_NONE)
		return 0;
	err_clear(err);
	if (words == STAGE_LAST_EXEC || words == STAGE_LAST_TOO_BIG) {
		*err = words == STAGE_LAST_EXEC ? status->exec_error : status->too_big;
		err->msg[ERR_MSG_MAX - 1] = '\0';
		err->code = code;
	} else if (words == STAGE_LAST_FILTER) {
		err_set(err, code, "linux.seccomp: load the filter of %u instructions", status->filter_length);
		err->step = status->filter_step;
	} else if (words >= STAGE_LAST_COUNT) {
		err_plain(err, "the container's init failed in a way that is not known (%u)", words);
	} else if (code > 0) {
		err_set(err, code, "%s", texts[words]);
	} else {
		err_plain(err, "%s", texts[words]);
	}
	return err->code > 0 ? -err->code : -EINVAL;
}
