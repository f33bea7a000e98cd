/* The child's half: nothing here allocates.
 *
 * The rootfs may hold anything under /dev (CVE-2025-52565: a link in place of the
 * pty or of /dev/console led a bind mount to a file of procfs). So:
 *   - ptmx is opened below the root and believed only if it is the ptmx of a
 *     devpts (file system type and device number);
 *   - the slave comes from the master (TIOCGPTPEER), never from a name;
 *   - /dev/console is opened as a lone last component without following it, and
 *     the slave is mounted descriptor on descriptor. */
#include "libcontainer/stage/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/stage/stage_ask.h"
#include "namespaces/mount/path_in_root.h"

/* ---- master and slave ------------------------------------------------ */

/* 1: it is. */
static int
is_ptmx(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2);
}

static int
is_devpts_ptmx(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == DEVPTS_SUPER_MAGIC ? is_ptmx(fd) : 0;
}

/* The container's own; -ENODEV: it has no devpts. Looked at before it is opened:
 * opening a device node of the image can have effects of its own (a watchdog). */
static int
open_own_ptmx(int root)
{
	auto_close int dir = path_open(root, "/dev/pts", O_PATH | O_DIRECTORY, 0);
	auto_close int node = -1, fd = -1;
	int r;

	if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP)
		return -ENODEV;
	if (dir < 0)
		return dir;
	node = openat(dir, "ptmx", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (node < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	r = is_devpts_ptmx(node);
	if (r <= 0)
		return r < 0 ? r : -ENODEV;
	fd = openat(dir, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = is_devpts_ptmx(fd);
	return r > 0 ? fd_take(&fd) : r < 0 ? r : -ENODEV;
}

/* O_NONBLOCK, as the relay in the runtime wants the master. inside: in a container
 * that runs already, where /dev/ptmx is what its programs have put there. */
static int
open_master(struct plan_ctx *c, int root, bool inside, int *ret_master)
{
	int fd = open_own_ptmx(root);

	if (fd == -ENODEV && inside)
		return err_plain(c->err, "the container has no devpts on /dev/pts");
	if (fd == -ENODEV) {
		fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return err_set(c->err, errno, "open the host's /dev/ptmx (the container has no devpts)");
		if (is_ptmx(fd) != 1) {
			fd_close(fd);
			return err_plain(c->err, "the host's /dev/ptmx is not a pty multiplexer");
		}
	}
	if (fd < 0)
		return err_set(c->err, -fd, "open a pty in the container's /dev/pts");
	*ret_master = fd;
	return 0;
}

/* A pty begins with ONLCR. */
static int
leave_newlines(int slave)
{
	struct termios t;

	if (tcgetattr(slave, &t) < 0)
		return -errno;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(slave, TCSANOW, &t) < 0 ? -errno : 0;
}

static int
open_slave(struct plan_ctx *c, const struct plan_console *console, int master, int *ret_slave)
{
	struct winsize size = { .ws_row = console->height, .ws_col = console->width };
	auto_close int slave = -1;
	struct stat st;
	int unlocked = 0, r;

	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_set(c->err, errno, "unlock the pty");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(c->err, errno, "open the slave of the pty");
	if (console->set_size && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return err_set(c->err, errno, "set the pty's size to %ux%u", console->width, console->height);
	if (console->plain_newlines && (r = leave_newlines(slave)) < 0)
		return err_set(c->err, -r, "set the modes of the pty");
	if (fstat(slave, &st) < 0 || (st.st_uid != console->uid && fchown(slave, console->uid, (gid_t)-1) < 0))
		return err_set(c->err, errno, "give the pty to uid %u", console->uid);
	*ret_slave = fd_take(&slave);
	return 0;
}

/* ---- /dev/console ---------------------------------------------------- */

/* An O_PATH descriptor of the file /dev/console, made when missing. */
static int
open_console_file(int root)
{
	char name[NAME_MAX + 1];
	auto_close int dir = path_open_parent(root, "/dev/console", 0755, name);
	auto_close int fd = -1;
	struct stat st;

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		fd_close(openat(dir, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
		fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return fd_take(&fd);
}

static int
bind_console(struct plan_ctx *c, int root, int slave)
{
	auto_close int target = open_console_file(root);
	auto_close int tree = -1;

	if (target < 0)
		return err_set(c->err, -target, "make /dev/console%s",
			       target == -ELOOP ? " (a symbolic link is there)" : "");
	tree = (int)syscall(SYS_open_tree, slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return err_set(c->err, errno, "take the pty for /dev/console");
	if (syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(c->err, errno, "mount the pty on /dev/console");
	return 0;
}

/* ---- the step -------------------------------------------------------- */

/* It becomes the controlling terminal later (TAKE_TERMINAL), when the process is the program's. */
static int
give_terminal(struct plan_ctx *c, int slave)
{
	for (int fd = 0; fd < 3; fd++)
		if (fd == slave ? fcntl(fd, F_SETFD, 0) < 0 : dup3(slave, fd, 0) < 0)
			return err_set(c->err, errno, "make the pty descriptor %d", fd);
	return 0;
}

int
tty_run_open_console(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_console *p = &step->u.console;
	auto_close int own_root = -1, master = -1, slave = -1;
	int root = c->fds[PLAN_FD_ROOT], r;

	if (root < 0) { /* in a container that runs already: its root is ours */
		root = own_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return err_set(c->err, errno, "open '/'");
	}
	r = open_master(c, root, own_root >= 0, &master);
	if (r == 0)
		r = open_slave(c, p, master, &slave);
	if (r == 0 && p->bind)
		r = bind_console(c, root, slave);
	if (r == 0)
		r = stage_send_console(c, master);
	/* Before 0, 1 and 2 are filled: they may be among them if the caller had those closed. */
	fd_close(fd_take(&master));
	fd_close(fd_take(&own_root));
	if (r == 0)
		r = give_terminal(c, slave);
	if (slave >= 0 && slave < 3)
		slave = -1; /* it is the program's now */
	return r;
}
