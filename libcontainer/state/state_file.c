/* Theory of operation: the state lies in the directory twice, as state.json and as
 * state.copy. A change is written over the copy, in place; then the two change names
 * (RENAME_EXCHANGE), and the other one is brought up to date as well.
 *
 *   - A reader sees the old or the new state.json, never a part of one.
 *   - No change needs new space: both files are padded with blanks to whole blocks, with
 *     room for what is not known at create. On a disk that is full `start` works.
 *   - When state.json is damaged or gone, `delete --force` finds in the copy what the
 *     container has on the host.
 *
 * At create state.json comes first and the copy second, and at the end the copy goes
 * first: so a copy without state.json means that this was lost, and a directory with
 * neither that nothing was made yet, or all is removed. A file system without
 * RENAME_EXCHANGE (NFS) gets a plain rename, and the copy is made again. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "libcontainer/state/state.h"
#include "libcontainer/state/state_json.h"

#ifndef RENAME_EXCHANGE /* musl has neither it nor renameat2() */
#define RENAME_EXCHANGE (1 << 1)
#endif

#define STATE_FILE "state.json"
#define STATE_MAX  (2 * SPEC_MAX_SIZE) /* annotations are as large as the config allows */
#define BLOCK	   4096
#define ROOM	   1024 /* at least, for what later changes add: the exit reason is the longest */

struct text {
	const char *data;
	size_t len;
};

/* ---- writing ----------------------------------------------------------- */

static void
pad(struct text *text, size_t len, struct arena *a)
{
	char *data = arena_alloc(a, len);

	memcpy(data, text->data, text->len);
	memset(data + text->len, ' ', len - text->len);
	data[len - 1] = '\n';
	*text = (struct text){ data, len };
}

/* The space is taken before a byte is changed. Where fallocate(2) is not to be had,
 * overwriting fails at worst. */
