/* Terminals: the relay between two ptys, exit codes, signals; the console
 * socket; and (as root) the console of a container with an honest and with a
 * hostile /dev. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"
#include "libcontainer/stage.h"
#include "libcontainer/tty.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

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
	if (tty_relay(pidfd, pid, master, NULL, &err, &code) < 0)
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

/* ---- console socket -------------------------------------------------- */

static void
check_socket(const char *dir, const char *name)
{
	char path[4096], payload[64] = "", link[64];
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control;
	struct iovec iov = { payload, sizeof(payload) - 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), dirfd = open(dir, O_PATH), conn, got = -1, master, slave;
	struct stat a, b;
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	CHECK(bind(server, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(server, 1) == 0);
	CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	fcntl(master, F_SETFL, O_NONBLOCK);
	err_clear(&err);
	CHECK(tty_send_to_socket(path, master, &err) == 0);
	if (err.msg[0])
		printf("%s\n", err.msg);
	conn = accept(server, NULL, NULL);
	CHECK(recvmsg(conn, &msg, 0) > 0 && payload[0]);
	memcpy(&got, CMSG_DATA(&control.head), sizeof(int));
	CHECK(fstat(got, &a) == 0 && fstat(master, &b) == 0 && a.st_rdev == b.st_rdev);
	CHECK(!(fcntl(got, F_GETFL) & O_NONBLOCK));
	CHECK(read(conn, link, 1) == 0); /* closed after the one message */
	unlink(path);
	CHECK(tty_send_to_socket(path, master, &err) == -ENOENT);
	close(server);
	close(conn);
	close(got);
	close(master);
	close(slave);
	close(dirfd);
}

static void
test_console_socket(void)
{
	char dir[4096] = "/tmp/knarr-test-tty-XXXXXX", deep[4096];

	CHECK(mkdtemp(dir) != NULL);
	check_socket(dir, "s");
	snprintf(deep, sizeof(deep), "%.100s/%0150d", dir, 0);
	CHECK(mkdir(deep, 0700) == 0);
	check_socket(deep, "console.sock");
	rmdir(deep);
	rmdir(dir);
}

/* ---- the console of a container (root) ------------------------------- */

struct console_result {
	struct err err;
	int status, got_master;
	unsigned ctty, console, stdout_dev, uid, rows, cols;
};

static int
run_shell(const char *line)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* Makes dev of a rootfs in a mount namespace of its own, runs the step. */
static void
console_process(const char *root, const char *prepare, int channel, struct console_result *r)
{
	auto_arena struct arena a = { 0 };
	static struct plan_ctx c;
	struct plan_builder b;
	struct plan_step *s;
	struct winsize size;
	struct plan *plan;
	struct stat st;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chdir(root) < 0 ||
	    mount("tmpfs", root, "tmpfs", 0, NULL) < 0 || chdir(root) < 0 || run_shell(prepare) != 0)
		_exit(2);
	setsid();
	plan_begin(&b, &a);
	s = plan_add(&b, PLAN_OPEN_CONSOLE, "process.terminal");
	s->u.console = (struct plan_console){ .height = 12, .width = 34, .uid = 77, .set_size = true, .bind = true };
	if (plan_seal(&b, &r->err, &plan) < 0)
		_exit(3);
	memset(c.fds, -1, sizeof(c.fds));
	c.plan = plan;
	c.err = &r->err;
	c.fds[PLAN_FD_ROOT] = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c.fds[PLAN_FD_CHANNEL] = channel;
	if (tty_run_open_console(&c, &plan->steps[0]) < 0)
		_exit(1);
	if (fstat(0, &st) == 0)
		r->uid = st.st_uid;
	r->stdout_dev = fstat(1, &st) == 0 ? (unsigned)st.st_rdev : 0;
	r->console = stat("dev/console", &st) == 0 ? (unsigned)st.st_rdev : 0;
	r->ctty = open("/dev/tty", O_RDWR) >= 0;
	if (ioctl(2, TIOCGWINSZ, &size) == 0) {
		r->rows = size.ws_row;
		r->cols = size.ws_col;
	}
	_exit(0);
}

static struct console_result
console(const char *prepare)
{
	char root[] = "/tmp/knarr-test-tty-XXXXXX", buf[256];
	struct console_result *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct console_result r;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control = { { 0 } };
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int sv[2], master = -1;
	pid_t pid;

	CHECK(mkdtemp(root) != NULL);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == 0);
	err_clear(&shared->err);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		console_process(root, prepare, sv[1], shared);
	close(sv[1]);
	if (recvmsg(sv[0], &msg, 0) > 0 && control.head.cmsg_type == SCM_RIGHTS) {
		memcpy(&master, CMSG_DATA(&control.head), sizeof(int));
		shared->got_master = 1;
	}
	waitpid(pid, &shared->status, 0);
	fd_close(master);
	close(sv[0]);
	r = *shared;
	munmap(shared, sizeof(*shared));
	rmdir(root);
	return r;
}

static void
check_good(const struct console_result *r, int line)
{
	if (r->status == 0 && r->got_master && r->uid == 77 && r->ctty && r->rows == 12 && r->cols == 34 &&
	    r->console == r->stdout_dev && major(r->stdout_dev) == 136)
		return;
	printf("%s:%d: status %#x master %d uid %u ctty %u size %ux%u console %#x stdout %#x: %s\n", __FILE__, line,
	       (unsigned)r->status, r->got_master, r->uid, r->ctty, r->rows, r->cols, r->console, r->stdout_dev,
	       r->err.msg);
	failed = 1;
}

#define DEVPTS "mkdir -p dev/pts && mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts"

static void
test_console(void)
{
	struct console_result r = console(DEVPTS);

	check_good(&r, __LINE__);
	r = console("mkdir dev"); /* no devpts: the host's */
	check_good(&r, __LINE__);
	r = console("true"); /* not even dev */
	check_good(&r, __LINE__);
	/* Something else in the place of ptmx: a file, a fifo, a link to the host's. */
	r = console("mkdir -p dev/pts && echo x > dev/pts/ptmx");
	check_good(&r, __LINE__);
	r = console("mkdir -p dev/pts && mkfifo dev/pts/ptmx");
	check_good(&r, __LINE__);
	r = console("mkdir -p dev/pts && mknod dev/pts/ptmx c 5 2");
	check_good(&r, __LINE__);
	r = console(DEVPTS " && : > dev/console");
	check_good(&r, __LINE__);

	r = console(DEVPTS " && ln -s ../target dev/console && : > target");
	CHECK(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 1 && !r.got_master && strstr(r.err.msg, "symbolic link"));
	r = console(DEVPTS " && mkdir dev/console");
	CHECK(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 1 && r.err.code == EISDIR);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_exit_codes();
	test_signals();
	test_terminal();
	test_restore();
	test_drain();
	test_eof();
	test_reopen();
	test_console_socket();
	if (failed || geteuid() != 0) {
		if (!failed)
			printf("SKIP: the console of a container needs root\n");
		return failed ? 1 : SKIP;
	}
	test_console();
	return failed;
}
