/* The console of a container: the socket that its master is sent to, and (as root)
 * the console itself, with an honest and with a hostile /dev. */
#include <errno.h>
#include <fcntl.h>
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
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/stage/tty.h"
#include "tests/unit/check.h"

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
	r->ctty = ioctl(0, TIOCSCTTY, 0) == 0 && open("/dev/tty", O_RDWR) >= 0; /* as the last steps do */
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
	test_console_socket();
	if (failed || geteuid() != 0) {
		if (!failed)
			printf("SKIP: the console of a container needs root\n");
		return failed ? 1 : SKIP;
	}
	test_console();
	return failed;
}
