/* tmpcopyup: a fresh tmpfs begins with the content of the directory it will cover.
 *
 * The tmpfs is still detached, so nobody races with us in there; the source is
 * the attacker's, so every entry of it is opened by its parent's fd without
 * following links, and copied by what that fd turns out to be. No recursion and
 * no memory but this stack: a frame per level of depth, one shared buffer of
 * directory entries, and the place in the directory remembered as its offset. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/rootfs_run.h"

#define MAX_DEPTH 64

struct entry { /* as getdents64(2) writes it */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct level {
	int src, dst;
	int64_t off; /* where to go on reading src */
};

struct copy {
	struct level levels[MAX_DEPTH];
	int depth; /* index of the innermost level */
	char buf[2048] __attribute__((aligned(8)));
	size_t len, pos;
	const char *dest;
	struct err *err;
};

static int
fail(const struct copy *copy, const char *name, int code)
{
	return err_set(copy->err, code, "tmpcopyup: copy '%s' of '%s'", name, copy->dest);
}

/* Extended attributes are copied as far as the tmpfs takes them; SELinux labels
 * belong to the new file system. */
static void
copy_xattrs(int src, int dst)
{
	char names[1024], value[1024];
	ssize_t len = flistxattr(src, names, sizeof(names));

	for (const char *n = names; len > 0 && n < names + len; n += strlen(n) + 1) {
		ssize_t size;

		if (strcmp(n, "security.selinux") == 0)
			continue;
		size = fgetxattr(src, n, value, sizeof(value));
		if (size >= 0)
			(void)fsetxattr(dst, n, value, (size_t)size, 0);
	}
}

/* Owner, mode, times and attributes of an opened file or directory. An owner that
 * the user namespace cannot express is left out: the container's root owns it. */
static int
copy_meta(int src, int dst, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(dst, st->st_uid, st->st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return -errno;
	if (fchmod(dst, st->st_mode & 07777) < 0)
		return -errno;
	copy_xattrs(src, dst);
	return futimens(dst, times) < 0 ? -errno : 0;
}

static int
copy_data(int src, int dst)
{
	for (;;) {
		ssize_t n = sendfile(dst, src, NULL, 1 << 20);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int
copy_file(const struct level *level, const char *name)
{
	auto_close int src = openat(level->src, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	auto_close int dst = -1;
	struct stat st;
	int r;

	if (src < 0 || fstat(src, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ESTALE;
	dst = openat(level->dst, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dst < 0)
		return -errno;
	r = copy_data(src, dst);
	return r < 0 ? r : copy_meta(src, dst, &st);
}

static int
copy_link(const struct level *level, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(level->src, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, level->dst, name) < 0 ? -errno : 0;
}

/* What a name can be made of without opening it: links, devices, fifos, sockets. */
static int
copy_special(const struct level *level, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r = 0;

	if (S_ISLNK(st->st_mode))
		r = copy_link(level, name);
	else if (mknodat(level->dst, name, st->st_mode, st->st_rdev) < 0)
		r = -errno;
	if (r < 0)
		return r;
	if (fchownat(level->dst, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM &&
	    errno != EINVAL)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(level->dst, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(level->dst, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* Goes down into the directory name; its metadata is set when it is left. */
static int
enter_dir(struct copy *copy, const char *name)
{
	const struct level *l = &copy->levels[copy->depth];
	auto_close int src = -1, dst = -1;

	if (copy->depth + 1 == MAX_DEPTH)
		return -ELOOP;
	src = openat(l->src, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (src < 0)
		return -errno;
	if (mkdirat(l->dst, name, 0700) < 0)
		return -errno;
	dst = openat(l->dst, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst < 0)
		return -errno;
	copy->depth++;
	copy->levels[copy->depth] = (struct level){ .src = fd_take(&src), .dst = fd_take(&dst) };
	copy->len = copy->pos = 0;
	return 0;
}

static int
copy_entry(struct copy *copy, const char *name)
{
	const struct level *l = &copy->levels[copy->depth];
	struct stat st;

	if (fstatat(l->src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return enter_dir(copy, name);
	if (S_ISREG(st.st_mode))
		return copy_file(l, name);
	return copy_special(l, name, &st);
}

/* The next name of the innermost directory, or NULL at its end. The name is valid
 * until the next call. */
static const char *
next_name(struct copy *copy, int *ret_error)
{
	struct level *l = &copy->levels[copy->depth];

	for (;;) {
		const struct entry *e = (const struct entry *)(const void *)(copy->buf + copy->pos);

		if (copy->pos >= copy->len) {
			long n = lseek(l->src, l->off, SEEK_SET) < 0
					 ? -1
					 : syscall(SYS_getdents64, l->src, copy->buf, sizeof(copy->buf));

			if (n <= 0) {
				*ret_error = n < 0 ? -errno : 0;
				return NULL;
			}
			copy->len = (size_t)n;
			copy->pos = 0;
			continue;
		}
		copy->pos += e->reclen;
		l->off = e->off;
		if (strcmp(e->name, ".") != 0 && strcmp(e->name, "..") != 0)
			return e->name;
	}
}

static int
leave_dir(struct copy *copy)
{
	struct level *l = &copy->levels[copy->depth];
	struct stat st;
	int r = fstat(l->src, &st) < 0 ? -errno : 0;

	/* The mode of the outermost directory is the tmpfs's own, from its options. */
	if (r == 0 && copy->depth > 0)
		r = copy_meta(l->src, l->dst, &st);
	else if (r == 0 && fchown(l->dst, st.st_uid, st.st_gid) < 0 && errno != EPERM && errno != EINVAL)
		r = -errno;

	fd_close(l->src);
	fd_close(l->dst);
	copy->depth--;
	copy->len = copy->pos = 0;
	return r;
}

int
copy_up_tree(int src_fd, int dst_fd, const char *dest, struct err *err)
{
	struct copy k = { .depth = -1, .dest = dest, .err = err };
	auto_close int src = openat(src_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int dst = openat(dst_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (src < 0 || dst < 0)
		return fail(&k, ".", errno);
	k.depth = 0;
	k.levels[0] = (struct level){ .src = fd_take(&src), .dst = fd_take(&dst) };
	while (k.depth >= 0) {
		const char *name = next_name(&k, &r);

		if (name)
			r = copy_entry(&k, name);
		else if (r == 0)
			r = leave_dir(&k), name = ".";
		if (r < 0) {
			fail(&k, name ? name : ".", -r);
			break;
		}
	}
	for (; k.depth >= 0; k.depth--) {
		fd_close(k.levels[k.depth].src);
		fd_close(k.levels[k.depth].dst);
	}
	return r;
}
