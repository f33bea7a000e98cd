/* Entering the container's root without pivot_root (initramfs, --no-pivot): the
 * root is moved onto "/" and chroot follows.
 *
 * The host's mounts stay in the namespace below it. A procfs or sysfs among
 * them would be a second, unmasked view for a process that gets out of the
 * chroot or makes a user namespace of its own (the kernel allows a new procfs
 * where a whole one is mounted already). So each is unmounted first, or, where
 * a user namespace does not permit that, covered. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mountinfo.h"
#include "namespaces/mount/fs_context.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_attach.h"
#include "namespaces/mount/rootfs_run.h"

struct line_reader {
	int fd, error;
	size_t pos, len;
	char buf[2048];
};

static int
next_char(struct line_reader *reader)
{
	if (reader->pos == reader->len) {
		ssize_t n;

		do
			n = read(reader->fd, reader->buf, sizeof(reader->buf));
		while (n < 0 && errno == EINTR);
		if (n < 0)
			reader->error = -errno;
		if (n <= 0)
			return -1;
		reader->pos = 0;
		reader->len = (size_t)n;
	}
	return (unsigned char)reader->buf[reader->pos++];
}

/* Reads one line, keeping its first size - 1 bytes: the options at the end of
 * an overlay's line can be endless. False at the end, or at an error, which is kept. */
static bool
next_line(struct line_reader *reader, char *line, size_t size)
{
	size_t n = 0;
	int ch;

	while ((ch = next_char(reader)) >= 0 && ch != '\n')
		if (n < size - 1)
			line[n++] = (char)ch;
	line[n] = '\0';
	return ch >= 0;
}

/* "id parent dev root point options … - type source options": finds id, point
 * and whether the type is procfs or sysfs. */
static bool
parse_line(char *line, uint64_t *ret_id, char **ret_point)
{
	char *type = strstr(line, " - "), *field = line;

	if (!type || (strncmp(type + 3, "proc ", 5) != 0 && strncmp(type + 3, "sysfs ", 6) != 0))
		return false;
	*ret_id = strtoull(line, NULL, 10);
	for (int i = 0; i < 4; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
	}
	field[strcspn(field, " ")] = '\0';
	mountinfo_unescape(field);
	*ret_point = field;
	return true;
}

static int
cover(struct plan_ctx *c, int place, const char *path)
{
	auto_fs_context struct fs_context f;
	auto_close int mount_fd = -1;
	int r = fs_context_open(&f, c->err, "tmpfs", path);

	if (r == 0)
		r = fs_context_mount(&f, MOUNT_ATTR_RDONLY, &mount_fd);
	if (r == 0 && (r = mount_move(mount_fd, place)) < 0)
		err_set(c->err, -r, "cover '%s' of the host", path);
	return r;
}

static int
remove_mount(struct plan_ctx *c, uint64_t id, const char *path)
{
	auto_close int place = mount_open_host(path, O_PATH | O_NOFOLLOW);
	struct mount_place at;
	int r;

	/* It is not reachable by its path, for this process as for those to come. */
	if (place == -ENOENT || place == -ENOTDIR || place == -EACCES || place == -ELOOP)
		return 0;
	r = place < 0 ? place : mount_place_of(place, &at);
	if (r < 0)
		return err_set(c->err, -r, "look at '%s' of the host", path);
	if (at.mount_id != id) /* something else is on top */
		return 0;
	r = mount_set_propagation(place, MS_SLAVE | MS_REC);
	if (r < 0)
		return err_set(c->err, -r, "set the propagation of '%s' of the host", path);
	r = mount_detach(path);
	if (r == -EINVAL || r == -EPERM) /* locked by a user namespace */
		return cover(c, place, path);
	return r < 0 ? err_set(c->err, -r, "unmount '%s' of the host", path) : 0;
}

/* root: path of the container's root, whose mounts are left alone. */
static int
remove_host_views(struct plan_ctx *c, const char *root)
{
	auto_close int fd = mount_open_host("/proc/self/mountinfo", O_RDONLY);
	struct line_reader reader = { .fd = fd };
	size_t len = strlen(root);
	char line[4 * PATH_MAX], *point;
	uint64_t id;

	if (fd < 0)
		return err_set(c->err, -fd, "read /proc/self/mountinfo");
	while (next_line(&reader, line, sizeof(line))) {
		int r;

		if (!parse_line(line, &id, &point))
			continue;
		if (len > 1 && strncmp(point, root, len) == 0 && (point[len] == '/' || !point[len]))
			continue;
		r = remove_mount(c, id, point);
		if (r < 0)
			return r;
	}
	if (reader.error < 0)
		return err_set(c->err, -reader.error, "read /proc/self/mountinfo");
	return 0;
}

int
root_move(struct plan_ctx *c)
{
	char link[32], root[PATH_MAX];
	ssize_t n;
	int r;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", c->fds[PLAN_FD_ROOT]);
	n = readlinkat(AT_FDCWD, link, root, sizeof(root) - 1);
	if (n < 0)
		return err_set(c->err, errno, "find the path of the root file system");
	root[n] = '\0';
	r = remove_host_views(c, root);
	if (r < 0 || strcmp(root, "/") == 0) /* it is on top of "/" already */
		return r;
	r = mount_attach_place(c->fds[PLAN_FD_ROOT], -1);
	return r < 0 ? err_set(c->err, -r, "move the root file system onto '/'") : 0;
}
