/* The line that is looked for is, without its breaks,
 *
 *	6,812,97264,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=…,
 *	mems_allowed=0,oom_memcg=/a/b,task_memcg=/a/b/c,task=dd,pid=7,uid=0
 *
 * where the first number holds the facility in its upper bits: 0 is the kernel, and nobody
 * else can write that. A path is compared with what the container's must be, so
 * commas in it do no harm. Each read(2) gives one record. */
#include "libcontainer/state/oom_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define RECORD_MAX	 8192 /* more than the kernel makes (CONSOLE_EXT_LOG_MAX) */
#define FACILITY(prefix) ((prefix) >> 3)

int
oom_log_open(void)
{
	auto_close int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && lseek(fd, 0, SEEK_END) >= 0 ? fd_take(&fd) : -1;
}

/* When the path behind the key begins with the wanted one, what follows that: ',' the next
 * key, '/' a cgroup below it. Else 0. */
static char
behind_path(const char *message, const char *key, const char *path, size_t len)
{
	const char *p = strstr(message, key);

	return p && !strncmp(p + strlen(key), path, len) ? p[strlen(key) + len] : '\0';
}

static void
count(const char *record, const char *cgroup, size_t scope_len, struct oom_log_counts *counts)
{
	const char *message = strchr(record, ';');
	size_t len = strlen(cgroup);
	char task, limit;
	bool own;

	if (FACILITY(strtoul(record, NULL, 10)) != 0 || !message || strncmp(message, ";oom-kill:", 10))
		return;
	task = behind_path(message, ",task_memcg=", cgroup, len);
	if (task != ',' && task != '/')
		return;
	limit = behind_path(message, ",oom_memcg=", cgroup, len);
	own = limit == ',' || behind_path(message, ",oom_memcg=", cgroup, scope_len) == ',';
	counts->kills++;
	counts->own += own;
	counts->below += own || limit == '/';
}

void
oom_log_read(int fd, const char *cgroup, size_t scope_len, struct oom_log_counts *ret_counts)
{
	struct oom_log_counts c = { 0 };
	char record[RECORD_MAX];

	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n > 0) {
			record[n] = '\0';
			count(record, cgroup, scope_len, &c);
		} else if (n == 0 || (errno != EINTR && errno != EPIPE)) { /* EPIPE: some were overwritten */
			break;
		}
	}
	*ret_counts = c;
}
