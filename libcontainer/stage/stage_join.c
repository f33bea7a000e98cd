/* knarr:[join] makes the init with CLONE_PARENT, so that it is the runtime's child, and ends.
 * The kernel has put the init's number into the shared status by then. */
#include "libcontainer/stage/stage_join.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/host.h"
#include "base/process.h"
#include "libcontainer/process/attributes.h"
#include "libcontainer/stage/stage_error.h"
#include "libcontainer/stage/stage_last.h"

int
stage_join_collect(struct stage *stage, const struct plan *plan, pid_t join, struct err *err)
{
	int status, r;

	while (waitpid(join, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for the process that joins namespaces");
	stage->pidfd = fd_close(stage->pidfd);
	stage->is_joining = false;
	stage->pid = stage->status->init_pid > 0 ? stage->status->init_pid : 0;
	r = stage_error(stage, plan, err);
	if (r < 0)
		return r;
	if (stage->pid <= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return stage_error_killed(plan, err);
	if (stage->pid <= 0) {
		err_plain(err, "the process that joins namespaces exited with wait status %#x", (unsigned)status);
		return WIFSIGNALED(status) ? -ECHILD : -EINVAL;
	}
	stage->pidfd = process_open(stage->pid);
	return stage->pidfd < 0 ? err_set(err, -stage->pidfd, "open a pidfd of the container's init") : 0;
}

int
stage_join_take_init(struct stage *stage, const struct plan *plan, struct err *err)
{
	int r = stage_join_collect(stage, plan, stage->pid, err);

	if (r == 0 && stage->has_left_cgroup)
		r = stage_join_move_to_cgroup(stage->cgroup_fd, stage->pid, err);
	/* It has been in the group since it was made; this is for those who read which processes are. */
	if (r == 0 && plan->spawn.resctrl)
		r = resctrl_join(stage->resctrl, stage->pid, err);
	if (r == 0 && plan->spawn.has_scheduler) {
		r = attributes_set_scheduler(&plan->spawn.scheduler, stage->pid, err);
		if (r < 0)
			err_wrap(err, "process.scheduler");
	}
	stage->waits = stage_last_waits_for_runtime(plan) || stage->has_left_cgroup;
	return r;
}

int
stage_join_move_to_cgroup(int cgroup_fd, pid_t pid, struct err *err)
{
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%d", (int)pid);
	r = fd_write_file_at(cgroup_fd, "cgroup.procs", text);
	if (r == -EACCES && geteuid() != 0)
		return err_set(err, EACCES,
			       "move the new process to the container's cgroup (hint: an unprivileged user must call "
			       "knarr from a cgroup that is delegated to them)");
	return r < 0 ? err_set(err, -r, "move the new process to the container's cgroup") : 0;
}

int
stage_join_leave_cgroup(struct stage *stage, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct host host;
	char text[16];
	int r = host_probe(&a, err, &host);

	if (r < 0)
		return r;
	if (!host.cgroup_mount || stage->cgroup_fd < 0)
		return err_set(err, EAGAIN, "make a process in the container's cgroup, which has room for none");
	snprintf(text, sizeof(text), "%d", (int)stage->pid);
	r = fd_write_file_at(AT_FDCWD, arena_printf(&a, "%s%s/cgroup.procs", host.cgroup_mount, host.cgroup_own), text);
	if (r < 0)
		return err_set(err, -r,
			       "move knarr:[join] out of the container's cgroup, which has no room for the program "
			       "beside it");
	stage->has_left_cgroup = true;
	return 0;
}
