/* NOTIFY_SOCKET of sd_notify(3), for a runtime that systemd started with
 * Type=notify: the container gets a socket of its own, and the runtime tells
 * systemd when the container has said that it is ready.
 *
 *   container ── READY=1 ──▶ <state dir>/notify/notify.sock ──▶ runtime ──▶ host
 *   (/run/notify/notify.sock: the directory notify is bind mounted there, read-only)
 *
 * The host's socket is not passed on: what a container sends there (MAINPID=,
 * FDSTORE=, WATCHDOG=) would be taken for the runtime's word. */
#ifndef KNARR_LIBCONTAINER_STATE_NOTIFY_SOCKET_H
#define KNARR_LIBCONTAINER_STATE_NOTIFY_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "plan/plan.h"

struct notify_socket {
	int listen_fd; /* the container's; -1: closed, or there is none */
	int host_fd;   /* connected to the host's; -1: there is none, or nobody listens */
	bool ready;    /* READY=1 was passed on */
};

/* The host's address in the runtime's environment, or NULL: then none of the
 * rest is to be called. */
const char *notify_socket_host(void);

/* Path in the container of the socket, for its NOTIFY_SOCKET. */
#define NOTIFY_SOCKET_IN_CONTAINER "/run/notify/notify.sock"

/* Adds the mount of the directory dir, which need not exist before stage_spawn().
 * parent_opens: see struct rootfs_options. Touches nothing. */
void notify_socket_plan(struct plan_builder *b, const char *dir, bool parent_opens);

/* Path of the directory in a state directory, in a. */
char *notify_socket_dir(struct arena *a, const char *state_path);

/* Makes the directory notify in the state directory. 0 or -errno with err, as below. */
int notify_socket_make_dir(int state_fd, struct err *err);

/* Before the program starts (run, start): binds the container's socket, unless
 * the container was created without one, and connects to host; warns when nobody listens
 * there. */
int notify_socket_open(int state_fd, const char *host, struct err *err, struct notify_socket *ret_socket);

/* listen_fd is readable: passes READY=1 on. main_pid: what systemd shall take
 * for the main process from now on; 0: stays the runtime (foreground). */
void notify_socket_read(struct notify_socket *notify, pid_t main_pid);

/* start, run --detach: waits until the container is ready or its init ended. */
void notify_socket_wait(struct notify_socket *notify, int pidfd, pid_t main_pid);

/* Closes both descriptors. */
void notify_socket_close(struct notify_socket *notify);

/* Removes the directory notify again; no error when there is none. */
int notify_socket_remove(int state_fd, struct err *err);

#endif
