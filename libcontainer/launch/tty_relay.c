/* The parent's half: one poll(2) loop over
 *
 *    signals (signalfd) ──▶ init            stdin ──▶ to_pty ──▶ master
 *    init (pidfd)       ──▶ the end        master ──▶ from_pty ──▶ stdout
 *
 * One buffer for each direction; a side is asked for data only while its buffer
 * is empty, so a reader that stalls stalls its writer and nothing else. stdin and
 * stdout are shared with the caller and stay blocking: they are touched only when
 * poll says so, 4096 bytes at a time, which is what POLLOUT promises for a pipe.
 *
 * The relay holds the slave open too. Without that, a program that closes the
 * terminal and opens /dev/console again later (an init system does) would end
 * the relay for good; the end of the container is told by the pidfd alone.
 *
 * All signals are blocked from before the clone on, none can kill the relay and
 * leave the caller's terminal raw. SIGTTIN and SIGTTOU are not: they stop a
 * `knarr run &` at its first touch of the terminal, as with any program. */
#include "libcontainer/stage/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct buffer {
	char data[4096];
	size_t at, len; /* what is left to write: data[at … at+len-1] */
};

struct relay {
	int pidfd, signals, master, slave;
	struct notify_socket *notify;
	struct end_watch *watch;
	struct buffer to_pty, from_pty;
	struct termios saved;
	tcflag_t eof_mode; /* ICANON of the pty when its end of file was sent */
	char last_input;
	bool is_raw;	 /* the caller's terminal, to be restored from saved */
	bool input_open; /* stdin has more */
	bool eof_sent;
	bool output_failed; /* nobody reads stdout: throw away */
	bool ended;	    /* the init has; only draining is left */
	bool drained;
};

/* ---- signals --------------------------------------------------------- */

static void
relayed_signals(sigset_t *set)
{
	static const int not [] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGTTIN, SIGTTOU };

	sigfillset(set);
	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		sigdelset(set, not [i]);
}

void
tty_block_signals(sigset_t *ret_old)
{
	sigset_t set;

	relayed_signals(&set);
	sigprocmask(SIG_BLOCK, &set, ret_old);
}

/* ---- the caller's terminal ------------------------------------------- */

static void
set_raw(struct relay *relay)
{
	struct termios raw;

	if (relay->master < 0 || relay->is_raw || tcgetattr(STDIN_FILENO, &relay->saved) < 0)
		return;
	raw = relay->saved;
	cfmakeraw(&raw);
	relay->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void
restore(struct relay *relay)
{
	if (relay->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &relay->saved);
	relay->is_raw = false;
}

/* A terminal that nobody has given a size yet says 0 x 0, and so decides nothing. */
static bool
caller_window_size(struct winsize *ret_size)
{
	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGWINSZ, ret_size) == 0 && (ret_size->ws_row > 0 || ret_size->ws_col > 0))
			return true;
	return false;
}

void
tty_copy_size(int master_fd)
{
	struct winsize size;

	if (master_fd >= 0 && caller_window_size(&size))
		ioctl(master_fd, TIOCSWINSZ, &size);
}

static bool
has_size(int master_fd)
{
	struct winsize size = { 0 };

	return ioctl(master_fd, TIOCGWINSZ, &size) == 0 && (size.ws_row > 0 || size.ws_col > 0);
}

void
tty_plan_foreground(struct plan_builder *b)
{
	struct winsize size;

	for (size_t i = 0; i < b->n_steps; i++) {
		struct plan_step *s = &b->steps[i];

		if (s->kind != PLAN_OPEN_CONSOLE)
			continue;
		s->u.console.plain_newlines = !isatty(STDOUT_FILENO);
		if (s->u.console.set_size || !caller_window_size(&size))
			continue;
		s->u.console.set_size = true;
		s->u.console.height = size.ws_row;
		s->u.console.width = size.ws_col;
	}
}

/* ---- signals, continued ---------------------------------------------- */

static void
forward(const struct relay *relay, int sig)
{
	syscall(SYS_pidfd_send_signal, relay->pidfd, sig, NULL, 0);
}

static void
stop_self(struct relay *relay)
{
	forward(relay, SIGTSTP);
	restore(relay);
	kill(getpid(), SIGSTOP);
}

