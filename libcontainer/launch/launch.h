/* Launching: the part that create and run share, from the bundle to an init
 * that executes its plan; and undoing it all. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_LAUNCH_H
#define KNARR_LIBCONTAINER_LAUNCH_LAUNCH_H

#include "libcontainer/container.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/stage/stage.h"
#include "libcontainer/state/notify_socket.h"

enum launch_mode { LAUNCH_CREATE, LAUNCH_RUN, LAUNCH_RESTORE, LAUNCH_PLAN };

struct launch {
	const struct container_env *env;
	const struct container_create_options *options;
	enum launch_mode mode;
	const char *bundle; /* absolute */
	struct spec *spec;
	struct host host;
	struct cgroup cgroup;
	struct resctrl resctrl;
	struct plan *plan;
	struct state_dir dir; /* fd -1: no state directory was made */
	struct state state;
	struct stage stage;
	int start_fd;		     /* listening socket start.sock (create); -1 */
	int console_master;	     /* of a foreground run; -1 */
	const char *notify_host;     /* NOTIFY_SOCKET of the caller; NULL: none */
	struct notify_socket notify; /* run only */
	bool hooks_ran;		     /* prestart or createRuntime were begun */
	bool has_cgroup;	     /* cgroup_create() was successful */
	bool has_pid_file;	     /* --pid-file was written */
	bool no_subids;		     /* plans for a reference host */
};

/* Reads the bundle, checks it against the host and compiles the plan. Touches
 * nothing. host NULL: this host. 0 or -errno with err; launch_close() is due in any
 * case. */
int launch_prepare(struct launch *launch, const struct container_env *env,
		   const struct container_create_options *options, enum launch_mode mode, const struct host *host,
		   struct err *err);

/* Makes state directory, cgroup and init, serves the init until it is created
 * (LAUNCH_CREATE) or has become the program (LAUNCH_RUN), and saves the state. 0, or
 * -errno with err: then launch_undo() is due. */
int launch_go(struct launch *launch, struct err *err);

/* Parts of launch_go() for restore, whose init is made by CRIU: state directory and
 * cgroup; the prestart and createRuntime hooks for the process launch->stage.pid; what
 * happens to the master of a terminal (taken from *fd, or sent to the console
 * socket); the pid in the state; the pid file; the pidfd for its socket. 0 or -errno with err. */
int launch_make_state_and_cgroup(struct launch *launch, struct err *err);
int launch_run_create_hooks(struct launch *launch, struct err *err);
int launch_take_console(struct launch *launch, int *fd, struct err *err);
int launch_save_pid(struct launch *launch, struct err *err);
int launch_write_pid_file(struct launch *launch, struct err *err);
int launch_send_pidfd(const struct launch *launch, struct err *err);

/* Makes the scope of systemd around the process pid, the init or one in its place,
 * which must be there and wait, and the cgroup in it. 0 or -errno with err. */
int launch_make_scope(struct launch *launch, pid_t pid, struct err *err);

/* After a failure: leaves the host as if nothing had been tried. */
void launch_undo(struct launch *launch);

/* Frees and closes; the container lives on. */
void launch_close(struct launch *launch);

/* What run does from then on, in the foreground: releases the lock, relays, waits,
 * deletes the container unless it is to be kept, and sets *ret_exit. 0 or -errno. */
int launch_foreground(struct launch *launch, struct err *err, int *ret_exit);

/* Detached: releases the lock, and launch_wait_ready(). 0, or -errno with err: then the container
 * is deleted. */
int launch_detach(struct launch *launch, struct err *err);

/* If systemd started knarr (notify is open): gives up all privileges and waits until the container,
 * whose init is pidfd and pid, is ready, which systemd is told then, or has ended. 0, or
 * -errno with err: then the init was killed. */
int launch_wait_ready(struct notify_socket *notify, int pidfd, pid_t pid, struct err *err);

/* The state document for hooks and listeners: one line, in a. */
char *launch_state_json(struct arena *a, const struct state *state, const char *status, pid_t pid);

#endif
