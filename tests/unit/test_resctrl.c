/* cgroups/resctrl.h on a directory that looks like a resctrl: the rules about groups,
 * the order of what is written, and what is removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/resctrl.h"
#include "cgroups/resctrl_schemata.h"
#include "tests/unit/check.h"

#define CHECK_WITH_ERR(condition) CHECK(condition, "(%s)", e.msg)

static int root = -1;

static void
put_file(const char *path, const char *text)
{
	auto_close int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		abort();
}

static bool
holds(const char *path, const char *want)
{
	char text[1024] = "";
	ssize_t n = fd_read_small_at(root, path, text, sizeof(text));

	return n >= 0 && !strcmp(text, want);
}

static bool
exists(const char *path)
{
	return faccessat(root, path, F_OK, 0) == 0;
}

/* What the kernel puts into a new group. */
static void
fill_group(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/tasks", name);
	put_file(path, "");
	snprintf(path, sizeof(path), "%s/schemata", name);
	put_file(path, "");
	snprintf(path, sizeof(path), "%s/mon_groups", name);
	if (mkdirat(root, path, 0755) < 0 && errno != EEXIST)
		abort();
}

static void
empty_group(const char *name)
{
	static const char *const files[] = { "tasks", "schemata" };
	char path[256];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		unlinkat(root, path, 0);
	}
	snprintf(path, sizeof(path), "%s/mon_groups", name);
	unlinkat(root, path, AT_REMOVEDIR);
}

#define TEXT(s) ((char *)(s))

static void
test_compare(void)
{
	static const char file[] = "    L2:0=f;1=f\n    L3:0=7ff;1=01f\n    MB:0=100;1= 70\n";
	static const struct {
		const char *line;
		bool same;
	} rows[] = {
		{ "L3:0=7ff;1=1f", true }, { "L3:1=01f;0=7FF", true },
		{ "L3:1=1f", true },	   { "L3:0=7fe;1=1f", false },
		{ "L3:2=1f", false },	   { "L4:0=1", false },
		{ "MB:0=100", true },	   { "MB:0=64", false }, /* not hexadecimal */
		{ "L3", false },	   { "L3:0", false },
		{ "L3:0=", false },	   { "L3:0=7ffx", false },
		{ "L2:0=f;1=f;", true },   { "L:0=7ff", false },
		{ "L3:0=7ff;bad", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec_intel_rdt rdt = { .l3_cache_schema = TEXT(rows[i].line) };
		struct err e = { 0 };
		int r = resctrl_schemata_compare(&rdt, file, "g", &e);

		if ((r == 0) != rows[i].same) {
			fprintf(stderr, "%s:%d: '%s': %d %s\n", __FILE__, __LINE__, rows[i].line, r, e.msg);
			failed = 1;
		}
	}
}

/* Not set: called as the container, new, and gone with it. */
static void
test_own_group(void)
{
	char *more[] = { TEXT("L2:0=f"), TEXT("MB:1=30") };
	struct spec_intel_rdt rdt = { .l3_cache_schema = TEXT("L3:0=7f0;1=1f"),
				      .mem_bw_schema = TEXT("MB:0=20"),
				      .schemata = { more, 2 },
				      .enable_monitoring = true };
	struct resctrl r;
	struct err e = { 0 };

	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == 0 && r.make && r.own);
	CHECK_WITH_ERR(!exists("box"));
	/* The kernel's files are not there at once in this tree: the second half fails. */
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == -ENOENT && r.made && !r.made_monitor);
	CHECK_WITH_ERR(strstr(e.msg, "linux.intelRdt.enableMonitoring") && strstr(e.msg, "'box'"));
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_remove(&r, &e) == 0 && !exists("box"));

	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == 0);
	r.monitor = NULL;
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == 0);
	fill_group("box");
	r.monitor = "box";
	r.make = false;
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == 0 && r.made_monitor && exists("box/mon_groups/box"));
	put_file("box/mon_groups/box/tasks", "");
	r.make = true;
	CHECK_WITH_ERR(resctrl_write_schemata(&r, &rdt, &e) == 0);
	CHECK_WITH_ERR(holds("box/schemata", "L3:0=7f0;1=1f\nMB:0=20\nL2:0=f\nMB:1=30"));
	CHECK_WITH_ERR(resctrl_join(&r, 4711, &e) == 0);
	CHECK_WITH_ERR(holds("box/tasks", "4711") && holds("box/mon_groups/box/tasks", "4711"));

	/* Another container with the same name in another state root. */
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == -EEXIST && strstr(e.msg, "'box'"));
	r = (struct resctrl){ .root_fd = root, .group = "box", .monitor = "box", .own = true, .made_monitor = true };
	unlinkat(root, "box/mon_groups/box/tasks", 0);
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_remove(&r, &e) < 0); /* files are in the way, as they are not in a resctrl */
	CHECK_WITH_ERR(!exists("box/mon_groups/box"));
	empty_group("box");
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_remove(&r, &e) == 0 && !exists("box"));
	CHECK_WITH_ERR(resctrl_remove(&r, &e) == 0); /* gone already */
}