static void
take_signal(struct relay *relay, int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGPIPE:
		return;
	case SIGWINCH:
		tty_copy_size(relay->master);
		if (relay->master < 0)
			forward(relay, sig);
		return;
	case SIGTSTP:
		stop_self(relay);
		return;
	case SIGCONT:
		set_raw(relay);
		tty_copy_size(relay->master);
		break;
	case SIGINT:
	case SIGTERM:
	case SIGQUIT:
	case SIGHUP:
		/* The init is gone and somebody does not read our output. */
		if (relay->ended)
			relay->drained = relay->output_failed = true;
		break;
	}
	forward(relay, sig);
}

static void
read_signals(struct relay *relay)
{
	struct signalfd_siginfo info;

	while (read(relay->signals, &info, sizeof(info)) == sizeof(info))
		take_signal(relay, (int)info.ssi_signo);
}

/* ---- copying --------------------------------------------------------- */

/* Reads into an empty buffer. 1: data or try again later, 0: the end. */
static int
fill(struct buffer *buffer, int fd)
{
	ssize_t n = read(fd, buffer->data, sizeof(buffer->data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : 0;
	buffer->at = 0;
	buffer->len = (size_t)n;
	return n > 0;
}

/* Writes what fd takes; false: fd takes nothing ever again. */
static bool
flush(struct buffer *buffer, int fd)
{
	ssize_t n = write(fd, buffer->data + buffer->at, buffer->len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buffer->at += (size_t)n;
	buffer->len -= (size_t)n;
	return true;
}

/* Our stdin has ended: the reader of the pty is told by its end-of-file
 * character, twice behind an unfinished line. A shell that then goes to editing
 * lines by itself drops what it had not read: it is told again. */
static void
send_eof(struct relay *relay)
{
	struct termios t;

	if (tcgetattr(relay->master, &t) < 0)
		return;
	if (relay->eof_sent && relay->eof_mode == (t.c_lflag & ICANON))
		return;
	relay->to_pty.data[0] = relay->to_pty.data[1] = (char)t.c_cc[VEOF];
	relay->to_pty.at = 0;
	relay->to_pty.len = relay->eof_sent || relay->last_input == '\n' ? 1 : 2;
	relay->eof_sent = true;
	relay->eof_mode = t.c_lflag & ICANON;
	relay->last_input = '\n';
}

static void
read_input(struct relay *relay)
{
	relay->input_open = fill(&relay->to_pty, STDIN_FILENO) > 0;
	if (relay->to_pty.len)
		relay->last_input = relay->to_pty.data[relay->to_pty.at + relay->to_pty.len - 1];
}

/* Reading the master also lets the kernel hand over what the slave's writers
 * left, so that EAGAIN after the init's end means that there is no more. */
static void
read_output(struct relay *relay)
{
	int more = fill(&relay->from_pty, relay->master);

	if (more == 0 || (relay->ended && relay->from_pty.len == 0))
		relay->drained = true;
	if (relay->output_failed)
		relay->from_pty.len = 0;
}

static void
copy(struct relay *relay, const struct pollfd *input, const struct pollfd *output, const struct pollfd *master)
{
	if (input->revents && relay->to_pty.len == 0)
		read_input(relay);
	if ((master->revents & POLLOUT) && relay->to_pty.len && !flush(&relay->to_pty, relay->master))
		relay->to_pty.len = 0;
	if (output->revents && relay->from_pty.len && !flush(&relay->from_pty, STDOUT_FILENO)) {
		/* A reader that has left, or a terminal that was hung up, wants no more. */
		if (errno != EPIPE && errno != EIO)
			log_warning("output of the program is lost: write to standard output: %s", err_reason(errno));
		relay->output_failed = true;
		relay->from_pty.len = 0;
	}
	if ((relay->ended || (master->revents & ~POLLOUT)) && relay->from_pty.len == 0)
		read_output(relay);
	if (!relay->input_open && relay->to_pty.len == 0 && !relay->ended)
		send_eof(relay);
}

/* ---- the loop -------------------------------------------------------- */

static bool
is_finished(const struct relay *relay)
{
	return relay->ended && (relay->master < 0 || (relay->drained && relay->from_pty.len == 0));
}

static bool
notify_is_open(const struct relay *relay)
{
	return relay->notify && relay->notify->listen_fd >= 0 && !relay->notify->ready;
}

static int
step(struct relay *relay, struct err *err)
{
	enum { SIGNALS, INIT, NOTIFY, INPUT, OUTPUT, MASTER, WATCH, COUNT = WATCH + END_WATCH_FILES };
	bool to_master = relay->to_pty.len > 0, from_master = relay->from_pty.len == 0 && !relay->drained;
	struct pollfd p[COUNT] = {
		[SIGNALS] = { relay->signals, POLLIN, 0 },
		[INIT] = { relay->ended ? -1 : relay->pidfd, POLLIN, 0 },
		[NOTIFY] = { notify_is_open(relay) ? relay->notify->listen_fd : -1, POLLIN, 0 },
		[INPUT] = { relay->master >= 0 && relay->input_open && !to_master && !relay->ended ? STDIN_FILENO : -1,
			    POLLIN, 0 },
		[OUTPUT] = { relay->from_pty.len ? STDOUT_FILENO : -1, POLLOUT, 0 },
		[MASTER] = { to_master || from_master ? relay->master : -1,
			     (short)((to_master ? POLLOUT : 0) | (from_master ? POLLIN : 0)), 0 },
	};
	end_watch_poll(relay->ended ? NULL : relay->watch, &p[WATCH]);
	/* While draining, "nothing to read" must be seen too. */
	int timeout = relay->ended && from_master ? 0 : -1;

	if (poll(p, COUNT, timeout) < 0)
		return errno == EINTR ? 0 : err_set(err, errno, "wait for the container");
	if (p[INIT].revents || p[WATCH].revents || p[WATCH + 1].revents)
		end_watch_read(relay->watch);
	if (p[SIGNALS].revents)
		read_signals(relay);
	if (p[NOTIFY].revents)
		notify_socket_read(relay->notify, 0);
	if (p[INIT].revents)
		relay->ended = true;
	if (relay->master >= 0)
		copy(relay, &p[INPUT], &p[OUTPUT], &p[MASTER]);
	return 0;
}

static int
reap(int pidfd, pid_t pid, struct err *err, int *ret_exit)
{
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for the container's init %d", (int)pid);
	*ret_exit = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

static int
prepare(struct relay *relay, struct err *err)
{
	sigset_t set;

	relayed_signals(&set);
	relay->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (relay->signals < 0)
		return err_set(err, errno, "watch signals");
	if (relay->master < 0)
		return 0;
	if (fcntl(relay->master, F_SETFL, fcntl(relay->master, F_GETFL) | O_NONBLOCK) < 0)
		return err_set(err, errno, "prepare the terminal");
	relay->slave = ioctl(relay->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	set_raw(relay);
	/* The config's size counts until the caller's terminal changes its own. */
	if (!has_size(relay->master))
		tty_copy_size(relay->master);
	return 0;
}

/* After all that is opened here, as the slave of the pty. A program that runs must not be left
 * with a parent that can more than it should, nor without one. */
static int
restrain(const struct relay *relay, pid_t pid, const struct restrain_options *restraint, struct err *err)
{
	int exit_status, r = restraint ? restrain_self(restraint, err) : 0;
	struct err ignored;

	if (r < 0) {
		forward(relay, SIGKILL);
		reap(relay->pidfd, pid, &ignored, &exit_status);
	}
	return r;
}

int
tty_relay(int pidfd, pid_t pid, int master_fd, struct notify_socket *notify, struct end_watch *watch,
	  const struct restrain_options *restraint, struct err *err, int *ret_exit)
{
	struct relay r = {
		.pidfd = pidfd,
		.signals = -1,
		.master = master_fd,
		.slave = -1,
		.notify = notify,
		.watch = watch,
		.input_open = true,
		.last_input = '\n',
	};
	sigset_t old;
	int result;

	tty_block_signals(&old);
	result = prepare(&r, err);
	if (result == 0)
		result = restrain(&r, pid, restraint, err);
	while (result == 0 && !is_finished(&r))
		result = step(&r, err);
	restore(&r);
	fd_close(r.slave);
	fd_close(r.signals);
	if (result == 0)
		result = reap(pidfd, pid, err, ret_exit);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return result;
}
