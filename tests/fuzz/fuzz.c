/* The directory is made by the first parser that wants one. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

void
fuzz_must(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* Which of the descriptors are open, as a set of bits. */
static uint64_t
open_descriptors(void)
{
	struct pollfd all[64];
	uint64_t set = 0;

	for (int i = 0; i < 64; i++)
		all[i] = (struct pollfd){ .fd = i };
	FUZZ_MUST(poll(all, 64, 0) >= 0);
	for (int i = 0; i < 64; i++)
		set |= (uint64_t) !(all[i].revents & POLLNVAL) << i;
	return set;
}

void
fuzz_run(const struct fuzz_parser *parsers, size_t n, const uint8_t *data, size_t size)
{
	if (size == 0 || size > FUZZ_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		uint64_t before = open_descriptors();
		char *text;

		if ((uint8_t)parsers[i].letter != data[0])
			continue;
		text = malloc(size);
		FUZZ_MUST(text);
		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		parsers[i].run(text, size - 1);
		free(text);
		FUZZ_MUST(open_descriptors() == before);
		return;
	}
}

char *
fuzz_line(char **text)
{
	char *line = *text;
	size_t len = strcspn(line, "\n");

	*text += len + (line[len] == '\n');
	line[len] = '\0';
	return line;
}

int
fuzz_file(const char *text, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_MUST(fd >= 0 && fd_write_all(fd, text, len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* ---- the directory ------------------------------------------------------- */

static char directory[64];

static void
empty_directory(int dir)
{
	DIR *stream = fd_open_stream(dir);
	const struct dirent *e;

	FUZZ_MUST(stream);
	while ((e = readdir(stream)))
		unlinkat(dir, e->d_name, 0);
	closedir(stream);
}

static void
remove_directory(void)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0)
		empty_directory(dir);
	fd_close(dir);
	rmdir(directory);
}

int
fuzz_directory(void)
{
	int dir;

	if (!directory[0]) {
		snprintf(directory, sizeof(directory), "%s/knarr-fuzz-XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		FUZZ_MUST(mkdtemp(directory) && atexit(remove_directory) == 0);
	}
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_MUST(dir >= 0);
	return dir;
}

const char *
fuzz_directory_path(void)
{
	fd_close(fuzz_directory());
	return directory;
}

static bool
is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

void
fuzz_fill(const char *const *names, char *text)
{
	static const char mark[] = "--- ";
	int dir = fuzz_directory();

	empty_directory(dir);
	while (*text) {
		const char *name = fuzz_line(&text), *begin = text;

		while (*text && strncmp(text, mark, sizeof(mark) - 1) != 0)
			text += strcspn(text, "\n"), text += *text == '\n';
		if (!strncmp(name, mark, sizeof(mark) - 1) && is_listed(names, name + sizeof(mark) - 1))
			FUZZ_MUST(fd_replace_file_at(dir, name + sizeof(mark) - 1, begin, (size_t)(text - begin),
						     0600) == 0);
	}
	close(dir);
}

/* ---- packets ------------------------------------------------------------- */

#define MAX_FDS	    3
#define MAX_PACKETS 32

static void
send_one(int socket, const char *data, size_t len, size_t n_fds)
{
	union {
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr head;
	} control = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	const int fds[MAX_FDS] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };

	if (n_fds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
	}
	FUZZ_MUST(sendmsg(socket, &msg, MSG_NOSIGNAL) == (ssize_t)len);
}

int
fuzz_packets(const char *data, size_t len, int *ret_peer)
{
	int pair[2];

	FUZZ_MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	for (int i = 0; len >= 2 && i < MAX_PACKETS; i++) {
		size_t n = (uint8_t)data[0], n_fds = (uint8_t)data[1] % (MAX_FDS + 1);

		n = n < len - 2 ? n : len - 2;
		send_one(pair[1], data + 2, n, n_fds);
		data += 2 + n;
		len -= 2 + n;
	}
	*ret_peer = pair[1];
	return pair[0];
}