static void
test_named_group(void)
{
	struct spec_intel_rdt bare = { .clos_id = TEXT("gold") };
	struct spec_intel_rdt rdt = { .clos_id = TEXT("gold"), .l3_cache_schema = TEXT("L3:0=f") };
	auto_arena struct arena a = { 0 };
	const char *before = NULL;
	struct resctrl r;
	struct err e = { 0 };

	CHECK_WITH_ERR(resctrl_resolve(&bare, "box", root, &e, &r) == -ENOENT && strstr(e.msg, "closID") &&
		       strstr(e.msg, "'gold'"));
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == 0 && r.make && !r.own);
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == 0 && r.made);
	fill_group("gold");
	CHECK_WITH_ERR(resctrl_write_schemata(&r, &rdt, &e) == 0 && holds("gold/schemata", "L3:0=f"));

	/* The next container shares it, and nothing is written again. */
	put_file("gold/schemata", "    L3:0=0f;1=7ff\n");
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box2", root, &e, &r) == 0 && !r.make && !r.own);
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == 0 && !r.made);
	CHECK_WITH_ERR(resctrl_write_schemata(&r, &rdt, &e) == 0 && holds("gold/schemata", "    L3:0=0f;1=7ff"));
	CHECK_WITH_ERR(resctrl_resolve(&bare, "box2", root, &e, &r) == 0 && !r.make);
	CHECK_WITH_ERR(resctrl_remove(&r, &e) == 0 && exists("gold"));

	rdt.l3_cache_schema = TEXT("L3:0=3");
	put_file("gold/schemata", "");
	CHECK_WITH_ERR(resctrl_change_schemata(&r, &rdt, &a, &e, &before) == 0 && holds("gold/schemata", "L3:0=3"));
	CHECK_WITH_ERR(before && !*before);
	/* The second line is refused: it is longer than any file of resctrl takes. */
	put_file("gold/schemata", "    L3:0=0f;1=7ff\n");
	rdt.mem_bw_schema = arena_printf(&a, "MB:%05000d", 7);
	CHECK_WITH_ERR(resctrl_change_schemata(&r, &rdt, &a, &e, &before) == -EFBIG);
	CHECK_WITH_ERR(holds("gold/schemata", "    L3:0=0f;1=7ff"));
	rdt.mem_bw_schema = NULL;
	err_clear(&e);

	rdt.l3_cache_schema = TEXT("L3:0=e");
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box2", root, &e, &r) == -EINVAL && strstr(e.msg, "l3CacheSchema") &&
		       strstr(e.msg, "L3:0=e"));
	err_clear(&e);

	/* Made by another one between the look and the making. */
	r = (struct resctrl){ .root_fd = root, .group = "gold", .make = true };
	rdt.l3_cache_schema = TEXT("L3:0=f");
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == 0 && !r.made && !r.make);
	empty_group("gold");
	CHECK_WITH_ERR(unlinkat(root, "gold", AT_REMOVEDIR) == 0);
}

static void
test_default_group(void)
{
	struct spec_intel_rdt rdt = { .clos_id = TEXT("/"), .enable_monitoring = true };
	auto_arena struct arena a = { 0 };
	const char *before = NULL;
	struct resctrl r;
	struct err e = { 0 };

	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == 0 && !r.make && !r.own);
	CHECK_WITH_ERR(resctrl_change_schemata(&r, &rdt, &a, &e, &before) == -EINVAL && strstr(e.msg, "default group"));
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == 0 && exists("mon_groups/box"));
	put_file("mon_groups/box/tasks", "");
	CHECK_WITH_ERR(resctrl_join(&r, 7, &e) == 0 && holds("tasks", "7") && holds("mon_groups/box/tasks", "7"));
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == -EEXIST && strstr(e.msg, "mon_groups"));
	unlinkat(root, "mon_groups/box/tasks", 0);
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_remove(&r, &e) == 0 && !exists("mon_groups/box") && exists("tasks"));
	rdt.mem_bw_schema = TEXT("MB:0=90");
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == -EINVAL && strstr(e.msg, "memBwSchema"));
}

static void
test_no_groups(void)
{
	struct spec_intel_rdt rdt = { .clos_id = TEXT("info") };
	struct resctrl r;
	struct err e = { 0 };

	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) == -EINVAL && strstr(e.msg, "not a group"));
	rdt.clos_id = NULL;
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "info", root, &e, &r) == -EINVAL);
	rdt.clos_id = TEXT("link");
	if (symlinkat("/tmp", root, "link") < 0)
		abort();
	CHECK_WITH_ERR(resctrl_resolve(&rdt, "box", root, &e, &r) < 0);
	unlinkat(root, "link", 0);

	/* The kernel's words are in the message. */
	put_file("info/last_cmd_status", "Out of CLOSIDs\n");
	r = (struct resctrl){ .root_fd = root, .group = "no/such", .make = true, .own = true };
	err_clear(&e);
	CHECK_WITH_ERR(resctrl_make(&r, &rdt, &e) == -ENOENT && strstr(e.msg, "Out of CLOSIDs"));
}

/* Nothing but a real resctrl counts; where there is one, this says nothing. */
static void
test_mounted(void)
{
	struct err e = { 0 };
	int fd = -1, r = resctrl_open_mounted(&e, &fd);

	CHECK_WITH_ERR(r == 0 ? fd >= 0 : r == -ENOENT && fd == -1 && strstr(e.msg, "no resctrl is mounted"));
	fd_close(fd);
}

int
main(void)
{
	char dir[] = "/tmp/knarr-resctrl.XXXXXX";

	if (!mkdtemp(dir))
		return 1;
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return 1;
	put_file("tasks", "");
	put_file("schemata", "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n");
	if (mkdirat(root, "info", 0755) < 0 || mkdirat(root, "mon_groups", 0755) < 0)
		return 1;
	put_file("info/last_cmd_status", "ok\n");
	test_compare();
	test_own_group();
	test_named_group();
	test_default_group();
	test_no_groups();
	test_mounted();
	unlinkat(root, "info/last_cmd_status", 0);
	unlinkat(root, "info", AT_REMOVEDIR);
	empty_group(".");
	close(root);
	if (rmdir(dir) < 0) {
		perror(dir);
		failed = 1;
	}
	return failed;
}
