/* Real cgroups, below the mount that this host has: made, frozen, joined by
 * clone3(2), killed, removed. Needs root and cgroup2; touches nothing that was
 * there before. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "cgroups/events.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

#define CHECK_WITH_ERR(condition) CHECK(condition, "(%s)", err.msg)

static struct arena arena;
static struct host host;
static struct err err;
static char top[64]; /* "/knarr-test-PID" */

static struct cgroup
resolve(const struct spec *s)
{
	struct cgroup cg = { .fd = -1 };

	CHECK_WITH_ERR(cgroup_compile(&cg, s, &arena, &err) == 0);
	CHECK_WITH_ERR(cgroup_resolve(&host, CGROUP_CGROUPFS, s, "x", &arena, &err, &cg) == 0);
	return cg;
}

static bool
exists(const char *path)
{
	return access(arena_printf(&arena, "%s%s", host.cgroup_mount, path), F_OK) == 0;
}

/* A child in the cgroup that forks once more and sleeps; its pid. */
static pid_t
start_in(const struct cgroup *cg)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (__u64)cg->fd,
	};
	int ready[2];
	char byte;
	pid_t pid;

	CHECK_WITH_ERR(pipe2(ready, O_CLOEXEC) == 0);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		if (fork() == 0) {
			setpgid(0, 0);
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
		}
		for (;;)
			pause();
	}
	CHECK_WITH_ERR(pid > 0);
	close(ready[1]);
	CHECK_WITH_ERR(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

/* Several containers below one parent: the last one out removes it. */
static void
test_tree(void)
{
	struct spec s1 = { .linux_.cgroups_path = arena_printf(&arena, "%s/a/one", top) };
	struct spec s2 = { .linux_.cgroups_path = arena_printf(&arena, "%s/a/two", top) };
	struct cgroup one = resolve(&s1), two = resolve(&s2), again;

	CHECK_WITH_ERR(cgroup_check(&one, &err) == 0);
	CHECK_WITH_ERR(cgroup_create(&one, &err) == 0);
	CHECK_WITH_ERR(one.made == 3 && one.fd >= 0 && exists(one.path));
	CHECK_WITH_ERR(cgroup_create(&two, &err) == 0 && two.made == 1);
	again = resolve(&s2); /* there already, but empty: fit */
	CHECK_WITH_ERR(cgroup_create(&again, &err) == 0 && again.made == 0);
	again.fd = fd_close(again.fd);
	CHECK_WITH_ERR(cgroup_destroy(&one, 1000, &err) == 0 && one.fd == -1);
	CHECK_WITH_ERR(!exists(s1.linux_.cgroups_path) && exists(s2.linux_.cgroups_path));
	CHECK_WITH_ERR(cgroup_destroy(&two, 1000, &err) == 0);
	CHECK_WITH_ERR(!exists(top));
	CHECK_WITH_ERR(cgroup_destroy(&two, 1000, &err) == 0); /* gone: no error */
	CHECK_WITH_ERR(cgroup_open(&two, &err) == -ENOENT);
	CHECK_WITH_ERR(cgroup_kill(&two, SIGKILL, &err) == 0);
}

static void
test_life(void)
{
	struct spec s = { .linux_.cgroups_path = arena_printf(&arena, "%s/b", top) };
	struct cgroup cg = resolve(&s), other = resolve(&s);
	pid_t pids[8], pid;
	int status;

	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0);
	pid = start_in(&cg);
	CHECK_WITH_ERR(cgroup_pids(&cg, pids, 8, &err) == 2);
	CHECK_WITH_ERR(cgroup_pids(&cg, NULL, 0, &err) == 2);
	CHECK_WITH_ERR(pids[0] == pid || pids[1] == pid);

	CHECK_WITH_ERR(cgroup_create(&other, &err) == -EBUSY && strstr(err.msg, "already holds processes"));
	CHECK_WITH_ERR(exists(s.linux_.cgroups_path));

	CHECK_WITH_ERR(cgroup_is_frozen(&cg, &err) == 0);
	CHECK_WITH_ERR(cgroup_freeze(&cg, true, 2000, &err) == 0 && cgroup_is_frozen(&cg, &err) == 1);
	CHECK_WITH_ERR(cgroup_kill(&cg, SIGCONT, &err) == 0 && cgroup_is_frozen(&cg, &err) == 1); /* stays as it was */
	CHECK_WITH_ERR(cgroup_freeze(&cg, false, 2000, &err) == 0 && cgroup_is_frozen(&cg, &err) == 0);

	CHECK_WITH_ERR(cgroup_destroy(&cg, 50, &err) == -EBUSY && strstr(err.msg, "2 processes are still in it"));
	CHECK_WITH_ERR(cgroup_open(&cg, &err) == 0);
	CHECK_WITH_ERR(cgroup_kill(&cg, SIGTERM, &err) == 0);
	CHECK_WITH_ERR(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	CHECK_WITH_ERR(events_wait(cg.fd, "populated", 0, 2000) == 0);

	pid = start_in(&cg);
	CHECK_WITH_ERR(cgroup_freeze(&cg, true, 2000, &err) == 0);
	CHECK_WITH_ERR(cgroup_kill(&cg, SIGKILL, &err) == 0); /* frozen ones die too */
	CHECK_WITH_ERR(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_WITH_ERR(events_wait(cg.fd, "populated", 0, 2000) == 0);
	CHECK_WITH_ERR(cgroup_create(&other, &err) == -EBUSY && strstr(err.msg, "is frozen"));
	CHECK_WITH_ERR(cgroup_freeze(&cg, false, 2000, &err) == 0);
	CHECK_WITH_ERR(cgroup_destroy(&cg, 2000, &err) == 0 && !exists(top));
}

/* What a container with a delegated cgroup leaves: a deep and a broad tree with a
 * process at the bottom. */
static void
test_deep(void)
{
	struct spec s = { .linux_.cgroups_path = arena_printf(&arena, "%s", top) };
	struct cgroup cg = resolve(&s), leaf = { .fd = -1 };
	char *path = arena_printf(&arena, "%s%s", host.cgroup_mount, top);
	pid_t pid;

	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0 && cg.made == 1);
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned j = 0; j < 3; j++)
			CHECK_WITH_ERR(mkdir(arena_printf(&arena, "%s/s%u", path, j), 0755) == 0);
		path = arena_printf(&arena, "%s/s1", path);
	}
	leaf = (struct cgroup){ .mount = cg.mount, .path = path + strlen(host.cgroup_mount), .fd = -1 };
	CHECK_WITH_ERR(cgroup_open(&leaf, &err) == 0);
	pid = start_in(&leaf);
	CHECK_WITH_ERR(cgroup_pids(&cg, NULL, 0, &err) == 2);
	CHECK_WITH_ERR(cgroup_delegate(&cg, 1234, &err) == 0);
	{
		struct stat st;

		CHECK_WITH_ERR(fstatat(cg.fd, "cgroup.procs", &st, 0) == 0 && st.st_uid == 1234);
		CHECK_WITH_ERR(fstatat(cg.fd, "cgroup.events", &st, 0) == 0 && st.st_uid == 0);
		CHECK_WITH_ERR(fstatat(cg.fd, "", &st, AT_EMPTY_PATH) == 0 && st.st_uid == 1234);
	}
	CHECK_WITH_ERR(cgroup_kill(&cg, SIGKILL, &err) == 0);
	CHECK_WITH_ERR(waitpid(pid, NULL, 0) == pid);
	leaf.fd = fd_close(leaf.fd);
	CHECK_WITH_ERR(cgroup_destroy(&cg, 2000, &err) == 0 && !exists(top));
}

