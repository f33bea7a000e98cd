/* Log lines for the journal and for syslog: their format, and names of backends. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log_socket.h"
#include "tests/unit/check.h"

/* What arrives of one message. */
static ssize_t
pass(enum log_socket_kind kind, const char *msg, char *buf, size_t size)
{
	auto_arena struct arena a = { 0 };
	int fds[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0)
		return -1;
	log_socket_write(fds[0], kind, "web", 4, msg, &a);
	n = recv(fds[1], buf, size, MSG_DONTWAIT);
	close(fds[0]);
	close(fds[1]);
	return n;
}

int
main(void)
{
	static const char journal[] = "PRIORITY=4\nSYSLOG_IDENTIFIER=web\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb=c\n";
	enum log_socket_kind kind;
	char buf[256], want[256];
	const char *id;
	ssize_t n;

	n = pass(LOG_SOCKET_JOURNALD, "a\nb=c", buf, sizeof(buf));
	NEED(n == (ssize_t)sizeof(journal) - 1 && !memcmp(buf, journal, (size_t)n));
	n = pass(LOG_SOCKET_SYSLOG, "out of luck", buf, sizeof(buf));
	snprintf(want, sizeof(want), "<28>web[%d]: out of luck", (int)getpid());
	NEED(n == (ssize_t)strlen(want) && !memcmp(buf, want, (size_t)n));

	NEED(log_socket_match("journald:x", &kind, &id) && kind == LOG_SOCKET_JOURNALD && !strcmp(id, "x"));
	NEED(log_socket_match("syslog:", &kind, &id) && kind == LOG_SOCKET_SYSLOG && !*id);
	NEED(!log_socket_match("file:x", &kind, &id) && !log_socket_match("/tmp/journald:x", &kind, &id));
	return 0;
}
