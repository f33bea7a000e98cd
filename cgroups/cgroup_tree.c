/* Theory of operation: the path is made from the mount downwards. In each folder
 * on the way the controllers that it has are passed on to its children
 * (cgroup.subtree_control), so that the container's own folder has all that the
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
#include "cgroups/cgroup.h"
#include "cgroups/events.h"
#include "cgroups/settings.h"
#include "cgroups/systemd.h"
#include "cgroups/walk.h"

#define MAX_ATTEMPTS 50

struct walk {
	const struct cgroup *cg;
	const struct settings *settings;
	unsigned depth;	     /* names in the path */
	unsigned first_made; /* index of the topmost folder made here; depth: none */
	bool leaf_made;
	bool is_scope; /* the leaf is systemd's own, not a folder in it */
	int fd;	       /* the folder reached */
	unsigned at;   /* names above and including it: for messages */
};

/* ---- controllers ------------------------------------------------------- */

/* The folder reached, as a path for messages. */
static const char *
walked_path(const struct walk *w, char *buf, size_t size)
{
	const char *end = w->cg->path, *name;

	for (unsigned i = 0; i < w->at; i++)
		walk_next(&end, &name);
	snprintf(buf, size, "%.*s", w->at ? (int)(end - w->cg->path) : 1, w->at ? w->cg->path : "/");
	return buf;
}

static unsigned
needed_controllers(const struct settings *s)
{
	unsigned set = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].soft)
			set |= CONTROLLER_BIT(s->items[i].needs);
	return set & ~CONTROLLER_BIT(CONTROLLER_NONE);
}

static const char *
needed_by(const struct settings *s, enum controller c)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].needs == c && !s->items[i].soft)
			return s->items[i].property;
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
cannot_enable(const struct walk *w, enum controller c, int r, struct err *err)
{
	const char *property = needed_by(w->settings, c), *name = controller_name(c);
	char path[PATH_MAX];

	walked_path(w, path, sizeof(path));
	if (r == 0)
		err_plain(err,
			  "%s: cgroup '%s' does not have the controller '%s' "
			  "(hint: the cgroups above it must enable or delegate it)",
			  property, path, name);
	else if (r == -EBUSY)
		err_plain(err,
			  "%s: cannot enable the controller '%s' below cgroup '%s', which holds processes itself "
			  "(cgroup v2 has processes in the leaves only; hint: choose another linux.cgroupsPath)",
			  property, name, path);
	else
		return err_set(err, -r, "%s: enable the controller '%s' below cgroup '%s'%s", property, name, path,
			       /* For cpuset it asks as for sched_setaffinity(2) on each process. */
			       r == -EPERM && c == CONTROLLER_CPUSET
				       ? " (hint: a process below it belongs to another user)"
				       : "");
	return r ? r : -ENOTSUP;
}

/* The kernel lets a cgroup that holds processes pass on some controllers (cpu,
 * pids) but makes it the root of a threaded subtree then, in which no container
 * can be. The root cgroup, the one without a type, is free of the rule. */
static bool
must_not_pass_on(int dirfd)
{
	auto_close int fd = -1;
	char byte;

	if (faccessat(dirfd, "cgroup.type", F_OK, 0) < 0)
		return false;
	fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && read(fd, &byte, 1) == 1;
}

/* The kernel takes a list whole or not at all, so one that fails is tried
 * again piece by piece. */
static int
pass_on_controllers(const struct walk *w, struct err *err)
{
	unsigned needed = needed_controllers(w->settings), available = 0, enabled = 0, missing;
	bool denied = false;
	int r = controllers_read(w->fd, "cgroup.controllers", &available);

	if (r == 0)
		r = controllers_read(w->fd, "cgroup.subtree_control", &enabled);
	if (r < 0) {
		char path[PATH_MAX];

		return err_set(err, -r, "read the controllers of cgroup '%s'", walked_path(w, path, sizeof(path)));
	}
	missing = available & ~enabled;
	if (missing)
		denied = must_not_pass_on(w->fd);
	if (missing && !denied && enable(w->fd, missing) == 0)
		missing = 0;
	for (unsigned c = 1; c < CONTROLLER_COUNT; c++) {
		unsigned bit = CONTROLLER_BIT(c);

		r = !(missing & bit) ? 0 : denied ? -EBUSY : enable(w->fd, bit);
		if (r == -ENODEV)
			return err_set(err, ENODEV, "the cgroup was removed meanwhile");
		if ((needed & bit) && (r < 0 || !(available & bit)))
			return cannot_enable(w, (enum controller)c, r, err);
	}
	return 0;
}

/* ---- folders ----------------------------------------------------------- */

static int
cannot_make(const struct walk *w, int code, struct err *err)
{
	char path[PATH_MAX];
	const char *hint = "";

	walked_path(w, path, sizeof(path));
	if ((code == EACCES || code == EPERM) && geteuid() != 0)
		hint = " (hint: have a cgroup delegated, for example systemd-run --user --scope -p Delegate=yes)";
	else if (code == EAGAIN)
		hint = " (hint: cgroup.max.depth or cgroup.max.descendants above it is reached)";
	else if (code == EEXIST || code == ENOTDIR)
		hint = " (hint: it has the name of a cgroup file)";
	return err_set(err, code, "make cgroup '%s' below '%s'%s", path, w->cg->mount, hint);
}

