/* Paths below a root that the attacker owns: links, "..", creation, and a
 * thread that swaps a directory for a link all the time. Needs no root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/path_in_root.h"
#include "tests/unit/check.h"

static char base[] = "/tmp/knarr-path-XXXXXX";
static int base_fd, root;

/* True when fd is the directory or file at path below the base directory. */
static int
is_at(int fd, const char *path)
{
	struct stat a, b;

	return fd >= 0 && fstat(fd, &a) == 0 && fstatat(base_fd, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int
exists(const char *path)
{
	struct stat st;

	return fstatat(base_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
is_empty(const char *path)
{
	int fd = openat(base_fd, path, O_RDONLY | O_DIRECTORY), n = 0;
	DIR *d = fdopendir(fd);

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n == 2;
}

/* Opens, compares with the expected place, closes. */
static int
opens(const char *path, const char *place)
{
	auto_close int fd = path_open(root, path, O_PATH, 0);

	return is_at(fd, place);
}

static int
makes_dir(const char *path, const char *place)
{
	auto_close int fd = path_make_dir(root, path, 0755);

	if (fd < 0)
		printf("path_make_dir('%s'): %s\n", path, strerror(-fd));
	return is_at(fd, place);
}

static int
makes_file(const char *path, const char *place)
{
	auto_close int fd = path_make_file(root, path, 0640);

	if (fd < 0)
		printf("path_make_file('%s'): %s\n", path, strerror(-fd));
	return is_at(fd, place);
}

static void
test_open(void)
{
	char absolute[PATH_MAX];

	snprintf(absolute, sizeof(absolute), "%s/outside", base);
	CHECK(symlinkat("../outside", root, "up") == 0);
	CHECK(symlinkat(absolute, root, "absolute") == 0);
	CHECK(symlinkat("/dir", root, "inside") == 0);
	CHECK(symlinkat("loop2", root, "loop1") == 0);
	CHECK(symlinkat("loop1", root, "loop2") == 0);
	CHECK(mkdirat(root, "dir", 0755) == 0);

	CHECK(opens("/", "root"));
	CHECK(opens("", "root"));
	CHECK(opens("..", "root"));
	CHECK(opens("../../..", "root"));
	CHECK(opens("/dir/../../..", "root"));
	CHECK(opens("dir", "root/dir"));
	CHECK(opens("/dir", "root/dir"));
	CHECK(opens("/inside", "root/dir"));
	CHECK(opens("//inside//", "root/dir"));
	CHECK(path_open(root, "/up", O_PATH, 0) == -ENOENT);
	CHECK(path_open(root, "/absolute", O_PATH, 0) == -ENOENT);
	CHECK(path_open(root, "/loop1", O_PATH, 0) == -ELOOP);
	CHECK(path_open(root, "/dir", O_PATH | O_CREAT, 0) < 0);
}

static void
test_magic_links(void)
{
	auto_close int slash = open("/", O_PATH | O_DIRECTORY);

	CHECK(path_open(slash, "/proc/self/root", O_PATH, 0) == -ELOOP);
	CHECK(path_open(slash, "/proc/self/cwd", O_PATH, 0) == -ELOOP);
	CHECK(path_open(slash, "/proc/self/fd/0", O_PATH, 0) == -ELOOP);
	CHECK(path_make_dir(slash, "/proc/self/root", 0755) == -ELOOP);
}

static void
test_make(void)
{
	char name[NAME_MAX + 1];
	struct stat st;
	mode_t old = umask(0); /* as in a process that executes a plan */

	CHECK(makes_dir("/a/b/c", "root/a/b/c"));
	CHECK(fstatat(root, "a/b", &st, 0) == 0 && (st.st_mode & 07777) == 0755);
	umask(old);
	CHECK(makes_dir("/a/b/c", "root/a/b/c"));
	CHECK(makes_dir("a/./b//d/", "root/a/b/d"));
	CHECK(makes_dir("/../../e/../f", "root/f") && exists("root/e"));
	CHECK(makes_dir("/inside/x", "root/dir/x"));
	CHECK(makes_dir("/", "root"));

	/* Links to nowhere are followed inside, never outside. */
	CHECK(makes_dir("/up/y", "root/outside/y"));
	CHECK(symlinkat("missing/deep", root, "dangling") == 0);
	CHECK(makes_dir("/dangling/z", "root/missing/deep/z"));
	CHECK(symlinkat("/m2", root, "d2") == 0);
	CHECK(makes_dir("d2", "root/m2"));
	CHECK(is_empty("outside"));
	CHECK(path_make_dir(root, "/loop1/a", 0755) == -ELOOP);

	CHECK(makes_file("/files/f", "root/files/f"));
	CHECK(fstatat(root, "files/f", &st, 0) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640);
	CHECK(symlinkat("/files/target", root, "files/link") == 0);
	CHECK(makes_file("/files/link", "root/files/target"));
	CHECK(makes_file("/files/link", "root/files/target"));
	CHECK(makes_file("/dir", "root/dir"));
	CHECK(path_make_dir(root, "/files/f", 0755) == -ENOTDIR);
	CHECK(path_make_dir(root, "/files/f/g", 0755) == -ENOTDIR);
	CHECK(path_make_file(root, "/files/f/g", 0644) == -ENOTDIR);

	{
		auto_close int parent = path_open_parent(root, "/dev/null", 0755, name);

		CHECK(is_at(parent, "root/dev") && strcmp(name, "null") == 0);
	}
	{
		auto_close int parent = path_open_parent(root, "top///", 0755, name);

		CHECK(is_at(parent, "root") && strcmp(name, "top") == 0);
	}
	CHECK(path_open_parent(root, "/", 0755, name) == -EINVAL);
	CHECK(path_open_parent(root, "", 0755, name) == -EINVAL);
	CHECK(path_open_parent(root, "/a/..", 0755, name) == -EINVAL);
	CHECK(path_open_parent(root, "/a/.", 0755, name) == -EINVAL);
}

static void
test_long(void)
{
	char path[PATH_MAX + 64], name[NAME_MAX + 1];

	memset(path, 'n', sizeof(path));
	path[NAME_MAX + 1] = '\0';
	CHECK(path_make_dir(root, path, 0755) == -ENAMETOOLONG);
	CHECK(path_make_file(root, path, 0644) == -ENAMETOOLONG);
	CHECK(path_open_parent(root, path, 0755, name) == -ENAMETOOLONG);
	path[NAME_MAX] = '\0';
	{
		auto_close int fd = path_make_dir(root, path, 0755);

		CHECK(fd >= 0);
	}
	memset(path, '/', sizeof(path) - 2);
	path[sizeof(path) - 2] = 'x';
	path[sizeof(path) - 1] = '\0';
	CHECK(path_make_dir(root, path, 0755) == -ENAMETOOLONG);
	CHECK(path_open_parent(root, path, 0755, name) == -ENAMETOOLONG);
}

static atomic_bool stop;

/* The attacker: swaps vol/x (a directory) and vol/link (to the canary). */
static void *
swap(void *arg)
{
	(void)arg;
	while (!stop)
		syscall(SYS_renameat2, root, "vol/x", root, "vol/link", 2 /* RENAME_EXCHANGE */);
	return NULL;
}

static void
test_race(void)
{
	char canary[PATH_MAX];
	pthread_t thread;
	unsigned ok = 0;

	snprintf(canary, sizeof(canary), "%s/canary", base);
	CHECK(mkdirat(base_fd, "canary", 0755) == 0);
	CHECK(mkdirat(root, "vol", 0755) == 0 && mkdirat(root, "vol/x", 0755) == 0);
	CHECK(symlinkat(canary, root, "vol/link") == 0);
	if (pthread_create(&thread, NULL, swap, NULL) != 0) {
		CHECK(!"thread");
		return;
	}
	for (unsigned i = 0; i < 3000; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/vol/x/d%u/e", i % 50);
		fd = i & 1 ? path_make_file(root, path, 0644) : path_make_dir(root, path, 0755);
		ok += fd >= 0;
		fd_close(fd);
		snprintf(path, sizeof(path), "vol/x/d%u/e", i % 50);
		unlinkat(root, path, 0);
		unlinkat(root, path, AT_REMOVEDIR);
	}
	stop = true;
	pthread_join(thread, NULL);
	CHECK(ok > 100);
	CHECK(is_empty("canary"));
}

int
main(void)
{
	pid_t pid;

	if (!mkdtemp(base))
		return 1;
	base_fd = open(base, O_PATH | O_DIRECTORY);
	CHECK(mkdirat(base_fd, "root", 0755) == 0 && mkdirat(base_fd, "outside", 0755) == 0);
	root = openat(base_fd, "root", O_PATH | O_DIRECTORY);
	test_open();
	test_magic_links();
	test_make();
	test_long();
	test_race();
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", base, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	return failed;
}
