/* Terminals: the pty of the container (child half), handing it to a console
 * socket, and the foreground relay between it and the caller's terminal. */
#ifndef KNARR_LIBCONTAINER_STAGE_TTY_H
#define KNARR_LIBCONTAINER_STAGE_TTY_H

#include <signal.h>
#include <sys/types.h>

#include "base/err.h"
#include "libcontainer/process/restrain.h"
#include "libcontainer/state/end_watch.h"
#include "libcontainer/state/notify_socket.h"
#include "plan/plan.h"

/* PLAN_OPEN_CONSOLE: opens a pty of the container's devpts (ptmx, TIOCGPTPEER),
 * sets size and owner, binds the slave on /dev/console, sends the master to
 * the parent through the channel, makes the slave the controlling terminal and
 * fds 0, 1, 2. Child; allocates nothing. */
int tty_run_open_console(struct plan_ctx *c, const struct plan_step *step);

/* Connects to the AF_UNIX socket at path (SOCK_STREAM; paths longer than
 * sun_path work through /proc/self/fd) and sends master_fd, which is made blocking, by
 * SCM_RIGHTS with the text "/dev/pts/ptmx", as conmon and containerd read it. 0 or
 * -errno with err. */
int tty_send_to_socket(const char *path, int master_fd, struct err *err);

/* For every PLAN_OPEN_CONSOLE step of b, when the program runs in the foreground: it
 * begins with the size of the caller's terminal (of stdin, stdout or stderr, whichever
 * is one) where the config gives none; and unless our stdout is a terminal, the pty
 * does not turn \n into \r\n: what reads it, a pipe or file, wants lines. */
void tty_plan_foreground(struct plan_builder *b);

/* Gives the pty of master_fd the size of the caller's terminal. Nothing when that has
 * none, or master_fd is -1. */
void tty_copy_size(int master_fd);

/* Foreground: what `run` does until the container's init ends.
 * pidfd, pid: of the init, a child of the caller. master_fd: the pty, made
 * non-blocking here, or -1 without a terminal (then only signals are forwarded).
 * notify: NULL, or a socket whose messages are passed on meanwhile.
 * watch: NULL, or what is kept up to date until the end.
 * restraint: NULL, or what the process keeps for its work after the end: it gives up all
 * else before it reads anything from the container. If it cannot, the init is killed.
 * Puts the caller's terminal (stdin, if one) in raw mode and restores it in all
 * cases, forwards window size (SIGWINCH) and every signal that tty_block_signals()
 * blocks to the init, stops with it at SIGTSTP and goes on at SIGCONT, and drains
 * the pty after the end. A stdin that ends is told to the pty as its end-of-file
 * character. Reaps the init. Returns 0 and *ret_exit (128+N after a signal), or
 * -errno with err. */
int tty_relay(int pidfd, pid_t pid, int master_fd, struct notify_socket *notify, struct end_watch *watch,
	      const struct restrain_options *restraint, struct err *err, int *ret_exit);

/* Blocks the signals that tty_relay() forwards, so that none is lost between
 * clone and relay; *ret_old is for the child to restore. */
void tty_block_signals(sigset_t *ret_old);

#endif
