/* base/proc_text.c and base/mountinfo.c: texts of /proc/PID, as the kernel writes them and as it
 * does not. */
#include <string.h>

#include "base/mountinfo.h"
#include "base/proc_text.h"
#include "tests/unit/check.h"

static void
test_stat(void)
{
	static const char text[] = "7 (a) b (c)) Z 1 2 3";

	CHECK(*proc_stat_field(text, 3) == 'Z');
	CHECK(*proc_stat_field(text, 6) == '3');
	CHECK(!proc_stat_field(text, 7));
	CHECK(!proc_stat_field("7 a Z 1", 3));
	CHECK(!proc_stat_field("7 (a)", 3));
}

static void
check_cgroup(const char *text, const char *want)
{
	size_t len = 0;
	const char *path = proc_cgroup(text, &len);

	if (!want)
		CHECK(!path, "%s", text);
	else
		CHECK(path && len == strlen(want) && !strncmp(path, want, len), "%s", text);
}

static void
test_cgroup(void)
{
	check_cgroup("0::/a/b\n", "/a/b");
	check_cgroup("4:memory:/x\n0::/\n1:name=y:/z\n", "/");
	check_cgroup("4:memory:/x\n10::/y\n", NULL);
	/* The path of another line is not this one's. */
	check_cgroup("0::\n1:name=y:/z\n", NULL);
	check_cgroup("", NULL);
}

static void
test_map(void)
{
	static const char text[] = "         0     100000      65536\n     65536       1000          1\n";
	uint32_t out = 0;

	CHECK(proc_map_id(text, 0, &out) && out == 100000);
	CHECK(proc_map_id(text, 65535, &out) && out == 165535);
	CHECK(proc_map_id(text, 65536, &out) && out == 1000);
	CHECK(!proc_map_id(text, 65537, &out));
	CHECK(!proc_map_id("0 5", 0, &out));
	CHECK(!proc_map_id("", 0, &out));
	CHECK(proc_map_id("0 0 4294967295\n", 4294967294, &out) && out == 4294967294);
}

static void
check_unescaped(const char *text, const char *want)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	mountinfo_unescape(copy);
	CHECK(!strcmp(copy, want), "'%s': '%s'", text, copy);
}

static void
test_mountinfo(void)
{
	char text[] = "36 35 98:0 /a\\040b /c rw - ext3 /dev/root rw,x\n9\n\n";
	auto_arena struct arena a = { 0 };
	struct mountinfo m;
	struct err err;

	check_unescaped("a\\040b\\134\\011\\012", "a b\\\t\n");
	check_unescaped("\\", "\\");
	check_unescaped("\\04", "\\04");
	check_unescaped("\\xyz\\777", "\\xyz\\777");
	mountinfo_parse(text, &a, &m);
	CHECK(m.n == 3 && m.lines[0].id == 36 && !strcmp(m.lines[0].root, "/a b") && !strcmp(m.lines[0].type, "ext3"));
	/* Lines without their fields, which the kernel does not write. */
	CHECK(m.lines[1].id == 9 && !strcmp(m.lines[1].point, "") && !strcmp(m.lines[2].options, ""));
	CHECK(mountinfo_find(&m, 9) == &m.lines[1] && !mountinfo_find(&m, 10));
	CHECK(mountinfo_read(0, &a, &err, &m) == 0 && m.n > 0);
	CHECK(mountinfo_read(1 << 30, &a, &err, &m) < 0);
}

int
main(void)
{
	test_stat();
	test_cgroup();
	test_map();
	test_mountinfo();
	return failed;
}
