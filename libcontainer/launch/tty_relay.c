/* Theory of operation: see tty.h. The parent's half: one poll(2) loop over
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
#include "libcontainer/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

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
set_raw(struct relay *r)
{
	struct termios raw;

	if (r->master < 0 || r->is_raw || tcgetattr(STDIN_FILENO, &r->saved) < 0)
		return;
	raw = r->saved;
	cfmakeraw(&raw);
	r->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void
restore(struct relay *r)
{
	if (r->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &r->saved);
	r->is_raw = false;
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
tty_plan_size(struct plan_builder *b)
{
	struct winsize size;

	if (!caller_window_size(&size))
		return;
	for (size_t i = 0; i < b->n_steps; i++) {
		struct plan_step *s = &b->steps[i];

		if (s->kind != PLAN_OPEN_CONSOLE || s->u.console.set_size)
			continue;
		s->u.console.set_size = true;
		s->u.console.height = size.ws_row;
		s->u.console.width = size.ws_col;
	}
}

/* ---- signals, continued ---------------------------------------------- */

static void
forward(const struct relay *r, int sig)
{
	syscall(SYS_pidfd_send_signal, r->pidfd, sig, NULL, 0);
}

static void
stop_self(struct relay *r)
{
	forward(r, SIGTSTP);
	restore(r);
	kill(getpid(), SIGSTOP);
}

static void
take_signal(struct relay *r, int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGPIPE:
		return;
	case SIGWINCH:
		tty_copy_size(r->master);
		if (r->master < 0)
			forward(r, sig);
		return;
	case SIGTSTP:
		stop_self(r);
		return;
	case SIGCONT:
		set_raw(r);
		tty_copy_size(r->master);
		break;
	case SIGINT:
	case SIGTERM:
	case SIGQUIT:
	case SIGHUP:
		/* The init is gone and somebody does not read our output. */
		if (r->ended)
			r->drained = r->output_failed = true;
		break;
	}
	forward(r, sig);
}

static void
read_signals(struct relay *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info))
		take_signal(r, (int)info.ssi_signo);
}

/* ---- copying --------------------------------------------------------- */

