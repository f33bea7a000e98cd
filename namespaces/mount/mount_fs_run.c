/* The executor of PLAN_MOUNT_FS.
 *
 * A mount is made detached, gets its attributes, and only then is moved onto
 * its place, which was resolved (and made, if need be) below the root and is
 * held open: nothing in the rootfs can change where it lands, and nobody ever
 * sees it without its flags. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/rootfs.h"
#include "namespaces/mount/rootfs_run.h"

/* proc and sysfs must land exactly where the config says: behind a link in the
 * rootfs they would sit somewhere else and /proc, which masks and labels rely
 * on, would be the attacker's (CVE-2019-19921, CVE-2023-27561). */
static bool
must_be_plain(const char *type)
{
	return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
}

static int
open_plain_dir(int rootfd, const char *dest, bool *ret_made)
{
	char name[NAME_MAX + 1];
	auto_close int parent = path_open_parent(rootfd, dest, 0755, name);
	bool made = false;
	int fd;

	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		made = mkdirat(parent, name, 0755) == 0;
		if (!made && errno != EEXIST)
			return -errno;
		fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	*ret_made = made;
	return fd;
}

/* Opens dest for a mount of that type; *ret_made: it was not there before. */
static int
open_dest(struct plan_ctx *c, const char *type, const char *dest, bool *ret_made)
{
	int root = c->fds[PLAN_FD_ROOT], fd;

	if (must_be_plain(type)) {
		fd = open_plain_dir(root, dest, ret_made);
		if (fd == -ENOTDIR || fd == -ELOOP || fd == -EINVAL)
			return err_set(c->err, -fd, "mount '%s' on '%s': it must be mounted on ordinary directory",
				       type, dest);
	} else {
		fd = path_open(root, dest, O_PATH | O_DIRECTORY, 0);
		*ret_made = fd == -ENOENT;
		if (fd == -ENOENT)
			fd = path_make_missing_dir(root, dest, 0755);
	}
	if (fd < 0)
		return err_set(c->err, -fd, "make the mount point '%s' for '%s'", dest, type);
	return fd;
}

static bool
has_mode(const struct plan *plan, struct plan_strv options)
{
	const char *o = plan_first(plan, options);

	for (uint32_t i = 0; o && i < options.n; i++, o = plan_next(o))
		if (strncmp(o, "mode=", 5) == 0)
			return true;
	return false;
}

/* A tmpfs without mode= takes the mode of the directory that it covers, as images
 * count on ("/run" stays 0755, "/tmp" stays 1777). */
static int
set_tmpfs_mode(struct fs_context *context, int dest_fd)
{
	struct stat st;
	char mode[16];

	if (fstat(dest_fd, &st) < 0)
		return fs_context_fail(context, errno, "mode");
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777);
	return fs_context_set(context, "mode", mode);
}

/* What fsopen(2) says of a kind of file system: that it may not be mounted here, or that the
 * kernel has none. */
static bool
is_answer(int code)
{
	return code == EPERM || code == ENODEV;
}

/* A procfs shows the pid namespace of the process that makes it, or, since Linux 6.17, the one
 * that is named. 1: the kernel cannot name it. */
static int
name_pid_namespace(struct plan_ctx *c, struct fs_context *context)
{
	int r = mount_fsconfig(context->fd, FSCONFIG_SET_FD, "pidns", NULL, c->fds[PLAN_FD_PID_NS]);

	if (r == -EINVAL)
		return 1;
	return r < 0 ? plan_answer(c, fs_context_fail(context, -r, "pidns")) : 0;
}

/* The new file system, detached, with its attributes and content. */
static int
make_fs(struct plan_ctx *c, const struct plan_mount_fs *mount, int dest_fd, bool dest_made, int *ret_mount_fd)
{
	const char *type = rootfs_text(c->plan, mount->type), *dest = rootfs_text(c->plan, mount->dest);
	const char *source = plan_text(c->plan, mount->source);
	/* Read-only comes last when there is something to write first. */
	uint64_t attrs = mount->copy_up ? mount->attrs.set & ~(uint64_t)MOUNT_ATTR_RDONLY : mount->attrs.set;
	auto_fs_context struct fs_context f;
	auto_close int mount_fd = -1;
	int r = fs_context_open(&f, c->err, type, dest);

	/* Here already sysfs and mqueue ask who owns the namespaces that they show. */
	if (r < 0)
		return is_answer(-r) ? plan_answer(c, r) : r;
	if (c->fds[PLAN_FD_PID_NS] >= 0 && strcmp(type, "proc") == 0)
		r = name_pid_namespace(c, &f);
	if (r != 0)
		return r;
	if (source)
		r = fs_context_set(&f, "source", source);
	if (r == 0 && !dest_made && strcmp(type, "tmpfs") == 0 && !has_mode(c->plan, mount->options))
		r = set_tmpfs_mode(&f, dest_fd);
	if (r < 0)
		return r;
	/* What the kernel says of these options, and of a mount of this kind here. */
	r = fs_context_set_all(&f, c->plan, mount->options);
	if (r == 0)
		r = fs_context_mount(&f, attrs, &mount_fd);
	if (r < 0)
		return plan_answer(c, r);
	if (mount->copy_up)
		r = copy_up_tree(dest_fd, mount_fd, dest, c->err);
	if (r < 0)
		return r;
	*ret_mount_fd = fd_take(&mount_fd);
	return 0;
}

