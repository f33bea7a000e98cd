/* Theory of operation: see state.h. The one hard part is the race between a
 * command that waits for the lock of a container and another that removes it:
 * the waiter ends up with the lock of a folder that is gone, or whose name now
 * belongs to a new container. So whoever gets a lock compares the folder behind
 * the name with the one that it locked, and starts again (create) or reports
 * that there is no such container (open) when they differ.
 *
 * Between mkdir and lock a new folder looks like the rest of a dead create, and
 * `delete` may remove it. That is the same race, solved in the same way. */
#include "libcontainer/state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/notify_socket.h"

#define ID_MAX	     1024
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
		return err_plain(err, "container id '%s' is the name of a folder", id);
	return 0;
}

/* A folder that exists and belongs to us; -ENOENT when there is none. */
static int
check_own_folder(const char *path)
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
	if (check_own_folder(path) == 0) {
		*ret_root = arena_printf(a, "%s/knarr", path);
		return 0;
	}
	path = arena_printf(a, "/tmp/knarr-%u", uid);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "make the state root '%s'", path);
	r = check_own_folder(path);
	if (r < 0)
		return err_set(err, -r, "state root '%s' belongs to somebody else, set XDG_RUNTIME_DIR or --root",
			       path);
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

/* An ordinary user trusts only his own root: what is written there decides
 * which processes get signals and which hooks run. Root may look anywhere. */
static int
open_root(const char *root, struct err *err)
{
	auto_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_set(err, errno, "open the state root '%s'", root);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at the state root '%s'", root);
	if (geteuid() != 0 && st.st_uid != geteuid())
		return err_set(err, EPERM, "state root '%s' belongs to uid %u", root, st.st_uid);
	return fd_take(&fd);
}

/* ---- locks ----------------------------------------------------------------- */

/* 0 when the name still leads to the folder that is open, -ENOENT when it does not. */
static int
check_same_folder(int fd, const char *path, struct err *err)
{
	struct stat opened, named;

	if (fstat(fd, &opened) < 0 || lstat(path, &named) < 0)
		return errno == ENOENT ? -ENOENT : err_set(err, errno, "look at the state folder '%s'", path);
	return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino ? 0 : -ENOENT;
}

/* Waits for the lock. -ENOENT: the folder was removed meanwhile. */
static int
take_lock(struct state_dir *d, struct err *err)
{
	/* An open file of its own: flock(2) locks belong to it. */
	auto_close int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_set(err, errno, "open the state folder '%s'", d->path);
	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, errno, "lock the state folder '%s'", d->path);
	r = check_same_folder(fd, d->path, err);
	if (r == 0)
		d->lock_fd = fd_take(&fd);
	return r;
}

void
state_close(struct state_dir *d)
{
	/* Explicitly: a child that still has a copy of the descriptor would keep the lock. */
	if (d->lock_fd >= 0)
		flock(d->lock_fd, LOCK_UN);
	d->lock_fd = fd_close(d->lock_fd);
	d->fd = fd_close(d->fd);
}

/* Opens <root>/<id> below the open root, with or without the lock. */
static int
open_dir(int rootfd, const char *id, bool lock, struct err *err, struct state_dir *d)
{
	int r;

	d->fd = openat(rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd < 0)
		return errno == ENOENT ? -ENOENT : err_set(err, errno, "open the state folder '%s'", d->path);
	r = lock ? take_lock(d, err) : 0;
	if (r < 0)
		state_close(d);
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
	struct state_dir d = { -1, -1, arena_printf(a, "%s/%s", root, id) };
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
state_create(const char *root, const char *id, struct arena *a, struct err *err, struct state_dir *ret_dir)
{
	struct state_dir d = { -1, -1, arena_printf(a, "%s/%s", root, id) };
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
				return err_set(err, errno, "make the state folder '%s'", d.path);
			err_plain(err, "container \"%s\" already exists", id);
			return -EEXIST;
		}
		r = open_dir(rootfd, id, /* lock= */ true, err, &d);
		if (r == 0)
			*ret_dir = d;
		else if (r != -ENOENT)
			unlinkat(rootfd, id, AT_REMOVEDIR);
		if (r != -ENOENT)
			return r;
	}
	return err_set(err, EAGAIN, "state folder '%s' was removed again and again by another command", d.path);
}

/* ---- removal and listing ---------------------------------------------------- */

static bool
is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int
state_remove(struct state_dir *d, struct err *err)
{
	int removed = notify_socket_remove(d->fd, err);
	DIR *stream;
	struct dirent *e;

	if (removed < 0)
		return removed;
	stream = fd_open_stream(d->fd);
	if (!stream)
		return err_set(err, errno, "read the state folder '%s'", d->path);
	while (errno = 0, (e = readdir(stream)))
		/* A folder is not ours: it stays, and rmdir says so. */
		if (!is_dots(e->d_name) && unlinkat(d->fd, e->d_name, 0) < 0 && errno != ENOENT && errno != EISDIR) {
			int r = err_set(err, errno, "remove '%s/%s'", d->path, e->d_name);

			closedir(stream);
			return r;
		}
	if (errno) {
		int r = err_set(err, errno, "read the state folder '%s'", d->path);

		closedir(stream);
		return r;
	}
	closedir(stream);
	if (rmdir(d->path) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove the state folder '%s'", d->path);
	state_close(d);
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_container(int rootfd, const struct dirent *e)
{
	struct err ignored;
	struct stat st;

	if (state_check_id(e->d_name, &ignored) < 0)
		return false;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(rootfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
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