/* Reads into an empty buffer. 1: data or try again later, 0: the end. */
static int
fill(struct buffer *b, int fd)
{
	ssize_t n = read(fd, b->data, sizeof(b->data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : 0;
	b->at = 0;
	b->len = (size_t)n;
	return n > 0;
}

/* Writes what fd takes; false: fd takes nothing ever again. */
static bool
flush(struct buffer *b, int fd)
{
	ssize_t n = write(fd, b->data + b->at, b->len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	b->at += (size_t)n;
	b->len -= (size_t)n;
	return true;
}

/* Our stdin has ended: the reader of the pty is told by its end-of-file
 * character, twice behind an unfinished line. A shell that then goes to editing
 * lines by itself drops what it had not read: it is told again. */
static void
send_eof(struct relay *r)
{
	struct termios t;

	if (tcgetattr(r->master, &t) < 0)
		return;
	if (r->eof_sent && r->eof_mode == (t.c_lflag & ICANON))
		return;
	r->to_pty.data[0] = r->to_pty.data[1] = (char)t.c_cc[VEOF];
	r->to_pty.at = 0;
	r->to_pty.len = r->eof_sent || r->last_input == '\n' ? 1 : 2;
	r->eof_sent = true;
	r->eof_mode = t.c_lflag & ICANON;
	r->last_input = '\n';
}

static void
read_input(struct relay *r)
{
	r->input_open = fill(&r->to_pty, STDIN_FILENO) > 0;
	if (r->to_pty.len)
		r->last_input = r->to_pty.data[r->to_pty.at + r->to_pty.len - 1];
}

/* Reading the master also lets the kernel hand over what the slave's writers
 * left, so that EAGAIN after the init's end means that there is no more. */
static void
read_output(struct relay *r)
{
	int more = fill(&r->from_pty, r->master);

	if (more == 0 || (r->ended && r->from_pty.len == 0))
		r->drained = true;
	if (r->output_failed)
		r->from_pty.len = 0;
}

static void
copy(struct relay *r, const struct pollfd *input, const struct pollfd *output, const struct pollfd *master)
{
	if (input->revents && r->to_pty.len == 0)
		read_input(r);
	if ((master->revents & POLLOUT) && r->to_pty.len && !flush(&r->to_pty, r->master))
		r->to_pty.len = 0;
	if (output->revents && r->from_pty.len && !flush(&r->from_pty, STDOUT_FILENO)) {
		r->output_failed = true;
		r->from_pty.len = 0;
	}
	if ((r->ended || (master->revents & ~POLLOUT)) && r->from_pty.len == 0)
		read_output(r);
	if (!r->input_open && r->to_pty.len == 0 && !r->ended)
		send_eof(r);
}

/* ---- the loop -------------------------------------------------------- */

static bool
is_finished(const struct relay *r)
{
	return r->ended && (r->master < 0 || (r->drained && r->from_pty.len == 0));
}

static bool
notify_is_open(const struct relay *r)
{
	return r->notify && r->notify->listen_fd >= 0 && !r->notify->ready;
}

static int
step(struct relay *r, struct err *err)
{
	enum { SIGNALS, INIT, NOTIFY, INPUT, OUTPUT, MASTER, WATCH, COUNT = WATCH + END_WATCH_FILES };
	bool to_master = r->to_pty.len > 0, from_master = r->from_pty.len == 0 && !r->drained;
	struct pollfd p[COUNT] = {
		[SIGNALS] = { r->signals, POLLIN, 0 },
		[INIT] = { r->ended ? -1 : r->pidfd, POLLIN, 0 },
		[NOTIFY] = { notify_is_open(r) ? r->notify->listen_fd : -1, POLLIN, 0 },
		[INPUT] = { r->master >= 0 && r->input_open && !to_master && !r->ended ? STDIN_FILENO : -1, POLLIN, 0 },
		[OUTPUT] = { r->from_pty.len ? STDOUT_FILENO : -1, POLLOUT, 0 },
		[MASTER] = { to_master || from_master ? r->master : -1,
			     (short)((to_master ? POLLOUT : 0) | (from_master ? POLLIN : 0)), 0 },
	};
	end_watch_poll(r->ended ? NULL : r->watch, &p[WATCH]);
	/* While draining, "nothing to read" must be seen too. */
	int timeout = r->ended && from_master ? 0 : -1;

	if (poll(p, COUNT, timeout) < 0)
		return errno == EINTR ? 0 : err_set(err, errno, "wait for the container");
	if (p[INIT].revents || p[WATCH].revents || p[WATCH + 1].revents)
		end_watch_read(r->watch);
	if (p[SIGNALS].revents)
		read_signals(r);
	if (p[NOTIFY].revents)
		notify_socket_read(r->notify, 0);
	if (p[INIT].revents)
		r->ended = true;
	if (r->master >= 0)
		copy(r, &p[INPUT], &p[OUTPUT], &p[MASTER]);
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
prepare(struct relay *r, struct err *err)
{
	sigset_t set;

	relayed_signals(&set);
	r->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r->signals < 0)
		return err_set(err, errno, "watch signals");
	if (r->master < 0)
		return 0;
	if (fcntl(r->master, F_SETFL, fcntl(r->master, F_GETFL) | O_NONBLOCK) < 0)
		return err_set(err, errno, "prepare the terminal");
	r->slave = ioctl(r->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	set_raw(r);
	/* The config's size counts until the caller's terminal changes its own. */
	if (!has_size(r->master))
		tty_copy_size(r->master);
	return 0;
}

int
tty_relay(int pidfd, pid_t pid, int master_fd, struct notify_socket *notify, struct end_watch *watch, struct err *err,
	  int *ret_exit)
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
