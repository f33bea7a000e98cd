/* Devices are read from /proc/PID/net/dev; whether an image holds any is told by the size
 * of its netdev files. */
#include "libcontainer/checkpoint/criu_net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/net/net.h"

/* A file of an image that holds nothing but its two magic numbers. Of a namespace that
 * was not left out there is one that holds lo. */
#define EMPTY_IMAGE 8

bool
criu_net_is_own(const struct spec *spec)
{
	const struct spec_namespace *n = &spec->linux_.namespaces[NS_NETWORK];

	return n->listed && !n->path;
}

/* Two lines of headings, then "    lo: 0 0 …". */
bool
criu_net_has_devices(pid_t pid)
{
	char path[64], *text;
	bool found = false;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, (size_t)1024 * 1024, &text, &len) < 0)
		return false;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *name = line + strspn(line, " ");
		size_t n = strcspn(name, ":\n");

		found = found || (name[n] == ':' && (n != 2 || memcmp(name, "lo", n) != 0));
	}
	free(text);
	return found;
}

bool
criu_net_is_left_out(int image_fd)
{
	DIR *dir = fd_open_stream(image_fd);
	bool some = false;
	struct dirent *e;
	struct stat st;

	if (!dir)
		return false;
	while ((e = readdir(dir)))
		if (!strncmp(e->d_name, "netdev-", 7) && fstatat(image_fd, e->d_name, &st, 0) == 0)
			some = some || st.st_size > EMPTY_IMAGE;
	closedir(dir);
	return !some;
}

int
criu_net_loopback_up(int pidfd, struct err *err)
{
	auto_close int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (own < 0 || setns(pidfd, CLONE_NEWNET) < 0)
		return err_set(err, errno, "enter the restored network namespace");
	r = net_loopback_up(err);
	if (setns(own, CLONE_NEWNET) < 0)
		return err_set(err, errno, "return from the restored network namespace");
	return r;
}
