/* The one hard part is the race between a
 * command that waits for the lock of a container and another that removes it:
 * the waiter ends up with the lock of a directory that is gone, or whose name now
 * belongs to a new container. So whoever gets a lock compares the directory behind
 * the name with the one that it locked, and starts again (create) or reports
 * that there is no such container (open) when they differ.
 *
 * Between mkdir and lock a new directory looks like the rest of a dead create, and
 * `delete` may remove it. That is the same race, solved in the same way. */
#include "libcontainer/state/state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/state/notify_socket.h"

#define ID_MAX	     NAME_MAX /* directories bear it */
#define CREATE_TRIES 100

/* ---- names --------------------------------------------------------------- */

int
state_check_id(const char *id, struct err *err)
{
	size_t n = strlen(id);

	if (n == 0)
		return err_plain(err, "the container id is empty");
	if (n > ID_MAX)
		return err_plain(err, "the container id is longer than %d bytes", ID_MAX);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("_+-.", id[i]))
			return err_plain(err, "container id '%s': only letters, digits and _ + - . are allowed", id);
	if (!strcmp(id, ".") || !strcmp(id, ".."))
		return err_plain(err, "invalid container id '%s': '.' and '..' are reserved", id);
	return 0;
}

/* A directory that exists and belongs to us; -ENOENT when there is none. */
static int
check_own_directory(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() ? 0 : -EPERM;
}

int
state_default_root(struct arena *a, bool in_userns, struct err *err, char **ret_root)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	uid_t uid = geteuid();
	char *path;
	int r;

	if (uid == 0 && !in_userns) {
		*ret_root = arena_strdup(a, "/run/knarr");
		return 0;
	}
	if (runtime_dir && *runtime_dir == '/') {
		*ret_root = arena_printf(a, "%s/knarr", runtime_dir);
		return 0;
	}
	path = arena_printf(a, "/run/user/%u", uid);
	if (check_own_directory(path) == 0) {
		*ret_root = arena_printf(a, "%s/knarr", path);
		return 0;
	}
	path = arena_printf(a, "/tmp/knarr-%u", uid);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "make the state root '%s'", path);
	r = check_own_directory(path);
	if (r < 0)
		return err_set(err, -r, "state root '%s' belongs to another user; set XDG_RUNTIME_DIR or --root", path);
	*ret_root = path;
	return 0;
}

/* ---- the root ------------------------------------------------------------ */

static int
make_parents(const char *path, struct arena *a, struct err *err)
{
	const char *slash = strrchr(path, '/');

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno == ENOENT && slash && slash != path) {
		int r = make_parents(arena_strndup(a, path, (size_t)(slash - path)), a, err);

		if (r < 0)
			return r;
		if (mkdir(path, 0700) == 0 || errno == EEXIST)
			return 0;
	}
	return err_set(err, errno, "make the state root '%s'", path);
}

/* An unprivileged user trusts only their own root: what is written there decides
 * which processes get signals and which hooks run. Root may look anywhere. */
static int
open_root(const char *root, struct err *err)
{
	auto_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_set(err, errno, "open the state root '%s'", root);
	if (geteuid() == 0)
		return fd_take(&fd);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at the state root '%s'", root);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "state root '%s' belongs to uid %u", root, st.st_uid);
	return fd_take(&fd);
}

/* ---- locks ----------------------------------------------------------------- */

/* 0 when the name still leads to the directory that is open, -ENOENT when it does not. */
static int
check_same_directory(int fd, const char *path, struct err *err)
{
	struct stat opened, named;

	if (fstat(fd, &opened) < 0) {
		err_set(err, errno, "look at the state directory '%s'", path);
		return -EBADF; /* whatever it was, not "no such name" */
	}
	if (lstat(path, &named) < 0)
		return errno == ENOENT ? -ENOENT : err_set(err, errno, "look at the state directory '%s'", path);
	return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino ? 0 : -ENOENT;
}

/* how: LOCK_EX, which waits; with LOCK_NB -EWOULDBLOCK where another has it. -ENOENT: the directory
 * was removed meanwhile. */
static int
take_lock(struct state_dir *dir, int how, struct err *err)
{
	/* An open file of its own: flock(2) locks belong to it. */
	auto_close int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_set(err, errno, "open the state directory '%s'", dir->path);
	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	if (r < 0 && (how & LOCK_NB) && errno == EWOULDBLOCK)
		return -EWOULDBLOCK;
	if (r < 0) {
		err_set(err, errno, "lock the state directory '%s'", dir->path);
		return -ENOLCK;
	}
	r = check_same_directory(fd, dir->path, err);
	if (r == 0)
		dir->lock_fd = fd_take(&fd);
	return r;
}

