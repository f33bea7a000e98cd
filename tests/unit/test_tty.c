/* Terminals: the relay between two ptys, exit codes, signals. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"
#include "libcontainer/stage/tty.h"
#include "tests/unit/check.h"

/* ---- a relay under test ---------------------------------------------- */

/* The test holds the master of the outer pty (the caller's terminal), or the
 * ends of pipes. */
struct run {
	pid_t relay;
	int in, out; /* what we write and read */
	int tty;     /* slave of the outer pty; -1: pipes */
};

/* In the relay's process: runs sh -c line on an inner pty (or on our own stdio),
 * and relays. */
static void
relay_process(const char *line, bool terminal)
{
	int master = -1, slave = -1, code = 99, pidfd;
	struct err err;
	sigset_t old;
	pid_t pid;

	tty_block_signals(&old);
	if (terminal && openpty(&master, &slave, NULL, NULL, NULL) < 0)
		_exit(98);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		if (terminal)
			login_tty(slave);
		else
			setsid();
		close(master);
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(97);
	}
	close(slave);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	if (tty_relay(pidfd, pid, master, NULL, NULL, NULL, &err, &code) < 0)
		_exit(96);
	_exit(code);
}

static struct run
start(const char *line, bool terminal, bool outer_tty)
{
	struct run r = { .tty = -1 };
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, outer = -1;

	fflush(stdout);
	if (outer_tty) {
		struct winsize size = { .ws_row = 33, .ws_col = 77 };

		if (openpty(&outer, &r.tty, NULL, NULL, &size) < 0)
			exit(1);
	} else if (pipe(in) < 0 || pipe(out) < 0) {
		exit(1);
	}
	r.relay = fork();
	if (r.relay == 0) {
		if (outer_tty) {
			close(outer);
			login_tty(r.tty);
		} else {
			dup2(in[0], 0);
			dup2(out[1], 1);
			close(in[0]);
			close(in[1]);
			close(out[0]);
			close(out[1]);
		}
		relay_process(line, terminal);
	}
	if (outer_tty) {
		r.in = outer;
		r.out = dup(outer);
	} else {
		close(in[0]);
		close(out[1]);
		r.in = in[1];
		r.out = out[0];
	}
	return r;
}

/* Reads until text comes, at most ten seconds; NULL: to the end. */
static const char *
expect(struct run *r, const char *text)
{
	static char buf[400000];
	size_t len = 0;
	ssize_t n;

	buf[0] = '\0';
	while (len < sizeof(buf) - 1) {
		struct pollfd p = { r->out, POLLIN, 0 };

		if (poll(&p, 1, 10000) <= 0)
			break;
		n = read(r->out, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		if (text && strstr(buf, text))
			return buf;
	}
	if (text) {
		printf("no \"%s\" in \"%s\"\n", text, buf);
		failed = 1;
	}
	return buf;
}

static int
end(struct run *r)
{
	int status = 0;

	for (int i = 0; waitpid(r->relay, &status, WNOHANG) == 0; i++) {
		if (i == 1000) {
			printf("the relay hangs\n");
			kill(r->relay, SIGKILL);
		}
		usleep(10000);
	}
	if (r->in >= 0)
		close(r->in);
	close(r->out);
	fd_close(r->tty);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
send_text(struct run *r, const char *text)
{
	CHECK(write(r->in, text, strlen(text)) == (ssize_t)strlen(text));
}

static bool
is_raw(const struct run *r)
{
	struct termios t;

	return tcgetattr(r->tty, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

/* ---- without a terminal ---------------------------------------------- */

static void
test_exit_codes(void)
{
	struct run r = start("exit 42", false, false);

	CHECK(end(&r) == 42);
	r = start("kill -9 $$", false, false);
	CHECK(end(&r) == 137);
	r = start("exit 5", true, false);
	CHECK(end(&r) == 5);
}

static void
test_signals(void)
{
	static const struct {
		int sig;
		const char *name;
	} sigs[] = {
		{ SIGTERM, "TERM" }, { SIGHUP, "HUP" }, { SIGINT, "INT" }, { SIGUSR1, "USR1" }, { SIGQUIT, "QUIT" }
	};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		char line[128];
		struct run r;

		snprintf(line, sizeof(line), "trap 'exit 7' %s; echo up; while :; do sleep 0.05; done", sigs[i].name);
		r = start(line, false, false);
		expect(&r, "up");
		kill(r.relay, sigs[i].sig);
		CHECK(end(&r) == 7);
	}
	struct run r = start("echo up; exec sleep 30", false, false);

	expect(&r, "up");
	kill(r.relay, SIGTERM);
	CHECK(end(&r) == 128 + SIGTERM);
}

/* ---- between two ptys ------------------------------------------------ */

static void
test_terminal(void)
{
	struct run r = start("stty size; stty -echo; echo ready; read x; echo \"got $x\"; exit 9", true, true);
	struct winsize size = { .ws_row = 11, .ws_col = 22 };

	CHECK(strstr(expect(&r, "ready"), "33 77"));
	CHECK(is_raw(&r));
	send_text(&r, "some text\r");
	expect(&r, "got some text");
	CHECK(end(&r) == 9);

	r = start("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done", true, true);
	expect(&r, "ready");
	ioctl(r.in, TIOCSWINSZ, &size); /* the kernel signals the relay */
	expect(&r, "11 22");
	CHECK(end(&r) == 0);
}

/* The caller's terminal is as it was, whatever ended the container. */
static void
test_restore(void)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGKILL };
	struct termios before, after;

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		struct run r = start("echo ready; [ -t 0 ] && exec sleep 30", true, true);
		int keep = dup(r.tty);

		expect(&r, "ready");
		CHECK(is_raw(&r));
		if (sigs[i] == SIGKILL)
			send_text(&r, "\003"); /* ^C, which the inner terminal turns into SIGINT */
		else
			kill(r.relay, sigs[i]);
		CHECK(end(&r) == 128 + (sigs[i] == SIGKILL ? SIGINT : sigs[i]));
		close(keep);
	}

	struct run r = start("echo ready; read x", true, true);

	expect(&r, "ready");
	tcgetattr(r.tty, &before);
	kill(r.relay, SIGTSTP);
	for (int i = 0; i < 500 && is_raw(&r); i++)
		usleep(10000);
	CHECK(!is_raw(&r));
	CHECK(waitpid(r.relay, NULL, WUNTRACED) == r.relay);
	kill(r.relay, SIGCONT);
	for (int i = 0; i < 500 && !is_raw(&r); i++)
		usleep(10000);
	tcgetattr(r.tty, &after);
	CHECK(is_raw(&r) && before.c_lflag == after.c_lflag);
	send_text(&r, "\r");
	usleep(50000);
	CHECK(end(&r) == 0);
}

