/* Facts about the host: the parsers on fixed texts, and the probe on this one. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/host.h"
#include "tests/unit/check.h"

static const char hybrid[] = "21 1 0:1 / / rw - ext4 /dev/vda rw\n"
			     "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
			     "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
			     "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
static const char pure[] = "21 1 0:1 / / rw shared:1 - ext4 /dev/vda rw\n"
			   "30 23 0:26 / /mnt/a\\040b rw shared:9 - cgroup2 cgroup2 rw\n"
			   "31 23 0:26 /user.slice /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
static const char covered[] = "31 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
			      "32 31 0:27 / /sys/fs/cgroup ro - tmpfs - rw\n"
			      "33 31 0:26 / /c rw - cgroup2 cgroup2 rw";

static void
test_mounts(void)
{
	auto_arena struct arena a = { 0 };
	struct host_cgroup_mount m[HOST_CGROUP_MOUNTS];

	CHECK(host_find_cgroup_mounts(&a, "", m) == 0);
	CHECK(host_find_cgroup_mounts(&a, "garbage\n\n x - cgroup2 y\n", m) == 0);
	CHECK(host_find_cgroup_mounts(&a, hybrid, m) == 1);
	CHECK(!strcmp(m[0].point, "/sys/fs/cgroup/unified") && !strcmp(m[0].root, "/"));
	CHECK(host_find_cgroup_mounts(&a, pure, m) == 2);
	CHECK(!strcmp(m[0].point, "/sys/fs/cgroup") && !strcmp(m[0].root, "/user.slice"));
	CHECK(!strcmp(m[1].point, "/mnt/a b"));
	CHECK(host_find_cgroup_mounts(&a, covered, m) == 1);
	CHECK(!strcmp(m[0].point, "/c"));
}

static void
test_below(void)
{
	CHECK(!strcmp(host_cgroup_below("/a/b", "/"), "/a/b"));
	CHECK(!strcmp(host_cgroup_below("/a/b", "/a"), "/b"));
	CHECK(!strcmp(host_cgroup_below("/a", "/a"), "/"));
	CHECK(!strcmp(host_cgroup_below("/ab/c", "/a"), "/"));
	CHECK(!strcmp(host_cgroup_below("/", "/"), "/"));
	CHECK(!strcmp(host_cgroup_below("/x", "/../.."), "/"));
	CHECK(!strcmp(host_cgroup_below("/../x", "/"), "/"));
	CHECK(!strcmp(host_cgroup_below("/..x", "/"), "/..x"));
}

static void
test_versions(void)
{
	struct host h;

	host_reference(true, &h);
	CHECK(h.euid == 0 && h.privileged && h.cgroup_writable);
	CHECK(host_kernel_at_least(&h, 6, 18) && host_kernel_at_least(&h, 5, 99));
	CHECK(!host_kernel_at_least(&h, 6, 19) && !host_kernel_at_least(&h, 7, 0));
	host_reference(false, &h);
	CHECK(h.euid == 1000 && !h.privileged && !h.cgroup_writable && h.capabilities == 0);
}

static void
test_probe(void)
{
	auto_arena struct arena a = { 0 };
	struct err err;
	struct host h;
	char text[ERR_MSG_MAX + 64];

	err_clear(&err);
	if (host_probe(&a, &err, &h) < 0) {
		printf("host_probe: %s\n", err_format(&err, text, sizeof(text)));
		failed = 1;
		return;
	}
	CHECK(h.euid == geteuid());
	CHECK(host_kernel_at_least(&h, 3, 0));
	CHECK(h.last_cap >= 30 && h.last_cap < 64);
	CHECK(h.cgroup_own && h.cgroup_own[0] == '/');
	CHECK(!h.privileged || (h.capabilities >> 21 & 1));
	CHECK(h.in_userns == host_in_userns());
	CHECK(!h.cgroup_mount || h.cgroup_mount[0] == '/');
	CHECK(!h.cgroup_writable || h.cgroup_mount);
}

/* In a new user namespace that maps every id to itself, as this one does. */
static void
test_identity_map(void)
{
	static const char map[] = "0 0 4294967295\n";
	int made[2], mapped[2], status = 0;
	char byte, path[64];
	pid_t pid;

	if (geteuid() != 0 || pipe(made) < 0 || pipe(mapped) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		/* 2: no such namespace can be made here. */
		if (unshare(CLONE_NEWUSER) < 0 || write(made[1], "x", 1) != 1 || read(mapped[0], &byte, 1) != 1 ||
		    byte != 'y')
			_exit(2);
		_exit(host_in_userns() ? 0 : 1);
	}
	close(made[1]);
	if (read(made[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
		byte = fd_write_file_at(AT_FDCWD, path, map) == 0 ? 'y' : 'n';
		CHECK(write(mapped[1], &byte, 1) == 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != 1);
	close(made[0]);
	close(mapped[0]);
	close(mapped[1]);
}

int
main(void)
{
	test_mounts();
	test_below();
	test_versions();
	test_probe();
	test_identity_map();
	return failed;
}