/* A directory that was there before knarr stays; what the container made in it goes. */
static void
test_foreign(void)
{
	struct spec s = { .linux_.cgroups_path = arena_printf(&arena, "%s", top) };
	char *path = arena_printf(&arena, "%s%s", host.cgroup_mount, top);
	struct cgroup cg = resolve(&s);

	CHECK_WITH_ERR(mkdir(path, 0755) == 0);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0 && cg.made == 0);
	CHECK_WITH_ERR(mkdir(arena_printf(&arena, "%s/sub", path), 0755) == 0);
	CHECK_WITH_ERR(cgroup_destroy(&cg, 1000, &err) == 0);
	CHECK_WITH_ERR(exists(top) && !exists(arena_printf(&arena, "%s/sub", top)));
	CHECK_WITH_ERR(rmdir(path) == 0);

	/* What a killed knarr left behind is knarr's. */
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0 && cg.made == 1);
	cg.fd = fd_close(cg.fd);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0 && cg.made == 0);
	CHECK_WITH_ERR(cgroup_destroy(&cg, 1000, &err) == 0 && !exists(top));
}

/* Failure leaves nothing: an unknown file, and a name that is a file. */
static void
test_failure(void)
{
	struct spec_pair pair = { (char *)"knarr.nothing", (char *)"1" };
	struct spec_resources r = { .unified = { &pair, 1 } };
	struct spec s = { .linux_ = { .resources = &r } };
	struct cgroup cg;

	s.linux_.cgroups_path = arena_printf(&arena, "%s/x/cgroup.procs/y", top);
	cg = resolve(&s);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) < 0 && cg.fd == -1 && cg.made == 0 && !exists(top));
	s.linux_.cgroups_path = arena_printf(&arena, "%s/x", top);
	cg = resolve(&s);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0);
	CHECK_WITH_ERR(cgroup_apply(&cg, &s, &err) == -EINVAL && strstr(err.msg, "has no file 'knarr.nothing'"));
	CHECK_WITH_ERR(cgroup_destroy(&cg, 0, &err) == 0 && !exists(top));
}

