/* Theory of operation: the kernel marks cgroup.events as changed (POLLPRI) after
 * each change, at the latest 10 ms after it when changes come in bursts. The
 * file is read again through the same descriptor after each wake-up, since
 * reading is what arms the next one. */
#include "cgroups/events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

int64_t
events_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Lines "key value". A key that is not there (frozen before Linux 5.2) is 0. */
static int
read_value(int fd, const char *key)
{
	size_t key_len = strlen(key);
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, key, key_len) && line[key_len] == ' ')
			return line[key_len + 1] == '1';
	return 0;
}

int
events_read(int dirfd, const char *key)
{
	auto_close int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : read_value(fd, key);
}

int
events_read_in(const char *mount, const char *path, const char *key)
{
	auto_close int fd = -1;
	char file[PATH_MAX];

	if (snprintf(file, sizeof(file), "%s/%s/cgroup.events", mount, path) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : read_value(fd, key);
}

int
events_wait(int dirfd, const char *key, int value, int timeout_ms)
{
	auto_close int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int64_t deadline = events_clock_ms() + timeout_ms;

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int v = read_value(fd, key);
		int64_t left = deadline - events_clock_ms();

		if (v < 0)
			return v;
		if (v == value)
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}