static int
overwrite(int fd, const struct text *text)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size < text->len && fallocate(fd, 0, 0, (off_t)text->len) < 0 && errno != EOPNOTSUPP &&
	    errno != ENOSYS)
		return -errno;
	for (size_t done = 0; done < text->len;) {
		ssize_t n = pwrite(fd, text->data + done, text->len - done, (off_t)done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	/* Only a file that is not ours is longer. */
	return (size_t)st.st_size > text->len && ftruncate(fd, (off_t)text->len) < 0 ? -errno : 0;
}

/* Neither file is ever made shorter: what one has of space it keeps. */
static size_t
padded_size(const struct state_dir *dir, size_t len)
{
	size_t size = (len + ROOM + BLOCK - 1) / BLOCK * BLOCK;
	struct stat st;

	if (fstatat(dir->fd, STATE_COPY, &st, AT_SYMLINK_NOFOLLOW) == 0 && (size_t)st.st_size > size &&
	    (size_t)st.st_size <= STATE_MAX)
		size = (size_t)st.st_size;
	return size;
}

static int
write_copy(const struct state_dir *dir, int flags, const struct text *text)
{
	auto_close int fd = openat(dir->fd, STATE_COPY, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	return fd < 0 ? -errno : overwrite(fd, text);
}

/* -ENOENT: there is no copy. */
static int
write_by_copy(const struct state_dir *dir, const struct text *text)
{
	int r = write_copy(dir, 0, text);

	if (r < 0)
		return r;
	if (syscall(SYS_renameat2, dir->fd, STATE_COPY, dir->fd, STATE_FILE, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != ENOENT)
		return -errno;
	return renameat(dir->fd, STATE_COPY, dir->fd, STATE_FILE) < 0 ? -errno : 0;
}

static int
save(const struct state_dir *dir, const struct state *state, struct err *err, int *ret_copy)
{
	auto_arena struct arena a = { 0 };
	struct text t;
	int r;

	t.len = state_json_write(state, &a, &t.data);
	pad(&t, padded_size(dir, t.len), &a);
	r = write_by_copy(dir, &t);
	if (r == -ENOENT)
		r = fd_replace_file_at(dir->fd, STATE_FILE, t.data, t.len, 0600);
	if (r < 0)
		return err_set(err, -r, "write '%s/%s'", dir->path, STATE_FILE);
	*ret_copy = write_copy(dir, O_CREAT, &t);
	return 0;
}

int
state_save_first(const struct state_dir *dir, const struct state *state, struct err *err)
{
	int copy, r = save(dir, state, err, &copy);

	if (r == 0 && copy < 0)
		r = err_set(err, -copy, "write '%s/%s'", dir->path, STATE_COPY);
	return r;
}

int
state_save(const struct state_dir *dir, const struct state *state, struct err *err)
{
	int copy, r = save(dir, state, err, &copy);

	if (r == 0 && copy < 0)
		log_debug("write '%s/%s': %s", dir->path, STATE_COPY, err_reason(-copy));
	return r;
}

/* ---- reading ----------------------------------------------------------- */

/* A process of an earlier boot is gone, though its number may be in use again. */
static int
compare_boot(const struct state_dir *dir, struct state *state, struct arena *a, struct err *err)
{
	char *now = dir->boot_id;
	int r = state->boot_id && !now ? state_boot_id(a, err, &now) : 0;

	state->other_boot = state->boot_id && now && strcmp(now, state->boot_id) != 0;
	return r;
}

/* Errors are those of reading alone; err also says what is wrong with the content. */
static int
load(const struct state_dir *dir, const char *name, const char *id, struct arena *a, struct err *err,
     enum state_finding *ret_finding, struct state *state)
{
	char *text, *path = arena_printf(a, "%s/%s", dir->path, name);
	size_t len;
	int r = fd_read_file_at(dir->fd, name, STATE_MAX, &text, &len);

	*ret_finding = STATE_INTACT;
	if (r == -ENOENT) {
		*ret_finding = STATE_LOST;
		err_plain(err, "'%s' is missing", path);
		return 0;
	}
	if (r == -EFBIG) {
		*ret_finding = STATE_DAMAGED;
		err_plain(err, "'%s' is damaged: larger than %zu bytes", path, (size_t)STATE_MAX);
		return 0;
	}
	if (r < 0)
		return err_set(err, -r, "read '%s'", path);
	if (state_json_read(path, text, len, id, a, err, state) < 0)
		*ret_finding = STATE_DAMAGED;
	free(text);
	return *ret_finding == STATE_INTACT ? compare_boot(dir, state, a, err) : 0;
}

int
state_salvage(const struct state_dir *dir, const char *id, struct arena *a, struct err *err,
	      enum state_finding *ret_finding, struct state **ret_state)
{
	struct state *s = arena_alloc(a, sizeof(*s)), *copy = arena_alloc(a, sizeof(*copy));
	enum state_finding finding, of_copy = STATE_LOST;
	struct err copy_err;
	int r = load(dir, STATE_FILE, id, a, err, &finding, s);

	err_clear(&copy_err);
	if (r == 0 && finding != STATE_INTACT) {
		r = load(dir, STATE_COPY, id, a, &copy_err, &of_copy, copy);
		if (r < 0)
			*err = copy_err;
	}
	/* A create may have saved both since the first look. */
	if (r == 0 && finding == STATE_LOST && of_copy != STATE_LOST)
		r = load(dir, STATE_FILE, id, a, err, &finding, s);
	if (r < 0)
		return r;
	*ret_finding = finding == STATE_LOST && of_copy == STATE_LOST ? STATE_NEVER_SAVED : finding;
	*ret_state = finding == STATE_INTACT ? s : of_copy == STATE_INTACT ? copy : NULL;
	return 0;
}

int
state_load(const struct state_dir *dir, const char *id, struct arena *a, struct err *err, struct state **ret_state)
{
	enum state_finding finding;
	struct state *s;
	int r = state_salvage(dir, id, a, err, &finding, &s);

	if (r < 0)
		return r;
	if (finding == STATE_LOST || finding == STATE_DAMAGED)
		return -EINVAL;
	if (finding == STATE_NEVER_SAVED) {
		err_clear(err);
		s = arena_alloc(a, sizeof(*s));
		s->id = arena_strdup(a, id);
	}
	*ret_state = s;
	return 0;
}

/* As long as a state mostly is, with its padding. */
#define GLANCE_MAX (2 * BLOCK)

bool
state_glance(const struct state_root *root, const char *id, struct arena *a, struct state **ret_state)
{
	struct state *s = arena_alloc(a, sizeof(*s));
	char path[NAME_MAX + sizeof("/" STATE_FILE)], text[GLANCE_MAX + 1];
	struct err ignored;
	ssize_t n = -1;

	err_clear(&ignored);
	if (snprintf(path, sizeof(path), "%s/" STATE_FILE, id) >= (int)sizeof(path))
		return false;
	auto_close int fd = openat(root->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		n = read(fd, text, GLANCE_MAX);
	/* One that fills the buffer may go on. */
	if (n <= 0 || n == GLANCE_MAX)
		return false;
	text[n] = '\0';
	if (state_json_read(path, text, (size_t)n, id, a, &ignored, s) < 0)
		return false;
	s->other_boot = s->boot_id && root->boot_id && strcmp(root->boot_id, s->boot_id) != 0;
	*ret_state = s;
	return true;
}

/* ---- the directory's own marks ----------------------------------------- */

int
state_boot_id(struct arena *a, struct err *err, char **ret_id)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	char text[64];
	ssize_t n = fd_read_record_at(AT_FDCWD, path, text, sizeof(text));

	*ret_id = NULL;
	/* A /proc of processes only. */
	if (n == -ENOENT || n == -EACCES)
		return 0;
	if (n < 0)
		return err_set(err, (int)-n, "read '%s'", path);
	*ret_id = arena_strdup(a, text);
	return 0;
}

int
state_cgroup_owner(const struct state_dir *dir, struct arena *a, struct err *err, char **ret_owner)
{
	struct stat st;

	if (fstat(dir->fd, &st) < 0)
		return err_set(err, errno, "look at the state directory '%s'", dir->path);
	*ret_owner = arena_printf(a, "%llx:%llx", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return 0;
}