/* ---- a procfs, before Linux 6.17 ------------------------------------------ */

struct making {
	struct plan_ctx *c;
	const struct plan_mount_fs *mount;
	int dest_fd;
	bool dest_made;
	int *ret_mount_fd;
	int r;
};

/* Its own pid namespace is the one that the procfs is to show. */
static int
make_in_child(void *arg)
{
	struct making *m = arg;

	m->c->fds[PLAN_FD_PID_NS] = -1;
	m->r = make_fs(m->c, m->mount, m->dest_fd, m->dest_made, m->ret_mount_fd);
	process_end(0);
}

/* A child is in the pid namespace that was set for children. It shares memory and
 * descriptors with this process, which waits, and cannot be looked into but with the
 * host's CAP_SYS_PTRACE; it is there for one mount. */
static int
make_fs_in_child(struct making *m)
{
	char stack[65536] __attribute__((aligned(64)));
	int pid_ns = m->c->fds[PLAN_FD_PID_NS];
	pid_t pid;

	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_set(m->c->err, errno, "make the process undumpable");
	m->r = err_plain(m->c->err, "the process that mounts a procfs was killed");
	pid = clone(make_in_child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, m);
	if (pid < 0)
		return err_set(m->c->err, errno, "make a process that mounts a procfs");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	m->c->fds[PLAN_FD_PID_NS] = pid_ns;
	if (m->r == 0)
		err_clear(m->c->err);
	return m->r;
}

/* As make_fs(), in the pid namespace that is joined. */
static int
make_fs_of_namespace(struct plan_ctx *c, const struct plan_mount_fs *mount, int dest_fd, bool dest_made,
		     int *ret_mount_fd)
{
	struct making m = { c, mount, dest_fd, dest_made, ret_mount_fd, 0 };
	int r = make_fs(c, mount, dest_fd, dest_made, ret_mount_fd);

	return r > 0 ? make_fs_in_child(&m) : r;
}

/* fsconfig(2) takes strings of at most 255 bytes; an overlay's lowerdir may be longer. */
static bool
needs_classic(const struct plan *plan, const struct plan_mount_fs *mount)
{
	const char *o = plan_first(plan, mount->options), *source = plan_text(plan, mount->source);

	if (source && strlen(source) > FS_CONTEXT_VALUE_MAX)
		return true;
	for (uint32_t i = 0; o && i < mount->options.n; i++, o = plan_next(o)) {
		const char *value = strchr(o, '=');

		if (value && strlen(value + 1) > FS_CONTEXT_VALUE_MAX)
			return true;
	}
	return false;
}

int
mount_run_fs(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_mount_fs *m = &step->u.mount_fs;
	const char *type = rootfs_text(c->plan, m->type), *dest = rootfs_text(c->plan, m->dest);
	bool classic = needs_classic(c->plan, m), made = false;
	auto_close int dest_fd = open_dest(c, type, dest, &made);
	auto_close int mount_fd = -1;
	int fd, r;

	if (dest_fd < 0)
		return dest_fd;
	r = mount_place_is_hidden_proc(dest_fd, dest);
	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s': look at the place", type, dest);
	if (r > 0)
		return err_plain(c->err, "mount '%s' on '%s': a link in the root file system leads into /proc", type,
				 dest);
	if (classic)
		r = mount_fs_classic(c, m, dest_fd, &mount_fd);
	else
		r = make_fs_of_namespace(c, m, dest_fd, made, &mount_fd);
	if (r < 0)
		return r;
	if (classic || m->copy_up)
		r = mount_set_attrs(mount_fd, m->attrs, false);
	if (r == 0)
		r = mount_set_attrs(mount_fd, m->rec_attrs, true);
	if (r < 0)
		return err_set(c->err, -r, "set the mount flags of '%s' on '%s'", type, dest);
	fd = mount_fd;
	r = mount_attach(c, &mount_fd, dest_fd);
	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s'%s", type, dest, mount_attach_hint(r));
	r = mount_keep(c, dest, must_be_plain(type) ? fd : -1);
	if (r == 0)
		r = mount_hold(c, m->held, fd);
	if (r == 0)
		r = mount_set_propagation(fd, m->propagation);
	if (r < 0)
		return err_set(c->err, -r, "set the propagation of '%s' on '%s'", type, dest);
	return 0;
}
