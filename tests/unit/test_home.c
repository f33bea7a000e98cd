/* HOME from a passwd(5) file: which line counts, and what is none. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/process/home.h"
#include "tests/unit/check.h"

static char home[HOME_MAX];
static struct err err;

static int
find(const char *text, size_t len, uint32_t uid)
{
	auto_close int fd = memfd_create("passwd", MFD_CLOEXEC);

	err_clear(&err);
	NEED(fd >= 0 && fd_write_all(fd, text, len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return home_find_in(fd, uid, home, &err);
}

static void
check_home(const char *text, uint32_t uid, const char *want)
{
	CHECK(find(text, strlen(text), uid) == 0 && !strcmp(home, want), "'%s' %u: %s", text, uid, home);
}

static void
test_lines(void)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
				   "a:x:-1:0::/minus:\nb:x: 5:0::/blank:\nc:x::0::/none:\nd:x:00000000006:0::/long:\n"
				   "e:x:7:0::relative:\nf:x:8:0:::\ng:x:9:0\n"
				   "h:x:10:0::/first:\ni:x:10:0::/second:\n"
				   "j:x:4294967295:0::/highest:\nk:x:11:0::/last";

	check_home(text, 0, "HOME=/root");
	check_home(text, 10, "HOME=/first");
	check_home(text, 4294967295, "HOME=/highest");
	check_home(text, 11, "HOME=/last");
	for (uint32_t uid = 1; uid < 10; uid++)
		check_home(text, uid, "HOME=/");
	check_home("", 0, "HOME=/");
	CHECK(find("x:x:0:0::/a\0b:\n", 15, 0) == 0 && !strcmp(home, "HOME=/"));
}

static void
test_length(void)
{
	static char text[HOME_MAX + 64];
	size_t head = strlen("x:x:0:0::"), fits = HOME_MAX - 1 - strlen("HOME=");

	memcpy(text, "x:x:0:0::", head);
	memset(text + head, '/', sizeof(text) - head);
	text[head + fits] = ':';
	CHECK(find(text, head + fits + 1, 0) == 0 && strlen(home) == HOME_MAX - 1);
	text[head + fits] = '/';
	text[head + fits + 1] = ':';
	CHECK(find(text, head + fits + 2, 0) < 0 && strstr(err.msg, "longer than a variable"));
	CHECK(find(text, head + fits + 2, 1) == 0 && !strcmp(home, "HOME=/"));
}

static void
test_files(void)
{
	auto_close int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(home_find_in(-1, 0, home, &err) == 0 && !strcmp(home, "HOME=/"));
	CHECK(home_find_in(dir, 0, home, &err) < 0);
	/* The host's own. */
	CHECK(home_find(0, home, &err) == 0 && !strncmp(home, "HOME=/", 6));
	CHECK(home_find(4294967294, home, &err) == 0 && !strcmp(home, "HOME=/"));
}

int
main(void)
{
	test_lines();
	test_length();
	test_files();
	return failed;
}