void
state_close(struct state_dir *dir)
{
	/* Explicitly: a child that still has a copy of the descriptor would keep the lock. */
	if (dir->lock_fd >= 0)
		flock(dir->lock_fd, LOCK_UN);
	dir->lock_fd = fd_close(dir->lock_fd);
	dir->fd = fd_close(dir->fd);
}

/* Opens <root>/<id> below the open root, with or without the lock. */
static int
open_dir(int rootfd, const char *id, bool lock, struct err *err, struct state_dir *dir)
{
	int r;

	dir->fd = openat(rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0)
		return errno == ENOENT ? -ENOENT : err_set(err, errno, "open the state directory '%s'", dir->path);
	r = lock ? take_lock(dir, LOCK_EX, err) : 0;
	if (r < 0)
		state_close(dir);
	return r;
}

static int
no_such_container(const char *id, struct err *err)
{
	err_plain(err, "container \"%s\" does not exist", id);
	return -ENOENT;
}

int
state_open(const char *root, const char *id, bool lock, struct arena *a, struct err *err, struct state_dir *ret_dir)
{
	struct state_dir d = { -1, -1, arena_printf(a, "%s/%s", root, id), NULL };
	int r = state_check_id(id, err);

	if (r < 0)
		return r;
	auto_close int rootfd = open_root(root, err);
	if (rootfd < 0)
		return rootfd == -ENOENT ? no_such_container(id, err) : rootfd;
	r = open_dir(rootfd, id, lock, err, &d);
	if (r < 0)
		return r == -ENOENT ? no_such_container(id, err) : r;
	*ret_dir = d;
	return 0;
}

int
state_try_lock(struct state_dir *dir, const char *id, struct err *err)
{
	int r = take_lock(dir, LOCK_EX | LOCK_NB, err);

	return r == -ENOENT ? no_such_container(id, err) : r;
}

int
state_root_open(const char *path, struct arena *a, struct err *err, struct state_root *ret_root)
{
	struct state_root root = { -1, path, NULL };
	int r = state_boot_id(a, err, &root.boot_id);

	if (r < 0)
		return r;
	root.fd = open_root(path, err);
	if (root.fd < 0)
		return root.fd;
	*ret_root = root;
	return 0;
}

void
state_root_close(struct state_root *root)
{
	root->fd = fd_close(root->fd);
}

int
state_open_in(const struct state_root *root, const char *id, struct arena *a, struct err *err,
	      struct state_dir *ret_dir)
{
	struct state_dir d = { -1, -1, arena_printf(a, "%s/%s", root->path, id), root->boot_id };
	int r = state_check_id(id, err);

	if (r == 0)
		r = open_dir(root->fd, id, /* lock= */ false, err, &d);
	if (r < 0)
		return r == -ENOENT ? no_such_container(id, err) : r;
	*ret_dir = d;
	return 0;
}

