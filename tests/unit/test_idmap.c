/* Id maps: planning for root and for unprivileged users (needs no root), and
 * writing them to real user namespaces (as root, and as an unprivileged user). */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/user/idmap.h"
#include "tests/unit/check.h"

#define ROOT_CAPS (1ULL << CAP_SETUID | 1ULL << CAP_SETGID | 1ULL << CAP_SETFCAP)

static const struct host root = { .privileged = true, .capabilities = ROOT_CAPS };
static const struct host user = { .euid = 1000, .egid = 1001 };
static char dir[] = "/tmp/test_idmap.XXXXXX";

static void
put_file(const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		exit(99);
	fd_close(fd);
}

struct maps {
	struct spec_id_mapping rows[8];
	size_t n;
};

/* Plans, and compares with what is wanted: NULL text is success. */
static struct plan_builder
plan_with(struct arena *a, const struct host *h, const char *subid_dir, struct maps uids, struct maps gids,
	  struct spec_user u, const char *text, int line)
{
	struct spec_process process = { .user = u };
	struct spec s = { .process = &process };
	struct plan_builder b;
	struct err e = { 0 };
	int r;

	s.linux_.uid_mappings = (struct spec_id_mappings){ uids.rows, uids.n };
	s.linux_.gid_mappings = (struct spec_id_mappings){ gids.rows, gids.n };
	plan_begin(&b, a);
	r = idmap_plan(&b, &s, h, subid_dir, &e);
	CHECK(text ? r < 0 && strstr(e.msg, text) : r == 0, "line %d: %d '%s'", line, r, e.msg);
	return b;
}
#define MAPS(...)			((struct maps){ { __VA_ARGS__ }, sizeof((struct spec_id_mapping[]){ __VA_ARGS__ }) / 12 })
#define NO_MAPS				((struct maps){ .n = 0 })
#define PLAN(h, d, uids, gids, u, text) plan_with(&a, h, d, uids, gids, u, text, __LINE__)

static struct plan_id_map
first(const struct plan_builder *b, struct plan_bytes bytes)
{
	struct plan_id_map m;

	memcpy(&m, b->blob + bytes.off, sizeof(m));
	return m;
}

static void
test_bad_maps(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_user u = { 0 };
	struct maps ok = MAPS({ 0, 1000, 100 });
	struct spec_id_mapping rows[341];
	struct spec_process process = { 0 };
	struct spec s = { .process = &process };
	struct plan_builder b;
	struct err e;

	PLAN(&root, NULL, NO_MAPS, NO_MAPS, u, "linux.uidMappings: required");
	PLAN(&root, NULL, ok, NO_MAPS, u, "linux.gidMappings: required");
	PLAN(&root, NULL, NO_MAPS, ok, u, "linux.uidMappings: required");
	PLAN(&root, NULL, MAPS({ 0, 1000, 0 }), ok, u, "linux.uidMappings[0].size");
	PLAN(&root, NULL, ok, MAPS({ 0, 1000, 10 }, { 9, 2000, 1 }), u,
	     "linux.gidMappings[1]: the ids in the container");
	PLAN(&root, NULL, ok, MAPS({ 0, 1000, 10 }, { 10, 1009, 1 }), u, "linux.gidMappings[1]: the ids on the host");
	PLAN(&root, NULL, ok, MAPS({ 10, 1000, 10 }, { 0, 900, 10 }), u, NULL);
	PLAN(&root, NULL, MAPS({ 0, 4294967294, 1 }), ok, u, NULL);
	PLAN(&root, NULL, MAPS({ 0, 4294967294, 2 }), ok, u, "past the last id");
	PLAN(&root, NULL, MAPS({ 4294967295, 5, 1 }), ok, u, "past the last id");
	for (uint32_t i = 0; i < 341; i++)
		rows[i] = (struct spec_id_mapping){ 10 * i, 10 * i, 1 };
	for (size_t n = 341; n >= 340; n--) {
		err_clear(&e);
		s.linux_.uid_mappings = (struct spec_id_mappings){ rows, n };
		s.linux_.gid_mappings = (struct spec_id_mappings){ rows, 1 };
		plan_begin(&b, &a);
		CHECK((idmap_plan(&b, &s, &root, NULL, &e) == 0) == (n == 340), "%zu: %s", n, e.msg);
	}
	for (uint32_t i = 0; i < 340; i++)
		rows[i].host_id = 1000000000 + 10 * i;
	s.linux_.uid_mappings.n = 340;
	plan_begin(&b, &a);
	CHECK(idmap_plan(&b, &s, &root, NULL, &e) < 0 && strstr(e.msg, "kernel takes 4095"), "%s", e.msg);
}

