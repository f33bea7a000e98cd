/* The file belongs to the container, so it is read
 * without getpwuid(3), which would load the container's NSS modules into the runtime, and
 * byte by byte, so that no line can be too long. Lines are
 * name:password:uid:gid:gecos:home:shell.
 *
 * It is looked at before it is opened: what a container has at that place may be a FIFO,
 * a device, or a link to a file of procfs that tells of the runtime itself. */
#include "libcontainer/process/home.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

/* What lies beyond is not read: who waits for `start` need not wait for a file
 * without end. */
#define MAX_BYTES (8 * 1024 * 1024)

enum { FIELD_UID = 2, FIELD_HOME = 5 };

static const char variable[] = "HOME=";

/* ---- one line --------------------------------------------------------- */

struct line {
	unsigned field;
	uint64_t id; /* of the field uid so far; UINT64_MAX: not a number */
	unsigned digits;
	char *home; /* the variable, of HOME_MAX bytes */
	size_t len; /* of it */
	bool is_too_long;
};

static void
begin(struct line *line)
{
	line->field = 0;
	line->id = 0;
	line->digits = 0;
	line->len = sizeof(variable) - 1;
	line->is_too_long = false;
}

static void
take(struct line *line, char ch)
{
	if (ch == ':') {
		line->field++;
	} else if (line->field == FIELD_UID) {
		bool is_digit = ch >= '0' && ch <= '9' && ++line->digits <= 10;

		line->id = is_digit && line->id != UINT64_MAX ? line->id * 10 + (uint64_t)(ch - '0') : UINT64_MAX;
	} else if (line->field == FIELD_HOME && line->len < HOME_MAX - 1) {
		line->home[line->len++] = ch;
	} else if (line->field == FIELD_HOME) {
		line->is_too_long = true;
	}
}

/* The line is that of uid, and its home is the path of one. */
static bool
is_wanted(const struct line *line, uint32_t uid)
{
	return line->field >= FIELD_HOME && line->digits > 0 && line->id == uid &&
	       line->home[sizeof(variable) - 1] == '/' && line->len > sizeof(variable) - 1 &&
	       !memchr(line->home, '\0', line->len);
}

/* ---- the file --------------------------------------------------------- */

/* -1 without an error: there is none, or something else. */
static int
open_passwd(struct err *err, int *ret_fd)
{
	static const char path[] = "/etc/passwd";
	auto_close int fd = -1;
	struct statfs fs;
	struct stat st;

	*ret_fd = -1;
	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : err_set(err, errno, "look up HOME in '%s'", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, errno, "look up HOME in '%s' (hint: HOME in process.env makes this unnecessary)",
			       path);
	if (S_ISREG(st.st_mode) && fs.f_type != PROC_SUPER_MAGIC)
		*ret_fd = fd_take(&fd);
	return 0;
}

/* 1: found. */
static int
search(int fd, uint32_t uid, struct line *line, struct err *err)
{
	char part[4096];
	size_t total = 0;
	ssize_t n = 0;

	begin(line);
	while (total < MAX_BYTES && ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR))) {
		for (ssize_t i = 0; i < n; i++) {
			if (part[i] != '\n') {
				take(line, part[i]);
				continue;
			}
			if (is_wanted(line, uid))
				return 1;
			begin(line);
		}
		total += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return err_set(err, errno, "look up HOME in '/etc/passwd'");
	return n == 0 && is_wanted(line, uid);
}

int
home_find_in(int fd, uint32_t uid, char *buf, struct err *err)
{
	struct line l = { .home = buf };
	int r;

	memcpy(buf, variable, sizeof(variable));
	r = fd < 0 ? 0 : search(fd, uid, &l, err);
	if (r < 0)
		return r;
	if (r > 0 && l.is_too_long)
		return err_plain(err, "look up HOME in '/etc/passwd': that of uid %u is longer than a variable can be",
				 uid);
	if (r > 0)
		buf[l.len] = '\0';
	else
		memcpy(buf, "HOME=/", sizeof("HOME=/"));
	return 0;
}

int
home_find(uint32_t uid, char *buf, struct err *err)
{
	auto_close int fd = -1;
	int r = open_passwd(err, &fd);

	return r < 0 ? r : home_find_in(fd, uid, buf, err);
}
