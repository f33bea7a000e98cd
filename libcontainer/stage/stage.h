/* The stage: how the runtime makes the container's init, and what they say to
 * each other until the program runs.
 *
 *    runtime                         init (knarr:[init])
 *    -------                         -------------------
 *    stage_spawn    ── clone3 ─────▶ stage_child
 *    id maps, oom score, devices,    waits, if there is any of these
 *    its scope of systemd
 *    MAPPED         ───────────────▶ becomes root of it; planrun_unseen:
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
 *    GO             ───────────────▶             or EOF: start was killed, init ends;
 *                                                or NOT_YET: init waits for the next start
 *                   ◀── fd ───────── LISTENER    (both run and start) of the seccomp profile
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
 * CLONE_PARENT, so that the init is the runtime's child all the same. Where the pid
 * namespace is among them, it does the init's part of the above itself, up to the last steps,
 * and makes the init in between:
 *
 *    runtime                         knarr:[join]
 *    -------                         ------------
 *                   ◀─────────────── NAMESPACES  its new user namespace is there
 *    id maps …
 *    MAPPED         ───────────────▶ the steps, with HOOKS and CONSOLE as above
 *                   ◀─────────────── LEAVE       if the cgroup has no room for both
 *    LEFT           ───────────────▶ clones the init, and ends: BORN
 *    saves state
 *    MAPPED         ───────────────▶ (the init) the last steps: stage_last.h
 *
 * exec takes this way into a container that runs: there knarr:[join] runs the plan's first
 * steps, enters all namespaces of the container's init with a single setns(2) on its pidfd,
 * and goes on with the rest of the plan. */
#ifndef KNARR_LIBCONTAINER_STAGE_STAGE_H
#define KNARR_LIBCONTAINER_STAGE_STAGE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "cgroups/resctrl.h"
#include "plan/plan.h"

enum stage_message {
	STAGE_NONE,
	STAGE_NAMESPACES, /* knarr:[join] → runtime: it is in its new user namespace */
	STAGE_MAPPED,	  /* runtime → init */
	STAGE_HOOKS,	  /* init → runtime, answered by STAGE_HOOKS_DONE */
	STAGE_HOOKS_DONE, /* runtime → init */
	STAGE_CONSOLE,	  /* init → runtime, with the pty's master */
	STAGE_LEAVE,	  /* knarr:[join] → runtime: no room in the cgroup for two; answered by STAGE_LEFT */
	STAGE_LEFT,	  /* runtime → knarr:[join] */
	STAGE_BORN,	  /* not sent: knarr:[join] has made the init and ended; answered by STAGE_MAPPED */
	STAGE_READY,	  /* init → runtime: created */
	STAGE_STATUS,	  /* init → start, with the memfd; answered by STAGE_GO */
	STAGE_GO,	  /* start → init: the state says that the container runs */
	STAGE_NOT_YET,	  /* start → init, instead: the state could not be saved */
	STAGE_LISTENER,	  /* init → runtime or start, with the listener */
	STAGE_EXECED,	  /* not sent: EOF without an error in the status */
	STAGE_MESSAGE_COUNT
};

/* What can fail in the last steps, which have no words for it: stage_last.h. */
enum stage_last_words {
	STAGE_LAST_NONE,
	STAGE_LAST_UNMAP,
	STAGE_LAST_PROCESS,
	STAGE_LAST_SEND,
	STAGE_LAST_RECEIVE,
	STAGE_LAST_GONE,
	STAGE_LAST_ANSWER,
	STAGE_LAST_DEATH_SIGNAL,
	STAGE_LAST_SESSION,
	STAGE_LAST_TERMINAL,
	STAGE_LAST_LIMIT,
	STAGE_LAST_START,
	STAGE_LAST_NAME,
	STAGE_LAST_FILTER,
	STAGE_LAST_EXEC,
	STAGE_LAST_TOO_BIG,
	STAGE_LAST_COUNT
};

/* Shared memory of the init and whoever waits for it. */
struct stage_status {
	struct err err; /* what failed, where failed is set */
	uint32_t failed;
	uint32_t hook_failed; /* and that step was a hook */
	int32_t init_pid;     /* by knarr:[join]: the process that it made */
	uint32_t at_exec;     /* the init reached execve */
	uint32_t born;	      /* the process that the runtime cloned has run at all */
	uint32_t last_failed; /* enum stage_last_words: what failed of the last steps, with last_code */
	int32_t last_code;
	struct err exec_error, too_big; /* what to say of execve */
	uint32_t filter_length;		/* instructions */
	uint16_t filter_step;
};