static void
test_user_ids(void)
{
	auto_arena struct arena a = { 0 };
	struct maps ids = MAPS({ 0, 1000, 100 });
	uint32_t groups[] = { 5, 100 };

	PLAN(&root, NULL, ids, ids, ((struct spec_user){ .uid = 99, .gid = 99 }), NULL);
	PLAN(&root, NULL, ids, ids, ((struct spec_user){ .uid = 100 }), "process.user.uid: 100 is not mapped");
	PLAN(&root, NULL, ids, ids, ((struct spec_user){ .gid = 100 }), "process.user.gid: 100 is not mapped");
	PLAN(&root, NULL, ids, ids, ((struct spec_user){ .additional_gids = { groups, 2 } }),
	     "process.user.additionalGids[1]: 100 is not mapped");
}

static void
test_writers(void)
{
	auto_arena struct arena a = { 0 };
	struct host no_setfcap = root;
	struct spec_user u = { 0 };
	struct maps all = MAPS({ 0, 0, 1000 }), own = MAPS({ 0, 1000, 1 }), own_gid = MAPS({ 0, 1001, 1 });
	struct maps sub = MAPS({ 0, 1000, 1 }, { 1, 100000, 65536 }),
		    sub_gid = MAPS({ 0, 1001, 1 }, { 1, 100000, 65536 });
	struct plan_builder b = PLAN(&root, dir, all, all, u, NULL);

	CHECK(b.spawn.map_how == PLAN_MAP_DIRECT && !b.spawn.deny_setgroups, "root");
	no_setfcap.capabilities &= ~(1ULL << CAP_SETFCAP);
	PLAN(&no_setfcap, dir, all, all, u, "CAP_SETFCAP");
	PLAN(&no_setfcap, dir, own, own, u, NULL);

	b = PLAN(&user, dir, own, own_gid, u, NULL);
	CHECK(b.spawn.map_how == PLAN_MAP_DIRECT && b.spawn.deny_setgroups, "single");
	b = PLAN(&user, dir, NO_MAPS, NO_MAPS, ((struct spec_user){ .uid = 33, .gid = 44 }), NULL);
	CHECK(b.spawn.map_how == PLAN_MAP_DIRECT && b.spawn.deny_setgroups, "default");
	CHECK(first(&b, b.spawn.uid_maps).container == 33 && first(&b, b.spawn.uid_maps).host == 1000, "default uid");
	CHECK(first(&b, b.spawn.gid_maps).container == 44 && first(&b, b.spawn.gid_maps).host == 1001, "default gid");

	b = PLAN(&user, NULL, sub, sub_gid, u, NULL);
	CHECK(b.spawn.map_how == PLAN_MAP_HELPERS, "reference host");
	put_file("passwd", "root:x:0:0:::\nann:x:1000:1001:::\n");
	PLAN(&user, dir, sub, sub_gid, u,
	     "linux.uidMappings[1]: host ids 100000 to 165535 are not yours: no entry for user ann in");
	put_file("subuid", "# comment\nbob:1:5\nann:100000:40000\nann:140000:25536\nann:x:1\n");
	PLAN(&user, dir, sub, sub_gid, u, "linux.gidMappings[1]: host ids 100000 to 165535 are not yours: no entry");
	put_file("subgid", "1000:100000:65535\n");
	PLAN(&user, dir, sub, sub_gid, u, "the entry for user ann in");
	put_file("subgid", "1000:100000:65536\n");
	b = PLAN(&user, dir, sub, sub_gid, u, NULL);
	CHECK(b.spawn.map_how == PLAN_MAP_HELPERS && !b.spawn.deny_setgroups, "helpers");
	b = PLAN(&user, dir, sub, own_gid, u, NULL);
	CHECK(b.spawn.map_how == PLAN_MAP_HELPERS && b.spawn.deny_setgroups, "newgidmap denies setgroups");
	PLAN(&user, dir, MAPS({ 0, 0, 1 }), own_gid, u, "not yours");
	put_file("nsswitch.conf", "passwd: files\nsubid: sss\n");
	b = PLAN(&user, dir, MAPS({ 0, 0, 1 }), own_gid, u, NULL);
	CHECK(b.spawn.map_how == PLAN_MAP_HELPERS, "left to newuidmap");
}

/* ---- real namespaces --------------------------------------------------- */

