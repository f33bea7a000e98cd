/* Theory of operation: the journal takes fields, one per line, or, where a value has
 * line breaks, the name, a little-endian length of 64 bits and the value (systemd,
 * "Native Journal Protocol"). Syslog takes "<PRI>ID[PID]: text" (RFC 3164; the C
 * library's daemon socket needs neither time nor host). */
#include "base/log_socket.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

#define FACILITY_DAEMON (3 << 3)

static const struct {
	const char *prefix, *path;
} kinds[] = {
	[LOG_SOCKET_JOURNALD] = { "journald:", "/run/systemd/journal/socket" },
	[LOG_SOCKET_SYSLOG] = { "syslog:", "/dev/log" },
};

bool
log_socket_match(const char *path, enum log_socket_kind *ret_kind, const char **ret_id)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (!strncmp(path, kinds[i].prefix, n)) {
			*ret_kind = (enum log_socket_kind)i;
			*ret_id = path + n;
			return true;
		}
	}
	return false;
}

int
log_socket_open(enum log_socket_kind kind, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, kinds[kind].path, strlen(kinds[kind].path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "log: connect to '%s'", kinds[kind].path);
	return fd_take(&fd);
}

static size_t
format_journald(const char *id, int priority, const char *msg, struct arena *a, char **ret_text)
{
	char *head = arena_printf(a, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE\n", priority, id);
	uint64_t len = strlen(msg), little = htole64(len);
	size_t n = strlen(head);
	char *text = arena_alloc(a, n + sizeof(little) + len + 1);

	memcpy(text, head, n);
	memcpy(text + n, &little, sizeof(little));
	memcpy(text + n + sizeof(little), msg, len);
	text[n + sizeof(little) + len] = '\n';
	*ret_text = text;
	return n + sizeof(little) + len + 1;
}

void
log_socket_write(int fd, enum log_socket_kind kind, const char *id, int priority, const char *msg, struct arena *a)
{
	char *text;
	size_t len;

	if (kind == LOG_SOCKET_JOURNALD) {
		len = format_journald(id, priority, msg, a, &text);
	} else {
		text = arena_printf(a, "<%d>%s[%d]: %s", FACILITY_DAEMON | priority, id, (int)getpid(), msg);
		len = strlen(text);
	}
	(void)!send(fd, text, len, MSG_NOSIGNAL);
}
