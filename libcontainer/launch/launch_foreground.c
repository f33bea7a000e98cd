/* Theory of operation: what run and restore do when the container runs; see
 * launch_foreground() and launch_detach() in launch.h. From then on the process needs little
 * of what it could do before, and gives up the rest (restrain.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/phases.h"
#include "libcontainer/launch/launch.h"
#include "libcontainer/stage/tty.h"
#include "libcontainer/state/end_reason.h"
#include "libcontainer/wait.h"

static void
tell_end(const struct launch *launch, const struct end_watch *watch, int code)
{
	struct arena *a = launch->env->arena;
	const char *reason = end_reason(watch, code, a);

	if (launch->options->keep)
		container_wait_keep(launch->env, &launch->state, code, reason);
	if (reason)
		log_warning("%s", end_reason_sentence(launch->options->id, code, reason, a));
}

/* ---- what stays in reach ----------------------------------------------- */

#define MAX_PLACES 7

struct foreground {
	struct container_env env; /* of the removal */
	struct cgroup cgroup;
	struct restrain_place places[MAX_PLACES];
	struct restrain_options restraint;
	bool restrains;
};

/* Processes and directories may belong to anyone: a program may have any uid, a container may own
 * its cgroup, and the state root may be in a directory of another user. Marks (cgroup_mark.c) are changed with
 * CAP_SYS_ADMIN, and need to be where the cgroup outlives the container. */
static uint64_t
kept_capabilities(const struct launch *launch)
{
	bool unmarks = launch->has_cgroup && launch->cgroup.marked && launch->cgroup.made == 0;

	return RESTRAIN_CAPABILITY(CAP_KILL) | RESTRAIN_CAPABILITY(CAP_DAC_OVERRIDE) |
	       (unmarks ? RESTRAIN_CAPABILITY(CAP_SYS_ADMIN) : 0);
}

static void
add_place(struct foreground *fg, int dirfd, const char *path, enum restrain_use use)
{
	fg->places[fg->restraint.n_places++] = (struct restrain_place){ dirfd, path, use };
}

static void
add_cgroup(struct foreground *fg, const struct launch *launch)
{
	struct arena *a = launch->env->arena;
	const char *path = launch->cgroup.path;

	add_place(fg, AT_FDCWD, launch->cgroup.mount, RESTRAIN_PARENT);
	add_place(fg, launch->cgroup.fd, ".", RESTRAIN_CGROUP);
	if (cgroup_is_systemd(&launch->cgroup))
		add_place(fg, AT_FDCWD,
			  arena_printf(a, "%s%.*s", launch->cgroup.mount, (int)(strrchr(path, '/') - path), path),
			  RESTRAIN_CGROUP);
}

/* Poststop hooks are programs of the host, and have the privileges of the caller: what this
 * process gave up they could not have. */
static int
plan_restraint(const struct launch *launch, struct foreground *fg, struct err *err)
{
	const struct container_env *env = launch->env;
	struct stat st;

	*fg = (struct foreground){ .env = *env, .cgroup = launch->cgroup };
	fg->restrains = !launch->state.has_poststop;
	if (!fg->restrains)
		return 0;
	fg->restraint = (struct restrain_options){ .uses_files = true,
						   .removes = true,
						   .asks_systemd = cgroup_is_systemd(&launch->cgroup),
						   .capabilities = kept_capabilities(launch),
						   .places = fg->places };
	add_place(fg, AT_FDCWD, "/proc", RESTRAIN_READ);
	add_place(fg, AT_FDCWD, env->root, RESTRAIN_PARENT);
	add_place(fg, AT_FDCWD, launch->dir.path, RESTRAIN_STATE);
	if (launch->resctrl.group)
		add_place(fg, launch->resctrl.root_fd, ".", RESTRAIN_PARENT);
	if (!launch->has_cgroup || launch->cgroup.fd < 0)
		return 0;
	if (fstat(launch->cgroup.fd, &st) < 0)
		return err_set(err, errno, "look at cgroup '%s'", launch->cgroup.path);
	fg->cgroup.inode = st.st_ino;
	fg->env.open_cgroup = &fg->cgroup;
	add_cgroup(fg, launch);
	return 0;
}

/* ---- in the foreground ------------------------------------------------- */

int
launch_foreground(struct launch *launch, struct err *err, int *ret_exit)
{
	struct foreground fg;
	struct end_watch watch;
	int r;

	/* Other commands may now have the lock. */
	state_close(&launch->dir);
	end_watch_open(&watch, &launch->cgroup);
	r = plan_restraint(launch, &fg, err);
	phases_enter("the program runs");
	if (r == 0)
		r = tty_relay(launch->stage.pidfd, launch->stage.pid, launch->console_master, &launch->notify, &watch,
			      fg.restrains ? &fg.restraint : NULL, err, ret_exit);
	phases_enter("remove what is left");
	if (r == 0)
		tell_end(launch, &watch, *ret_exit);
	end_watch_close(&watch);
	if (!launch->options->keep) {
		struct err later;

		err_clear(&later);
		if (container_delete(&fg.env, launch->options->id, /* force= */ true, &later) < 0 && r == 0) {
			*err = later;
			r = later.code ? -later.code : -EINVAL;
		}
	}
	return r;
}

/* ---- detached ---------------------------------------------------------- */

/* systemd is told when the container is ready, and that its init is what counts
 * from now on; until then the runtime must not end. */
int
launch_wait_ready(struct notify_socket *notify, int pidfd, pid_t pid, struct err *err)
{
	const struct restrain_options restraint = { 0 };
	int r;

	if (notify->listen_fd < 0 || notify->host_fd < 0)
		return 0;
	r = restrain_self(&restraint, err);
	if (r < 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	else
		notify_socket_wait(notify, pidfd, pid);
	return r;
}

int
launch_detach(struct launch *launch, struct err *err)
{
	struct err later;
	int r;

	state_close(&launch->dir);
	r = launch_wait_ready(&launch->notify, launch->stage.pidfd, launch->stage.pid, err);
	if (r < 0)
		container_delete(launch->env, launch->options->id, /* force= */ true, &later);
	return r;
}