/* A process in a new user namespace; ends when its stdin pipe does. */
static pid_t
spawn_in_userns(int *ret_hold)
{
	int hold[2], ready[2];
	char c;
	pid_t pid;

	if (pipe2(hold, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		exit(99);
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(read(hold[0], &c, 1) == 0 ? 0 : 1);
	}
	close(hold[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	*ret_hold = hold[1];
	return pid;
}

/* Writes the maps; compares uid_map as the kernel shows it, or the error. */
static void
write_and_compare(const struct host *h, struct maps uids, struct maps gids, const char *want_uids,
		  const char *want_groups, const char *text, int line)
{
	auto_arena struct arena a = { 0 };
	struct plan_builder b = plan_with(&a, h, NULL, uids, gids, (struct spec_user){ 0 }, NULL, line);
	char path[64], buf[256] = "";
	struct plan *p;
	struct err e = { 0 };
	int hold, r;
	pid_t pid;

	/* The plan is that of a reference host, where nothing is looked for. */
	b.spawn.uid_helper = plan_string(&b, "/usr/bin/newuidmap");
	b.spawn.gid_helper = plan_string(&b, "/usr/bin/newgidmap");
	if (plan_seal(&b, &e, &p) < 0)
		exit(99);
	pid = spawn_in_userns(&hold);
	CHECK(pid > 0, "line %d: no user namespace", line);
	r = idmap_write(p, pid, &e);
	CHECK(text ? r < 0 && strstr(e.msg, text) : r == 0, "line %d: %d '%s' %s", line, r, e.msg, err_reason(e.code));
	if (!text) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
		fd_read_small_at(AT_FDCWD, path, buf, sizeof(buf));
		CHECK(!strcmp(buf, want_uids), "line %d: '%s'", line, buf);
		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
		fd_read_small_at(AT_FDCWD, path, buf, sizeof(buf));
		CHECK(!strcmp(buf, want_groups), "line %d: '%s'", line, buf);
	}
	close(hold);
	waitpid(pid, NULL, 0);
	plan_free(p);
}
#define WRITE(...) write_and_compare(__VA_ARGS__, __LINE__)

static void
test_write_as_root(void)
{
	struct maps one = MAPS({ 0, 1000, 5 });

	WRITE(&root, one, one, "         0       1000          5", "allow", NULL);
	WRITE(&root, MAPS({ 0, 0, 4294967295U }), one, "         0          0 4294967295", "allow", NULL);
}

/* In a mount namespace of its own, with /etc/subuid and passwd from dir. */
static void
unprivileged_user(void)
{
	static const char *const files[] = { "subuid", "subgid", "passwd" };
	struct maps sub = MAPS({ 0, 1000, 1 }, { 1, 100000, 65536 }),
		    sub_gid = MAPS({ 0, 1001, 1 }, { 1, 100000, 65536 });
	struct maps zero = MAPS({ 0, 1000, 1 }), zero_gid = MAPS({ 0, 1001, 1 }), bad = MAPS({ 0, 5, 1 });

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(77);
	for (size_t i = 0; i < 3; i++) {
		char from[128], to[64];

		snprintf(from, sizeof(from), "%s/%s", dir, files[i]);
		snprintf(to, sizeof(to), "/etc/%s", files[i]);
		if (mount(from, to, NULL, MS_BIND, NULL) < 0)
			_exit(77);
	}
	if (setresgid(1001, 1001, 1001) < 0 || setresuid(1000, 1000, 1000) < 0)
		_exit(77);
	prctl(PR_SET_DUMPABLE, 1); /* setresuid() took it: /proc/PID would be root's */
	failed = 0;
	WRITE(&user, zero, zero_gid, "         0       1000          1", "deny", NULL);
	if (access("/usr/bin/newuidmap", X_OK) == 0) {
		WRITE(&user, sub, sub_gid, "         0       1000          1\n         1     100000      65536",
		      "allow", NULL);
		WRITE(&user, bad, zero_gid, "", "", "linux.uidMappings: newuidmap failed: newuidmap: uid range");
		WRITE(&user, sub, zero_gid, "         0       1000          1\n         1     100000      65536",
		      "deny", NULL);
	}
	fflush(stdout);
	_exit(failed);
}

static int
test_write_as_user(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	put_file("subuid", "ann:100000:65536\n");
	put_file("subgid", "ann:100000:65536\n");
	put_file("passwd", "root:x:0:0:::\nann:x:1000:1001:::\n");
	pid = fork();
	if (pid == 0) {
		unprivileged_user();
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		return 77;
	CHECK(status == 0, "unprivileged user: %#x", (unsigned)status);
	return 0;
}

int
main(void)
{
	static const char *const files[] = { "subuid", "subgid", "passwd", "nsswitch.conf" };
	int skipped = 77;

	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		return 99;
	test_bad_maps();
	test_user_ids();
	test_writers();
	if (geteuid() == 0) {
		test_write_as_root();
		skipped = test_write_as_user();
	}
	for (size_t i = 0; i < 4; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	if (failed)
		return 1;
	if (skipped)
		puts("SKIP: writing maps needs root and a mount namespace");
	return skipped;
}
