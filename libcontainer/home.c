/* Theory of operation: see home.h. The file belongs to the container, so it is
 * read with bounds and without getpwuid(3), which would load the container's NSS
 * modules into the runtime. Lines are name:password:uid:gid:gecos:home:shell. */
#include "libcontainer/home.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define MAX_LINE 4096
/* What lies beyond is not read: who waits for `start` need not wait for a file
 * without end. */
#define MAX_BYTES (8 * 1024 * 1024)

/* Field n (from 0) of a line; *ret_len its length. NULL: no such field. */
static const char *
field(const char *line, size_t len, int n, size_t *ret_len)
{
	const char *end = line + len, *colon;

	for (; n > 0; n--) {
		colon = memchr(line, ':', (size_t)(end - line));
		if (!colon)
			return NULL;
		line = colon + 1;
	}
	colon = memchr(line, ':', (size_t)(end - line));
	*ret_len = (size_t)((colon ? colon : end) - line);
	return line;
}

static bool
is_number(const char *s, size_t len, uint32_t wanted)
{
	uint64_t v = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	return v == wanted;
}

/* Fills out with "HOME=…" when the line is that of uid. */
static bool
match_line(const char *line, size_t len, uint32_t uid, char *out, size_t size)
{
	size_t n;
	const char *f = field(line, len, 2, &n);

	if (!f || !is_number(f, n, uid))
		return false;
	f = field(line, len, 5, &n);
	if (!f || n == 0 || f[0] != '/')
		return false;
	snprintf(out, size, "HOME=%.*s", (int)n, f);
	return true;
}

const char *
home_find(uint32_t uid)
{
	static char buf[2 * MAX_LINE], home[MAX_LINE + 8];
	auto_close int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t have = 0, total = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "HOME=/";
	while (total < MAX_BYTES && (n = read(fd, buf + have, sizeof(buf) - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		total += (size_t)n;
		while ((end = memchr(line, '\n', have - (size_t)(line - buf)))) {
			if (match_line(line, (size_t)(end - line), uid, home, sizeof(home)))
				return home;
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		if (have == sizeof(buf))
			break;
		memmove(buf, line, have);
	}
	return have && match_line(buf, have, uid, home, sizeof(home)) ? home : "HOME=/";
}