/* The runtime's (or start's) end. */
struct stage {
	pid_t pid;			 /* init; 0 for `start` until known */
	bool is_joining;		 /* not yet: it is knarr:[join], which will make the init */
	bool has_left_cgroup;		 /* and is not in the container's cgroup */
	bool is_seen;			 /* others can see the init before it is the program */
	bool waits;			 /* the init does, for stage_continue(), when it was born */
	int cgroup_fd;			 /* the container's, as in the options; or -1 */
	const struct resctrl *resctrl;	 /* as in the options */
	int pidfd;			 /* of the init, or -1 */
	int channel;			 /* or -1 */
	int status_fd;			 /* memfd, or -1 */
	struct stage_status *status;	 /* shared memory, unmapped by stage_close() */
	uint32_t expected;		 /* messages that may still come: bit set of enum stage_message */
	bool was_refused;		 /* pids.max of the cgroup refused the init, which was moved there instead */
	struct net_devices *net_devices; /* what was moved into the container's namespace; or NULL */
};

struct stage_options {
	int cgroup_fd;		       /* O_PATH fd of the container's cgroup; -1: none, or it comes later */
	int start_fd;		       /* listening socket for `start` (create); -1 */
	int init_pidfd;		       /* exec: of the container's init */
	int root_fd;		       /* exec: root of a container without a mount namespace; -1 */
	const struct resctrl *resctrl; /* where the plan has a group of resctrl */
	bool hold;		       /* the init waits for stage_continue() before it does anything */
	int hook_stdout, hook_stderr;  /* 0: none */
	int cgroup_procs;    /* cgroup.procs of a cgroup below the container's, which the init moves to; 0: none */
	bool guard_in_child; /* the init hides the runtime's executable itself */
	bool not_dumpable;   /* the init's /proc/PID/{exe,fd,mem,root} are closed from the start */
	bool may_trace;	     /* the runtime needs them for nothing: it has CAP_SYS_PTRACE */
};

/* Opens the plan's sources, clones the init (and knarr:[join] where needed), writes id
 * maps and the oom score, moves network devices. On success *ret_stage is the caller's
 * to close with stage_close(). 0, or -errno with err: then no process and no fd is left;
 * -ECHILD: knarr:[join] was killed. */
int stage_spawn(const struct plan *plan, const struct stage_options *options, struct err *err, struct stage *ret_stage);

/* Lets an init go on that was made with `hold`. 0 or -errno as of stage_reply(). */
int stage_continue(struct stage *stage, struct err *err);

/* Waits for the next thing the init asks for. *ret_fd: descriptor that came
 * along (the caller's), or -1; for STAGE_LISTENER the listener itself.
 * A failed step, or the init's death, is -errno with err: the step's property,
 * object and reason, and a hint where the cause is known; -ECHILD: it was killed. */
int stage_next(struct stage *stage, const struct plan *plan, struct err *err, enum stage_message *ret_message,
	       int *ret_fd);

/* Answers the init (STAGE_HOOKS_DONE, STAGE_GO, STAGE_NOT_YET). 0, or -errno with err: the init's own
 * words if it has failed meanwhile. */
int stage_reply(struct stage *stage, enum stage_message message, struct err *err);

/* `start`: connects to the init's start.sock in the directory dirfd and receives
 * the shared status. expects_listener: the container has a seccomp listener.
 * The init goes on after stage_reply(STAGE_GO), and ends without it. *ret_stage is the
 * caller's to close. 0 or -errno with err. */
int stage_connect(int dirfd, pid_t pid, bool expects_listener, struct err *err, struct stage *ret_stage);

/* Makes the listening socket start.sock in the directory dirfd: *ret_fd, the caller's. 0 or
 * -errno with err. */
int stage_listen(int dirfd, struct err *err, int *ret_fd);

/* Kills the init and reaps it, after moving its network devices back. For
 * failures before it is anybody else's. */
void stage_kill(struct stage *stage);

/* The container is there: its network devices are its own from now on. */
void stage_forget_devices(struct stage *stage);

/* Closes descriptors and unmaps the status; the init lives on. */
void stage_close(struct stage *stage);

#endif
