/* Calls on descriptors that the kernel may do in part or interrupt are repeated here, so
 * that no caller has to; closing one leaves errno alone. */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

int
fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static ssize_t
read_retry(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int
fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	struct stat st;
	size_t cap = 4096, len = 0, size = 0;
	char *data;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= max) {
		size = (size_t)st.st_size;
		cap = size + 2;
	}
	data = malloc(cap);
	if (!data)
		abort();
	for (;;) {
		ssize_t n = read_retry(fd, data + len, cap - 1 - len);

		if (n < 0) {
			free(data);
			return (int)n;
		}
		len += (size_t)n;
		if (len > max) {
			free(data);
			return -EFBIG;
		}
		/* A regular file of that size: there was room for more, had it grown. */
		if (n == 0 || len == size)
			break;
		if (len == cap - 1) {
			char *more = realloc(data, cap *= 2);

			if (!more)
				abort();
			data = more;
		}
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return 0;
}

int
fd_read_file_at(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fd_read_all(fd, max, ret_data, ret_len);
}

/* A string of it, without the newline at its end. */
static ssize_t
end_text(char *buf, size_t len)
{
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t
fd_read_small_at(int dirfd, const char *path, char *buf, size_t size)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		if (len == size)
			return -EFBIG;
		n = read_retry(fd, buf + len, size - len);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return end_text(buf, len);
}

ssize_t
fd_read_record_at(int dirfd, const char *path, char *buf, size_t size)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_retry(fd, buf, size);
	if (n < 0)
		return n;
	return (size_t)n == size ? -EFBIG : end_text(buf, (size_t)n);
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fd_write_file_at(int dirfd, const char *path, const char *text)
{
	auto_close int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int
fd_replace_begin(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		 struct fd_replacement *ret_replacement)
{
	/* O_EXCL: in a directory that others may write to, one of them could have
	 * put a file of their own there, and would own the result. */
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	struct fd_replacement r = { .dirfd = dirfd };
	auto_close int fd = -1;
	int ret;

	if (snprintf(r.name, sizeof(r.name), "%s", name) >= (int)sizeof(r.name) ||
	    snprintf(r.temporary, sizeof(r.temporary), ".%s.%d", name, (int)getpid()) >= (int)sizeof(r.temporary))
		return -ENAMETOOLONG;
	fd = openat(dirfd, r.temporary, flags, mode);
	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, r.temporary, 0) == 0)
		fd = openat(dirfd, r.temporary, flags, mode);
	if (fd < 0)
		return -errno;
	ret = fd_write_all(fd, data, len);
	if (ret < 0)
		unlinkat(dirfd, r.temporary, 0);
	else
		*ret_replacement = r;
	return ret;
}

int
fd_replace_commit(struct fd_replacement *replacement)
{
	int ret = 0;

	if (renameat(replacement->dirfd, replacement->temporary, replacement->dirfd, replacement->name) < 0) {
		ret = -errno;
		unlinkat(replacement->dirfd, replacement->temporary, 0);
	}
	replacement->name[0] = '\0';
	return ret;
}

void
fd_replace_abort(struct fd_replacement *replacement)
{
	if (replacement->name[0])
		unlinkat(replacement->dirfd, replacement->temporary, 0);
	replacement->name[0] = '\0';
}

int
fd_replace_file_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode)
{
	struct fd_replacement replacement;
	int r = fd_replace_begin(dirfd, name, data, len, mode, &replacement);

	return r < 0 ? r : fd_replace_commit(&replacement);
}

int
fd_make_dir_at(int dirfd, const char *name, mode_t mode)
{
	mode_t old = umask(0);
	int r = mkdirat(dirfd, name, mode) < 0 ? -errno : 0;

	umask(old);
	return r;
}

DIR *
fd_open_stream(int dirfd)
{
	auto_close int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (stream)
		(void)fd_take(&fd); /* closedir() closes it */
	return stream;
}