/* Everything arrives although the program ended long before it was read. */
static void
test_drain(void)
{
	struct run r = start("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789$i; "
			     "i=$((i+1)); done",
			     true, false);
	const char *text;

	usleep(300000);
	text = expect(&r, "01234567892999");
	CHECK(strstr(text, "01234567890\r\n") && strlen(text) > 120000);
	CHECK(end(&r) == 0);

	/* Nobody reads: the container ends all the same. */
	r = start("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789$i; i=$((i+1)); done; "
		  "exit 4",
		  true, false);
	close(r.out);
	r.out = -1;
	CHECK(end(&r) == 4);
}

/* The end of stdin reaches the program as the end of its input. */
static void
test_eof(void)
{
	struct run r = start("stty -echo; echo ready; cat; echo done", true, false);

	expect(&r, "ready");
	send_text(&r, "a line\n");
	close(r.in);
	r.in = -1;
	CHECK(strstr(expect(&r, "done"), "a line"));
	CHECK(end(&r) == 0);

	r = start("stty -echo; echo ready; cat; echo done", true, false);
	expect(&r, "ready");
	send_text(&r, "unfinished");
	close(r.in);
	r.in = -1;
	CHECK(strstr(expect(&r, "done"), "unfinished"));
	CHECK(end(&r) == 0);

	/* A program that goes to raw mode after it was told. */
	r = start("sleep 0.3; stty raw -echo; echo raw; dd bs=1 count=1 2> /dev/null | od -An -tx1; exit 0", true,
		  false);
	close(r.in);
	r.in = -1;
	expect(&r, "raw");
	CHECK(end(&r) == 0);
}

/* A program that closes the terminal and opens it again later. */
static void
test_reopen(void)
{
	struct run r =
		start("t=$(tty); exec < /dev/null > /dev/null 2>&1; sleep 0.2; echo again > $t; exit 6", true, false);

	expect(&r, "again");
	CHECK(end(&r) == 6);
}

/* ---- the console of a container (root) ------------------------------- */

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL); /* a shell starts its `make check &` with these two ignored */
	signal(SIGQUIT, SIG_DFL);
	test_exit_codes();
	test_signals();
	test_terminal();
	test_restore();
	test_drain();
	test_eof();
	test_reopen();
	return failed;
}
