/* Launching: the part that create and run share, from the bundle to an init
 * that executes its plan; and undoing it all. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_H
#define KNARR_LIBCONTAINER_LAUNCH_H

#include "libcontainer/container.h"
#include "libcontainer/notify_socket.h"
#include "libcontainer/resctrl_use.h"
#include "libcontainer/stage.h"

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
int launch_prepare(struct launch *l, const struct container_env *env, const struct container_create_options *o,
		   enum launch_mode mode, const struct host *host, struct err *err);

/* Makes state directory, cgroup and init, serves the init until it is created
 * (LAUNCH_CREATE) or has become the program (LAUNCH_RUN), and saves the state. 0, or
 * -errno with err: then launch_undo() is due. */
int launch_go(struct launch *l, struct err *err);

/* Parts of launch_go() for restore, whose init is made by CRIU: state directory and
 * cgroup; the prestart and createRuntime hooks for the process l->stage.pid; what
 * happens to the master of a terminal (taken from *fd, or sent to the console
 * socket); the pid in the state; the pid file; the pidfd for its socket. 0 or -errno with err. */
int launch_make_places(struct launch *l, struct err *err);
int launch_run_create_hooks(struct launch *l, struct err *err);
int launch_take_console(struct launch *l, int *fd, struct err *err);
int launch_save_pid(struct launch *l, struct err *err);
int launch_write_pid_file(struct launch *l, struct err *err);
int launch_send_pidfd(const struct launch *l, struct err *err);

/* Makes the scope of systemd around the process pid, the init or one in its place,
 * which must be there and wait, and the cgroup in it. 0 or -errno with err. */
int launch_make_scope(struct launch *l, pid_t pid, struct err *err);

/* After a failure: leaves the host as if nothing had been tried. */
void launch_undo(struct launch *l);

/* Frees and closes; the container lives on. */
void launch_close(struct launch *l);

/* What run does from then on, in the foreground: releases the lock, relays, waits,
 * deletes the container unless it is to be kept, and sets *ret_exit. 0 or -errno. */
int launch_stay(struct launch *l, struct err *err, int *ret_exit);

/* Detached: releases the lock, and if systemd started knarr, waits until the container
 * is ready, which it is told then, or has ended. */
void launch_detach(struct launch *l);

/* The state document for hooks and listeners: one line, in a. */
char *launch_state_json(struct arena *a, const struct state *s, const char *status, pid_t pid);

#endif