static bool
is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* What getdents64(2) writes. */
struct entry {
	uint64_t inode, offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* With the lock. Another command may have removed the directory that was made, and a second one made
 * it anew: whoever has the lock first uses it, and leaves something in it. 1, 0, or -errno with err. Nobody else
 * lists lock_fd, so no stream is needed, which would take five more calls. */
static int
is_used(const struct state_dir *dir, struct err *err)
{
	uint64_t entries[128];
	long n;

	while ((n = syscall(SYS_getdents64, dir->lock_fd, entries, sizeof(entries))) > 0)
		for (const char *p = (const char *)entries; p < (const char *)entries + n;) {
			const struct entry *e = (const void *)p;

			if (!is_dots(e->name))
				return 1;
			p += e->size;
		}
	return n < 0 ? err_set(err, errno, "list the state directory '%s'", dir->path) : 0;
}

static int
open_made(int rootfd, const char *id, struct err *err, struct state_dir *dir)
{
	int r = open_dir(rootfd, id, /* lock= */ true, err, dir);

	if (r == 0)
		r = is_used(dir, err);
	if (r > 0) {
		err_plain(err, "container \"%s\" already exists", id);
		r = -EEXIST;
	}
	if (r < 0 && r != -ENOENT)
		state_close(dir);
	return r;
}

int
state_create(const char *root, const char *id, struct arena *a, struct err *err, struct state_dir *ret_dir)
{
	struct state_dir d = { -1, -1, arena_printf(a, "%s/%s", root, id), NULL };
	int r = state_check_id(id, err);

	if (r < 0)
		return r;
	r = make_parents(root, a, err);
	if (r < 0)
		return r;
	auto_close int rootfd = open_root(root, err);
	if (rootfd < 0)
		return rootfd;
	for (unsigned tries = 0; tries < CREATE_TRIES; tries++) {
		if (mkdirat(rootfd, id, 0700) < 0) {
			if (errno != EEXIST)
				return err_set(err, errno, "make the state directory '%s'", d.path);
			err_plain(err, "container \"%s\" already exists", id);
			return -EEXIST;
		}
		r = open_made(rootfd, id, err, &d);
		if (r == 0)
			*ret_dir = d;
		else if (r != -ENOENT && r != -EEXIST)
			unlinkat(rootfd, id, AT_REMOVEDIR);
		if (r != -ENOENT)
			return r;
	}
	return err_set(err, EAGAIN, "state directory '%s' keeps being removed by another command", d.path);
}

/* ---- removal and listing ---------------------------------------------------- */

/* What is mostly there, and then the directory. False: all that is there must be looked at. */
static bool
remove_usual(const struct state_dir *dir)
{
	static const char *const names[] = { "state.json", "config.json", "start.sock" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (unlinkat(dir->fd, names[i], 0) < 0 && errno != ENOENT)
			return false;
	return rmdir(dir->path) == 0 || errno == ENOENT;
}

static int
remove_all(const struct state_dir *dir, struct err *err)
{
	struct dirent *e;
	DIR *stream;

	stream = fd_open_stream(dir->fd);
	if (!stream)
		return err_set(err, errno, "read the state directory '%s'", dir->path);
	while (errno = 0, (e = readdir(stream)))
		/* A directory is not ours: it stays, and rmdir says so. */
		if (!is_dots(e->d_name) && unlinkat(dir->fd, e->d_name, 0) < 0 && errno != ENOENT && errno != EISDIR) {
			int r = err_set(err, errno, "remove '%s/%s'", dir->path, e->d_name);

			closedir(stream);
			return r;
		}
	if (errno) {
		int r = err_set(err, errno, "read the state directory '%s'", dir->path);

		closedir(stream);
		return r;
	}
	closedir(stream);
	if (rmdir(dir->path) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove the state directory '%s'", dir->path);
	return 0;
}

int
state_remove(struct state_dir *dir, struct err *err)
{
	int r = notify_socket_remove(dir->fd, err);

	/* First, as state_file.c has it. */
	if (r == 0 && unlinkat(dir->fd, STATE_COPY, 0) < 0 && errno != ENOENT)
		r = err_set(err, errno, "remove '%s/" STATE_COPY "'", dir->path);
	if (r == 0 && !remove_usual(dir))
		r = remove_all(dir, err);
	if (r == 0)
		state_close(dir);
	return r;
}

static int
compare_ids(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool
is_container(int rootfd, const struct dirent *entry)
{
	struct err ignored;
	struct stat st;

	if (state_check_id(entry->d_name, &ignored) < 0)
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(rootfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int
state_list(const char *root, struct arena *a, struct err *err, char ***ret_ids, size_t *ret_n)
{
	auto_close int rootfd = open_root(root, err);
	size_t n = 0, cap = 16;
	struct dirent *e;
	DIR *stream;
	char **ids;

	if (rootfd < 0 && rootfd != -ENOENT)
		return rootfd;
	ids = arena_array(a, cap, sizeof(*ids));
	stream = rootfd < 0 ? NULL : fd_open_stream(rootfd);
	if (!stream && rootfd >= 0)
		return err_set(err, errno, "read the state root '%s'", root);
	while (stream && (errno = 0, e = readdir(stream))) {
		if (!is_container(rootfd, e))
			continue;
		if (n == cap) {
			ids = arena_grow(a, ids, n * sizeof(*ids), 2 * cap * sizeof(*ids));
			cap *= 2;
		}
		ids[n++] = arena_strdup(a, e->d_name);
	}
	if (stream) {
		int code = errno;

		closedir(stream);
		if (code)
			return err_set(err, code, "read the state root '%s'", root);
	}
	qsort(ids, n, sizeof(*ids), compare_ids);
	*ret_ids = ids;
	*ret_n = n;
	return 0;
}