/* Makes (when missing) and enters the next folder. */
static int
step_down(struct walk *w, struct err *err)
{
	bool is_leaf = w->at + 1 == w->depth, made;
	char name[NAME_MAX + 1];
	int fd;

	walk_name(w->cg->path, w->at, name);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return cannot_make(w, EINVAL, err);
	made = mkdirat(w->fd, name, 0755) == 0;
	if (made && w->at < w->first_made)
		w->first_made = w->at;
	w->leaf_made |= made && is_leaf;
	w->at++;
	if (!made && errno != EEXIST)
		return cannot_make(w, errno, err);
	/* O_PATH cannot be marked; unreadable folders of others need not be. */
	fd = openat(w->fd, name, (made ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot_make(w, errno, err);
	/* Before Linux 5.7 there is no such mark: then cg->made alone counts. */
	if (made && fsetxattr(fd, WALK_MARK, "1", 1, 0) < 0 && errno != EOPNOTSUPP)
		log_debug("mark cgroup '%s' as made by knarr: %s", name, err_reason(errno));
	fd_close(w->fd);
	w->fd = fd;
	return 0;
}

/* systemd put the init into the scope, where no controller can be passed on while a
 * process is there: the container's part of it is made early, and the init moved. */
static int
move_init(const struct walk *w, struct err *err)
{
	char name[NAME_MAX + 1], text[32];
	auto_close int fd = -1;
	int r;

	walk_name(w->cg->path, w->at, name);
	if (mkdirat(w->fd, name, 0755) < 0 && errno != EEXIST)
		return cannot_make(w, errno, err);
	fd = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot_make(w, errno, err);
	snprintf(text, sizeof(text), "%d", (int)w->cg->pid);
	r = fd_write_file_at(fd, "cgroup.procs", text);
	return r < 0 ? err_set(err, -r, "move the container's init to cgroup '%s'", w->cg->path) : 0;
}

static int
walk_down(struct walk *w, struct err *err)
{
	int r;

	w->fd = fd_close(w->fd);
	w->at = 0;
	w->fd = open(w->cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->fd < 0)
		return err_set(err, errno, "open '%s'", w->cg->mount);
	while (w->at < w->depth) {
		bool has_init = w->cg->pid > 0 && w->at > 0 && w->at + 1 == w->depth && !w->is_scope;

		if ((has_init && (r = move_init(w, err)) < 0) || (r = pass_on_controllers(w, err)) < 0 ||
		    (r = step_down(w, err)) < 0)
			return r;
	}
	return 0;
}

/* ---- is it fit? -------------------------------------------------------- */

/* config-linux.md#control-groups: a frozen or a used cgroup must be refused. */
static int
check_fitness(const struct walk *w, struct err *err)
{
	const char *path = w->cg->path;
	char type[64];
	unsigned inner = 0;
	ssize_t n = fd_read_small_at(w->fd, "cgroup.type", type, sizeof(type));

	if (n < 0)
		return err_set(err, (int)-n, "read 'cgroup.type' of cgroup '%s'", path);
	if (strstr(type, "threaded") || strstr(type, "invalid"))
		return err_plain(err, "cgroup '%s' is of type '%s' and can hold no container", path, type);
	if (events_read(w->fd, "frozen") == 1) {
		err_plain(err, "cgroup '%s' is frozen", path);
		return -EBUSY;
	}
	if (w->leaf_made || w->cg->pid > 0)
		return 0;
	if (events_read(w->fd, "populated") == 1) {
		err_plain(err, "cgroup '%s' already holds processes", path);
		return -EBUSY;
	}
	if (controllers_read(w->fd, "cgroup.subtree_control", &inner) == 0 && inner) {
		err_plain(err, "cgroup '%s' exists and has controllers enabled for cgroups below it", path);
		return -EBUSY;
	}
	return 0;
}

/* ---- all --------------------------------------------------------------- */

/* Removes what was made, from the bottom. A folder that someone else put
 * something into meanwhile is not empty and stays. */
static void
undo(const struct walk *w)
{
	auto_close int mountfd = open(w->cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = w->depth; mountfd >= 0 && i-- > w->first_made;) {
		auto_close int fd = walk_open(mountfd, w->cg->path, i);
		char name[NAME_MAX + 1];

		walk_name(w->cg->path, i, name);
		if (fd >= 0 && (i + 1 < w->depth || w->leaf_made))
			unlinkat(fd, name, AT_REMOVEDIR);
	}
}

int
cgroup_create(struct cgroup *cg, const struct spec *s, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct settings list = { .arena = &a };
	struct walk w = { .cg = cg, .settings = &list, .fd = -1 };
	int r;

	if (!cg->path)
		return 0;
	r = settings_compile(&list, s->linux_.resources, err);
	if (r < 0)
		return r;
	w.depth = w.first_made = walk_count(cg->path);
	w.is_scope = cg->unit && !strcmp(systemd_scope_path(cg, &a), cg->path);
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
	int fd;

	if (cg->fd >= 0)
		return 0;
	if (!cg->path)
		return err_set(err, ENOENT, "the container has no cgroup of its own");
	mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mountfd < 0)
		return err_set(err, errno, "open '%s'", cg->mount);
	fd = walk_open(mountfd, cg->path, walk_count(cg->path));
	if (fd < 0)
		return err_set(err, -fd, "open cgroup '%s' below '%s'", cg->path, cg->mount);
	cg->fd = fd;
	return 0;
}