static bool
file_holds(const struct cgroup *cg, const char *file, const char *want)
{
	char text[512];

	return fd_read_small_at(cg->fd, file, text, sizeof(text)) >= 0 && strstr(text, want);
}

/* hugetlb is the one limit that hybrid hosts have in cgroup v2 too. */
static void
test_limits(void)
{
	struct spec_hugepage_limit limit = { (char *)"2MB", 4 << 20 };
	struct spec_resources r = { .hugepage_limits = &limit, .n_hugepage_limits = 1 }, none = { 0 };
	struct spec s = { .linux_ = { .resources = &r } }, parent = { 0 };
	struct cgroup root = { .fd = open(host.cgroup_mount, O_PATH | O_CLOEXEC) }, up, cg;
	bool present = file_holds(&root, "cgroup.controllers", "hugetlb");
	pid_t pid;

	fd_close(root.fd);
	if (!present || access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK) < 0)
		return;
	parent.linux_.cgroups_path = arena_printf(&arena, "%s", top);
	s.linux_.cgroups_path = arena_printf(&arena, "%s/c", top);
	up = resolve(&parent);
	cg = resolve(&s);
	CHECK_WITH_ERR(cgroup_check(&cg, &err) == 0);
	CHECK_WITH_ERR(cgroup_create(&up, &err) == 0);
	pid = start_in(&up);

	/* Below a cgroup with processes: no limits, and no harm to the parent. */
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == -EBUSY && strstr(err.msg, "holds processes itself"));
	s.linux_.resources = &none;
	CHECK_WITH_ERR(cgroup_compile(&cg, &s, &arena, &err) == 0);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0);
	CHECK_WITH_ERR(file_holds(&up, "cgroup.type", "domain") && !file_holds(&up, "cgroup.type", "threaded"));
	CHECK_WITH_ERR(cgroup_destroy(&cg, 1000, &err) == 0);
	CHECK_WITH_ERR(cgroup_kill(&up, SIGKILL, &err) == 0 && waitpid(pid, NULL, 0) == pid);
	CHECK_WITH_ERR(events_wait(up.fd, "populated", 0, 2000) == 0);

	s.linux_.resources = &r;
	CHECK_WITH_ERR(cgroup_compile(&cg, &s, &arena, &err) == 0);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0 && cgroup_apply(&cg, &s, &err) == 0);
	CHECK_WITH_ERR(file_holds(&cg, "hugetlb.2MB.max", "4194304"));
	CHECK_WITH_ERR(cgroup_destroy(&cg, 1000, &err) == 0);
	CHECK_WITH_ERR(cgroup_destroy(&up, 1000, &err) == 0 && !exists(top));
}

