/* Theory of operation: the path is made from the mount downwards. In each directory
 * on the way the controllers that it has are passed on to its children
 * (cgroup.subtree_control), so that the container's own directory has all that the
 * host can give: those that the config needs must work, the others are there for
 * statistics and later updates.
 *
 * Other runtimes make and remove neighbours at the same time, and a parent that
 * was there may be gone at the next call (ENOENT from open and mkdir, ENODEV from
 * reads and writes). Then the walk starts again from the top, a bounded number of
 * times. What was made is remembered over all attempts and removed on failure. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup_mark.h"
#include "cgroups/events.h"
#include "cgroups/settings.h"
#include "cgroups/systemd/systemd.h"
#include "cgroups/walk.h"

#define MAX_ATTEMPTS 50

struct walk {
	const struct cgroup *cg;
	const struct settings *settings;
	unsigned depth;	     /* names in the path */
	unsigned first_made; /* index of the topmost directory made here; depth: none */
	bool leaf_made;
	bool is_scope; /* the leaf is systemd's own, not a directory in it */
	int fd;	       /* the directory reached */
	unsigned at;   /* names above and including it: for messages */
};

/* ---- controllers ------------------------------------------------------- */

/* The directory reached, as a path for messages. */
static const char *
walked_path(const struct walk *walk, char *buf, size_t size)
{
	const char *end = walk->cg->path, *name;

	for (unsigned i = 0; i < walk->at; i++)
		walk_next(&end, &name);
	snprintf(buf, size, "%.*s", walk->at ? (int)(end - walk->cg->path) : 1, walk->at ? walk->cg->path : "/");
	return buf;
}

static unsigned
needed_controllers(const struct settings *settings)
{
	unsigned set = 0;

	for (size_t i = 0; i < settings->n; i++)
		if (!settings->items[i].soft)
			set |= CONTROLLER_BIT(settings->items[i].needs);
	return set & ~CONTROLLER_BIT(CONTROLLER_NONE);
}

static const char *
needed_by(const struct settings *settings, enum controller controller)
{
	for (size_t i = 0; i < settings->n; i++)
		if (settings->items[i].needs == controller && !settings->items[i].soft)
			return settings->items[i].property;
	return "linux.resources";
}

static int
enable(int dirfd, unsigned set)
{
	char text[256] = "";
	size_t len = 0;

	for (unsigned c = 1; c < CONTROLLER_COUNT; c++)
		if (set & CONTROLLER_BIT(c))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s+%s", len ? " " : "",
						controller_name((enum controller)c));
	return fd_write_file_at(dirfd, "cgroup.subtree_control", text);
}

static int
cannot_enable(const struct walk *walk, enum controller controller, int code, struct err *err)
{
	const char *property = needed_by(walk->settings, controller), *name = controller_name(controller);
	char path[PATH_MAX];

	walked_path(walk, path, sizeof(path));
	if (code == 0)
		err_plain(err,
			  "%s: cgroup '%s' does not have the controller '%s' "
			  "(hint: the cgroups above it must enable or delegate it)",
			  property, path, name);
	else if (code == -EBUSY)
		err_plain(err,
			  "%s: cannot enable the controller '%s' below cgroup '%s', which holds processes itself "
			  "(cgroup v2 has processes in the leaves only; hint: choose another linux.cgroupsPath, or "
			  "start knarr by %s)",
			  property, name, path, cgroup_delegation_command(geteuid()));
	else
		return err_set(err, -code, "%s: enable the controller '%s' below cgroup '%s'%s", property, name, path,
			       /* For cpuset it asks as for sched_setaffinity(2) on each process. */
			       code == -EPERM && controller == CONTROLLER_CPUSET
				       ? " (hint: a process below it belongs to another user)"
				       : "");
	return code ? code : -ENOTSUP;
}

/* The kernel lets a cgroup that holds processes pass on some controllers (cpu,
 * pids) but makes it the root of a threaded subtree then, in which no container
 * can be. The root cgroup, the one without a type, is free of the rule. */
