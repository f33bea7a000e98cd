/* The stage: how the runtime makes the container's init, and what they say to
 * each other until the program runs.
 *
 *    runtime                         init (knarr:[init])
 *    -------                         -------------------
 *    stage_spawn    ── clone3 ─────▶ stage_child
 *    id maps, oom score, devices,    waits, if there is any of these
 *    its scope of systemd
 *    MAPPED         ───────────────▶ becomes root of it; plan_run:
 *                   ◀─────────────── HOOKS       all mounts are there
 *    prestart, createRuntime
 *    HOOKS_DONE     ───────────────▶
 *                   ◀── fd ───────── CONSOLE     master of the pty
 *                   ◀─────────────── READY       (create) waits on start.sock (knarr:[wait])
 *    saves state, ends
 *
 *    start                           init
 *    -----                           ----
 *    connect        ───────────────▶ accept
 *                   ◀── fd ───────── STATUS      memfd of the shared status
 *    saves state
 *    GO             ───────────────▶             or EOF: start was killed, init ends
 *                   ◀─────────────── LISTENER n  (both run and start) fd n will be
 *    takes fd n with pidfd_getfd                 the seccomp listener; init loads
 *    listener_taken = 1  (memory)                the filter, spins on the flag
 *                   ◀── EOF ──────── execve      or death: then status tells
 *
 * One SOCK_SEQPACKET, one fixed struct, at most one fd per message. A message
 * that the plan does not call for, or that comes twice, is refused and the init
 * killed. The failure of a step is not a message: it lies in struct
 * stage_status, which both share, because the last steps run under the
 * container's seccomp filter and may not be allowed to send anything.
 *
 * Between the runtime and the init stands a third process, knarr:[join], only
 * when namespaces are joined by path: it enters them and clones the init with
 * CLONE_PARENT, so that the init is the runtime's child all the same.
 *
 * exec takes the same way into a container that runs: there knarr:[join] runs the
 * plan's first steps, enters all namespaces of the container's init with a single
 * setns(2) on its pidfd, and what it clones runs the rest of the plan. */
#ifndef KNARR_LIBCONTAINER_STAGE_H
#define KNARR_LIBCONTAINER_STAGE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/plan.h"
#include "cgroups/resctrl.h"

/* Names of the init (comm) until its execve: while it is being set up, and from there
 * on while it waits for start. */
#define STAGE_NAME_INIT "knarr:[init]"
#define STAGE_NAME_WAIT "knarr:[wait]"

enum stage_message {
	STAGE_NONE,
	STAGE_MAPPED,	  /* runtime → init */
	STAGE_HOOKS,	  /* init → runtime, answered by STAGE_HOOKS_DONE */
	STAGE_HOOKS_DONE, /* runtime → init */
	STAGE_CONSOLE,	  /* init → runtime, with the pty's master */
	STAGE_READY,	  /* init → runtime: created */
	STAGE_STATUS,	  /* init → start, with the memfd; answered by STAGE_GO */
	STAGE_GO,	  /* start → init: the state says that the container runs */
	STAGE_LISTENER,	  /* init → runtime or start, value: fd number in the init */
	STAGE_EXECED,	  /* not sent: EOF without an error in the status */
	STAGE_MESSAGE_COUNT
};

/* Shared memory of the init and whoever waits for it. */
struct stage_status {
	struct err err;		 /* msg[0] != 0: a step failed */
	uint32_t hook_failed;	 /* and that step was a hook */
	int32_t init_pid;	 /* set by knarr:[join] */
	uint32_t at_exec;	 /* the init reached execve */
	uint32_t listener_taken; /* set by the runtime */
};

/* The runtime's (or start's) end. */
struct stage {
	pid_t pid;			 /* init; 0 for `start` until known */
	int pidfd;			 /* of the init, or -1 */
	int channel;			 /* or -1 */
	int status_fd;			 /* memfd, or -1 */
	struct stage_status *status;	 /* shared memory, unmapped by stage_close() */
	uint32_t expected;		 /* messages that may still come: bit set of enum stage_message */
	struct net_devices *net_devices; /* what was moved into the container's namespace; or NULL */
};

struct stage_options {
	int cgroup_fd;		       /* O_PATH fd of the container's cgroup; -1: none */
	int start_fd;		       /* listening socket for `start` (create); -1 */
	int init_pidfd;		       /* exec: of the container's init */
	int root_fd;		       /* exec: root of a container without a mount namespace; -1 */
	const struct resctrl *resctrl; /* where the plan has a group of resctrl */
	bool hold;		       /* the init waits for stage_release() before it does anything */
	int hook_stdout, hook_stderr;  /* 0: none */
	int cgroup_procs;    /* cgroup.procs of a cgroup below the container's, which the init moves to; 0: none */
	bool guard_in_child; /* the init hides the runtime's executable itself */
	bool not_dumpable;   /* the init's /proc/PID/{exe,fd,mem,root} are closed until its execve */
};

/* Opens the plan's sources, clones the init (and knarr:[join] where needed), writes id
 * maps and the oom score, moves network devices. On success *ret_stage is the caller's
 * to close with stage_close(). 0, or -errno with err: then no process and no fd is left;
 * -ECHILD: knarr:[join] was killed. */
int stage_spawn(const struct plan *p, const struct stage_options *o, struct err *err, struct stage *ret_stage);

/* Lets an init go on that was made with `hold`. 0 or -errno as of stage_reply(). */
int stage_release(struct stage *g, struct err *err);

/* Waits for the next thing the init asks for. *ret_fd: descriptor that came
 * along (the caller's), or -1; for STAGE_LISTENER the listener itself.
 * A failed step, or the init's death, is -errno with err: the step's property,
 * object and reason, and a hint where the cause is known; -ECHILD: it was killed. */
int stage_next(struct stage *g, const struct plan *p, struct err *err, enum stage_message *ret_message, int *ret_fd);

/* Answers the init (STAGE_HOOKS_DONE, STAGE_GO). 0, or -errno with err: the init's own
 * words if it has failed meanwhile. */
int stage_reply(struct stage *g, enum stage_message message, struct err *err);

/* `start`: connects to the init's start.sock in the folder dirfd and receives
 * the shared status. expects_listener: the container has a seccomp listener.
 * The init goes on after stage_reply(STAGE_GO), and ends without it. *ret_stage is the
 * caller's to close. 0 or -errno with err. */
int stage_connect(int dirfd, pid_t pid, bool expects_listener, struct err *err, struct stage *ret_stage);

/* Makes the listening socket start.sock in the folder dirfd: *ret_fd, the caller's. 0 or
 * -errno with err. */
int stage_listen(int dirfd, struct err *err, int *ret_fd);

/* Kills the init and reaps it, after moving its network devices back. For
 * failures before it is anybody else's. */
void stage_kill(struct stage *g);

/* The container is there: its network devices are its own from now on. */
void stage_settle(struct stage *g);

/* Closes descriptors and unmaps the status; the init lives on. */
void stage_close(struct stage *g);

/* ---- for steps, in the init ------------------------------------------ */

/* Sends message (and fd, if not -1) over PLAN_FD_CHANNEL; answer: the message to
 * wait for, or STAGE_NONE. Allocates nothing. 0 or -errno with c->err. */
int stage_ask(struct plan_ctx *c, enum stage_message message, int32_t value, int fd, enum stage_message answer);

/* Sends the master of the console to the runtime. */
int stage_send_console(struct plan_ctx *c, int master);

#endif