/* Status of a child in cg that opens path. */
static int
open_errno_in(const struct cgroup *cg, const char *path)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (__u64)cg->fd };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int status = -1;

	if (pid == 0)
		_exit(open(path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0);
	CHECK_WITH_ERR(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_devices(void)
{
	struct spec_device_rule rules[1000] = { { .type = 'a', .read = true, .write = true, .mknod = true } };
	struct spec_resources r = { .devices = rules, .n_devices = 1 };
	struct spec s = { .linux_ = { .resources = &r } };
	struct cgroup cg;

	s.linux_.cgroups_path = arena_printf(&arena, "%s", top);
	cg = resolve(&s);
	CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/kmsg") == 0);
	CHECK_WITH_ERR(cgroup_devices_apply(&cg, &s, &err) == 0);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/kmsg") == EPERM);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/null") == 0);

	/* Replaced, not added, once the directory is an old one. */
	cg.made = 0;
	rules[0].allow = true;
	CHECK_WITH_ERR(cgroup_devices_apply(&cg, &s, &err) == 0);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/kmsg") == 0);
	/* As many rules as nobody has: the verifier must cope. */
	for (unsigned i = 0; i < 1000; i++)
		rules[i] = (struct spec_device_rule){ .allow = i % 3,
						      .type = "cba"[i % 7 % 3],
						      .major = { i % 5, (int)i },
						      .minor = { i % 4, (int)i },
						      .read = i & 1,
						      .write = i & 2,
						      .mknod = i & 4 };
	r.n_devices = 1000;
	CHECK_WITH_ERR(cgroup_devices_apply(&cg, &s, &err) == 0);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/null") == 0);
	/* None are those that runc has then. */
	s.linux_.resources = NULL;
	CHECK_WITH_ERR(cgroup_devices_apply(&cg, &s, &err) == 0);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/kmsg") == EPERM);
	CHECK_WITH_ERR(open_errno_in(&cg, "/dev/null") == 0);
	CHECK_WITH_ERR(cgroup_destroy(&cg, 1000, &err) == 0);
}

/* Many at once that come and go below one parent. */
static void
test_race(void)
{
	pid_t pids[6];
	int status;

	fflush(stdout);
	for (unsigned i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (unsigned n = 0; n < 100; n++) {
			struct spec s = { .linux_.cgroups_path = arena_printf(&arena, "%s/r/q/%u", top, i) };
			struct cgroup cg = resolve(&s);

			CHECK_WITH_ERR(cgroup_create(&cg, &err) == 0);
			CHECK_WITH_ERR(cgroup_destroy(&cg, 1000, &err) == 0);
		}
		fflush(stdout);
		_exit(failed);
	}
	for (unsigned i = 0; i < 6; i++)
		CHECK_WITH_ERR(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	CHECK_WITH_ERR(!exists(top));
}

int
main(void)
{
	if (geteuid() != 0) {
		printf("SKIP: needs root\n");
		return 77;
	}
	err_clear(&err);
	if (host_probe(&arena, &err, &host) < 0 || !host.cgroup_mount || !host.cgroup_writable) {
		printf("SKIP: no cgroup2 that can be written\n");
		return 77;
	}
	snprintf(top, sizeof(top), "/knarr-test-%d", (int)getpid());
	test_tree();
	test_life();
	test_deep();
	test_foreign();
	test_failure();
	test_limits();
	test_devices();
	test_race();
	if (exists(top))
		printf("left behind: %s%s\n", host.cgroup_mount, top);
	arena_free(&arena);
	return failed;
}