static int
must_not_pass_on(int dirfd)
{
	auto_close int fd = -1;
	char byte;
	ssize_t n;

	if (faccessat(dirfd, "cgroup.type", F_OK, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	n = read(fd, &byte, 1);
	/* A threaded one shows no processes. */
	return n < 0 && errno != EOPNOTSUPP ? -errno : n > 0;
}

/* The kernel takes a list whole or not at all, so one that fails is tried
 * again piece by piece. */
static int
pass_on_controllers(const struct walk *walk, struct err *err)
{
	unsigned needed = needed_controllers(walk->settings), available = 0, enabled = 0, missing;
	int denied = 0, r = controllers_read(walk->fd, "cgroup.controllers", &available);

	if (r == 0)
		r = controllers_read(walk->fd, "cgroup.subtree_control", &enabled);
	missing = available & ~enabled;
	if (r == 0 && missing)
		r = denied = must_not_pass_on(walk->fd);
	if (r < 0) {
		char path[PATH_MAX];

		return err_set(err, -r, "read the controllers of cgroup '%s'", walked_path(walk, path, sizeof(path)));
	}
	if (missing && !denied && enable(walk->fd, missing) == 0)
		missing = 0;
	for (unsigned c = 1; c < CONTROLLER_COUNT; c++) {
		unsigned bit = CONTROLLER_BIT(c);

		r = !(missing & bit) ? 0 : denied ? -EBUSY : enable(walk->fd, bit);
		if (r == -ENODEV)
			return err_set(err, ENODEV, "the cgroup was removed meanwhile");
		if ((needed & bit) && (r < 0 || !(available & bit)))
			return cannot_enable(walk, (enum controller)c, r, err);
	}
	return 0;
}

/* ---- directories ----------------------------------------------------------- */

static int
cannot_make(const struct walk *walk, int code, struct err *err)
{
	char path[PATH_MAX];
	const char *hint = "";

	walked_path(walk, path, sizeof(path));
	if (code == EACCES || code == EPERM)
		return err_set(err, code,
			       "make cgroup '%s' below '%s' (hint: have a cgroup delegated, for example %s; "
			       "--cgroup-manager=disabled makes none)",
			       path, walk->cg->mount, cgroup_delegation_command(geteuid()));
	if (code == EROFS)
		hint = " (hint: --cgroup-manager=disabled makes none)";
	else if (code == EAGAIN)
		hint = " (hint: cgroup.max.depth or cgroup.max.descendants above it is reached)";
	else if (code == EEXIST || code == ENOTDIR)
		hint = " (hint: it has the name of a cgroup file)";
	return err_set(err, code, "make cgroup '%s' below '%s'%s", path, walk->cg->mount, hint);
}

/* Makes (when missing) and enters the next directory. */
static int
step_down(struct walk *walk, struct err *err)
{
	bool is_leaf = walk->at + 1 == walk->depth, made;
	char name[NAME_MAX + 1];
	int r, fd;

	walk_name(walk->cg->path, walk->at, name);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return cannot_make(walk, EINVAL, err);
	r = fd_make_dir_at(walk->fd, name, 0755);
	made = r == 0;
	if (made && walk->at < walk->first_made)
		walk->first_made = walk->at;
	walk->leaf_made |= made && is_leaf;
	walk->at++;
	if (!made && r != -EEXIST)
		return cannot_make(walk, -r, err);
	/* O_PATH cannot be marked; unreadable directories of others need not be. */
	fd = openat(walk->fd, name, (made ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot_make(walk, errno, err);
	/* Before Linux 5.7 there is no such mark: then cg->made alone counts. */
	if (made && fsetxattr(fd, WALK_MARK, "1", 1, 0) < 0 && errno != EOPNOTSUPP)
		log_debug("mark cgroup '%s' as made by knarr: %s", name, err_reason(errno));
	fd_close(walk->fd);
	walk->fd = fd;
	return 0;
}

/* systemd put the init into the scope, where no controller can be passed on while a
 * process is there: the container's part of it is made early, and the init moved. */
static int
move_init(const struct walk *walk, struct err *err)
{
	char name[NAME_MAX + 1], text[32];
	auto_close int fd = -1;
	int r;

	walk_name(walk->cg->path, walk->at, name);
	r = fd_make_dir_at(walk->fd, name, 0755);
	if (r < 0 && r != -EEXIST)
		return cannot_make(walk, -r, err);
	fd = openat(walk->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot_make(walk, errno, err);
	snprintf(text, sizeof(text), "%d", (int)walk->cg->pid);
	r = fd_write_file_at(fd, "cgroup.procs", text);
	return r < 0 ? err_set(err, -r, "move the container's init to cgroup '%s'", walk->cg->path) : 0;
}

static int
walk_down(struct walk *walk, struct err *err)
{
	int r;

	walk->fd = fd_close(walk->fd);
	walk->at = 0;
	walk->fd = open(walk->cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk->fd < 0)
		return err_set(err, errno, "open '%s'", walk->cg->mount);
	while (walk->at < walk->depth) {
		bool has_init = walk->cg->pid > 0 && walk->at > 0 && walk->at + 1 == walk->depth && !walk->is_scope;

		if ((has_init && (r = move_init(walk, err)) < 0) || (r = pass_on_controllers(walk, err)) < 0 ||
		    (r = step_down(walk, err)) < 0)
			return r;
	}
	return 0;
}

/* ---- is it fit? -------------------------------------------------------- */

static int
cannot_read(const struct walk *walk, const char *file, int code, struct err *err)
{
	return err_set(err, -code, "read '%s' of cgroup '%s'", file, walk->cg->path);
}

static int
unfit(const struct walk *walk, const char *why, struct err *err)
{
	err_plain(err, "cgroup '%s' %s", walk->cg->path, why);
	return -EBUSY;
}

/* config-linux.md#control-groups: a frozen or a used cgroup must be refused. */
static int
check_fitness(const struct walk *walk, struct err *err)
{
	const char *path = walk->cg->path;
	char type[64];
	unsigned inner = 0;
	int r = (int)fd_read_record_at(walk->fd, "cgroup.type", type, sizeof(type));

	if (r < 0)
		return cannot_read(walk, "cgroup.type", r, err);
	if (strstr(type, "threaded") || strstr(type, "invalid"))
		return err_plain(err, "cgroup '%s' is of type '%s' and can hold no container", path, type);
	r = events_read(walk->fd, "frozen");
	if (r != 0)
		return r < 0 ? cannot_read(walk, "cgroup.events", r, err) : unfit(walk, "is frozen", err);
	if (walk->leaf_made || walk->cg->pid > 0)
		return 0;
	r = events_read(walk->fd, "populated");
	if (r != 0)
		return r < 0 ? cannot_read(walk, "cgroup.events", r, err) : unfit(walk, "already holds processes", err);
	r = controllers_read(walk->fd, "cgroup.subtree_control", &inner);
	if (r < 0)
		return cannot_read(walk, "cgroup.subtree_control", r, err);
	return inner ? unfit(walk, "exists and has controllers enabled for cgroups below it", err) : 0;
}

/* ---- all --------------------------------------------------------------- */

/* Removes what was made, from the bottom. A directory that someone else put
 * something into meanwhile is not empty and stays. */
static void
undo(const struct walk *walk)
{
	auto_close int mountfd = open(walk->cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = walk->depth; mountfd >= 0 && i-- > walk->first_made;) {
		auto_close int fd = walk_open(mountfd, walk->cg->path, i);
		char name[NAME_MAX + 1];

		walk_name(walk->cg->path, i, name);
		if (fd >= 0 && (i + 1 < walk->depth || walk->leaf_made))
			unlinkat(fd, name, AT_REMOVEDIR);
	}
}

int
cgroup_create(struct cgroup *cg, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct walk w = { .cg = cg, .settings = cg->settings, .fd = -1 };
	int r;

	if (!cg->path)
		return 0;
	w.depth = w.first_made = walk_count(cg->path);
	w.is_scope = cgroup_is_systemd(cg) && !strcmp(systemd_scope_path(cg, &a), cg->path);
	for (unsigned i = 0; i < MAX_ATTEMPTS; i++) {
		r = walk_down(&w, err);
		if (r == 0)
			r = check_fitness(&w, err);
		if (r != -ENOENT && r != -ENODEV)
			break;
	}
	if (r < 0) {
		fd_close(w.fd);
		undo(&w);
		return r;
	}
	cg->made = w.leaf_made ? w.depth - w.first_made : 0;
	cg->fd = w.fd;
	cgroup_mark_set(cg, cg->fd);
	return 0;
}

unsigned
cgroup_count_missing(const struct cgroup *cg)
{
	auto_close int mountfd = cg->path ? open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	unsigned depth = cg->path ? walk_count(cg->path) : 0, n = 0;

	while (mountfd >= 0 && n < depth) {
		auto_close int fd = walk_open(mountfd, cg->path, depth - n);

		if (fd != -ENOENT)
			break;
		n++;
	}
	return n;
}

int
cgroup_open(struct cgroup *cg, struct err *err)
{
	auto_close int mountfd = -1;
	int fd, ours;

	if (cg->fd >= 0)
		return 0;
	if (!cg->path)
		return err_set(err, ENOENT, "the container has no cgroup of its own");
	mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mountfd < 0)
		return err_set(err, errno, "open '%s'", cg->mount);
	fd = walk_open_readable(mountfd, cg->path);
	if (fd < 0)
		return err_set(err, -fd, "open cgroup '%s' below '%s'", cg->path, cg->mount);
	ours = cgroup_mark_is_ours(cg, fd);
	if (ours <= 0) {
		fd_close(fd);
		if (ours < 0)
			return err_set(err, -ours, "read whose cgroup '%s' is", cg->path);
		return err_set(err, ENOENT, "cgroup '%s' is another container's by now; the container's own", cg->path);
	}
	cg->fd = fd;
	return 0;
}
