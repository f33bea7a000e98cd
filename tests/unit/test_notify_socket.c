/* The notify socket's relay: what the host hears of what the program sends, and that a program that
 * sends without end holds nobody up. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libcontainer/state/notify_socket.h"
#include "tests/unit/check.h"

struct ends {
	struct notify_socket notify;
	int program, host;
};

static void
open_ends(struct ends *e, int type)
{
	int in[2], out[2];

	NEED(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, in) == 0);
	NEED(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out) == 0);
	e->notify = (struct notify_socket){ in[0], out[0], false };
	e->program = in[1];
	e->host = out[1];
}

static void
close_ends(struct ends *e)
{
	notify_socket_close(&e->notify);
	close(e->program);
	close(e->host);
}

/* Whether the host hears "READY=1" and nothing else after the program has sent text. */
static bool
is_ready_after(const char *text, size_t len)
{
	struct ends e;
	char heard[64];
	ssize_t n;

	open_ends(&e, SOCK_DGRAM);
	NEED(send(e.program, text, len, 0) == (ssize_t)len);
	notify_socket_read(&e.notify, 0);
	n = recv(e.host, heard, sizeof(heard), 0);
	CHECK(n < 0 || (n == 8 && !memcmp(heard, "READY=1\n", 8)));
	CHECK(recv(e.host, heard, sizeof(heard), 0) < 0);
	close_ends(&e);
	return n == 8;
}
#define IS_READY(text) is_ready_after(text, sizeof(text) - 1)

static void
test_words(void)
{
	CHECK(IS_READY("READY=1"));
	CHECK(IS_READY("STATUS=x\nREADY=1\nMAINPID=1\n"));
	CHECK(!IS_READY("READY=10"));
	CHECK(!IS_READY("XREADY=1\n"));
	CHECK(!IS_READY("STATUS=READY=1"));
	CHECK(!IS_READY("A\0\nREADY=1"));
	CHECK(!IS_READY("\n\n"));
}

/* Of datagrams net.unix.max_dgram_qlen are queued, too few for this. */
static void
test_flood(void)
{
	struct ends e;
	int left = 0;
	char byte;

	open_ends(&e, SOCK_SEQPACKET);
	for (int i = 0; i < 100; i++)
		NEED(send(e.program, "x", 1, 0) == 1);
	notify_socket_read(&e.notify, 0);
	while (recv(e.notify.listen_fd, &byte, 1, 0) == 1)
		left++;
	CHECK(left == 100 - 64, "%d messages were left", left);
	close_ends(&e);
}

int
main(void)
{
	test_words();
	test_flood();
	return failed;
}
