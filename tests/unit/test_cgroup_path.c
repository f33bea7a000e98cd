/* cgroup_resolve(): which path, none, or which error; and walking paths. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "cgroups/walk.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

/* path: wanted result ("-": none), or NULL when error must hold `text`. */
static void
expect(int line, const struct host *h, enum cgroup_manager m, const struct spec *s, const char *path, const char *text)
{
	auto_arena struct arena a = { 0 };
	struct cgroup cg = { .made = 77 };
	struct err err;
	int r;

	err_clear(&err);
	CHECK(cgroup_compile(&cg, s, &a, &err) == 0);
	r = cgroup_resolve(h, m, s, "web1", &a, &err, &cg);
	if (path) {
		bool same = r == 0 && (cg.path ? !strcmp(cg.path, path) : !strcmp(path, "-"));

		if (!same || cg.fd != -1 || cg.made != 0) {
			printf("%s:%d: got %d '%s' '%s', want '%s'\n", __FILE__, line, r, cg.path ? cg.path : "-",
			       err.msg, path);
			failed = 1;
		}
	} else if (r >= 0 || !strstr(err.msg, text) || cg.made != 77) {
		printf("%s:%d: got %d '%s', want an error with '%s'\n", __FILE__, line, r, err.msg, text);
		failed = 1;
	}
}
#define EXPECT(...) expect(__LINE__, __VA_ARGS__)

static void
test_paths(void)
{
	struct spec s = { 0 };
	struct host h;
	char name[300];

	host_reference(true, &h);
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/knarr-web1", NULL);
	h.cgroup_own = "/user.slice/u1/run.scope";
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/user.slice/u1/knarr-web1", NULL);
	s.linux_.cgroups_path = (char *)"a/b";
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/user.slice/u1/a/b", NULL);
	s.linux_.cgroups_path = (char *)"/a/b";
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/a/b", NULL);
	s.linux_.cgroups_path = (char *)"/a:b/..c/d.";
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/a:b/..c/d.", NULL);
	EXPECT(&h, CGROUP_SYSTEMD, &s, NULL, "slice:prefix:name");
	s.linux_.cgroups_path = (char *)"a-b.slice:p:n";
	EXPECT(&h, CGROUP_SYSTEMD, &s, "/a.slice/a-b.slice/p-n.scope/container", NULL);
	h.cgroup_mount = NULL;
	EXPECT(&h, CGROUP_SYSTEMD, &s, NULL, "--systemd-cgroup");
	h.cgroup_mount = "/sys/fs/cgroup";
	s.linux_.cgroups_path = (char *)"";
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/user.slice/u1/knarr-web1", NULL);

	static const char *const bad[] = { "/",	  "..",	 "/..",	   "/a/../b", "a/..",  "/a//b", "//a",
					   "/a/", "./a", "/a/./b", "/a/.",    "/a\nb", "a//",	"///" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s.linux_.cgroups_path = (char *)bad[i];
		EXPECT(&h, CGROUP_CGROUPFS, &s, NULL, "linux.cgroupsPath");
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	s.linux_.cgroups_path = name;
	EXPECT(&h, CGROUP_CGROUPFS, &s, NULL, "longer than");
	name[255] = '\0';
	EXPECT(&h, CGROUP_DISABLED, &s, "-", NULL);
}

static void
test_without(void)
{
	struct spec_memory memory = { .limit = { true, -1 } };
	struct spec_cpu cpu = { .shares = { true, 1024 } };
	struct spec_device_rule rule = { 0 };
	struct spec_resources res = { .memory = &memory, .cpu = &cpu };
	struct spec s = { .linux_ = { .resources = &res } };
	struct host h;

	host_reference(false, &h);
	EXPECT(&h, CGROUP_CGROUPFS, &s, "-", NULL); /* unlimited, and a caller's default */
	res.devices = &rule;
	res.n_devices = 1;
	EXPECT(&h, CGROUP_CGROUPFS, &s, "-", NULL); /* cannot make nodes anyway */
	memory.limit.v = 1 << 20;
	EXPECT(&h, CGROUP_CGROUPFS, &s, NULL, "linux.resources.memory.limit: the container has no cgroup of its own");
	s.linux_.cgroups_path = (char *)"/x";
	EXPECT(&h, CGROUP_CGROUPFS, &s, "/x", NULL);
	EXPECT(&h, CGROUP_DISABLED, &s, NULL, "--cgroup-manager=disabled");
	res.memory = NULL;

	host_reference(true, &h);
	EXPECT(&h, CGROUP_DISABLED, &s, "-", NULL);
	h.cgroup_mount = NULL;
	EXPECT(&h, CGROUP_CGROUPFS, &s, NULL, "linux.resources.devices");
	res.n_devices = 0;
	EXPECT(&h, CGROUP_CGROUPFS, &s, "-", NULL);
	res.pids_limit = (struct opt_i64){ true, 0 };
	EXPECT(&h, CGROUP_CGROUPFS, &s, NULL, "linux.resources.pids.limit");
	res.pids_limit.v = -1;
	EXPECT(&h, CGROUP_CGROUPFS, &s, "-", NULL);
}

static void
test_walk(void)
{
	char dir[] = "/tmp/knarr-test-XXXXXX", name[256], path[64];
	auto_close int fd = -1;
	int sub;

	CHECK(walk_count("") == 0 && walk_count("/") == 0 && walk_count("/a/bc") == 2 && walk_count("a//b/") == 2);
	walk_name("/a/bc/d", 1, name);
	CHECK(!strcmp(name, "bc"));
	walk_name("/a/bc/d", 2, name);
	CHECK(!strcmp(name, "d"));

	CHECK(mkdtemp(dir) != NULL);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(mkdirat(fd, "a", 0755) == 0 && mkdirat(fd, "a/b", 0755) == 0 && symlinkat("/tmp", fd, "link") == 0);
	sub = walk_open(fd, "/a/b", 2);
	CHECK(sub >= 0);
	fd_close(sub);
	CHECK(walk_open(fd, "/link", 1) < 0);
	CHECK(walk_open(fd, "/link/x", 2) < 0);
	CHECK(walk_open(fd, "/a/..", 2) < 0);
	CHECK(walk_open(fd, "/a/c", 2) == -2 /* ENOENT */);
	unlinkat(fd, "link", 0);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", dir);
	rmdir(path);
	CHECK(rmdir(dir) == 0);
}

int
main(void)
{
	test_paths();
	test_without();
	test_walk();
	return failed;
}
