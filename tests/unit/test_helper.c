/* Where programs of the host are looked for, and what root does not execute. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/helper.h"
#include "base/host.h"
#include "tests/unit/check.h"

static char dir[] = "/tmp/knarr-test-helper.XXXXXX";

static const char *
in_dir(struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
make(struct arena *a, const char *name, mode_t mode)
{
	int fd = open(in_dir(a, name), O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	CHECK(fd >= 0 && fchmod(fd, mode) == 0, "%s", name);
	close(fd);
}

static void
check_search(struct arena *a)
{
	const char *path;
	struct err err;

	err_clear(&err);
	CHECK(mkdir(in_dir(a, "one"), 0755) == 0 && mkdir(in_dir(a, "two"), 0755) == 0, "directories");
	CHECK(mkdir(in_dir(a, "one/a-directory"), 0755) == 0, "a directory");
	make(a, "two/knarr-a-directory", 0755);
	make(a, "one/knarr-closed", 0644);
	make(a, "two/knarr-program", 0755);
	CHECK(symlink("../two/knarr-program", in_dir(a, "one/knarr-link")) == 0, "a link");
	setenv("PATH", arena_printf(a, "relative::%s/one:%s/two", dir, dir), 1);
	CHECK(helper_find("knarr-program", a, &err, &path) == 0, "%s", err.msg);
	CHECK(!strcmp(path, in_dir(a, "two/knarr-program")), "%s", path);
	CHECK(helper_find("knarr-link", a, &err, &path) == 0 && !strcmp(path, in_dir(a, "two/knarr-program")), "%s",
	      path);
	CHECK(helper_find("a-directory", a, &err, &path) == -EACCES, "a directory");
	CHECK(helper_find("knarr-closed", a, &err, &path) == -EACCES, "not executable");
	CHECK(helper_find("knarr-nowhere", a, &err, &path) == -ENOENT, "not there");
	CHECK(!err.msg[0], "%s", err.msg);
	unsetenv("PATH");
	CHECK(helper_find("sh", a, &err, &path) == 0 && path[0] == '/', "without PATH");
}

static void
check_refused(struct arena *a, const char *what)
{
	const char *path;
	struct err err;

	err_clear(&err);
	CHECK(helper_find("knarr-program", a, &err, &path) == -EPERM, "%s", what);
	CHECK(strstr(err.msg, "two/knarr-program' for knarr-program, or its directory, belongs to another user"), "%s",
	      err.msg);
}

static void
check_owners(struct arena *a)
{
	const char *file = in_dir(a, "two/knarr-program"), *path;
	struct err err;

	setenv("PATH", in_dir(a, "two"), 1);
	CHECK(chmod(file, 0775) == 0, "chmod");
	check_refused(a, "its group may write");
	CHECK(chmod(file, 0757) == 0, "chmod");
	check_refused(a, "others may write");
	CHECK(chmod(file, 0755) == 0 && chown(file, 1, 0) == 0, "chown");
	check_refused(a, "another's");
	CHECK(chown(file, 0, 0) == 0 && chmod(in_dir(a, "two"), 0777) == 0, "chmod");
	check_refused(a, "others may exchange it");
	CHECK(chmod(in_dir(a, "two"), 0755) == 0, "chmod");
	/* The link is root's, what it leads to is another's. */
	CHECK(chown(file, 1, 0) == 0, "chown");
	setenv("PATH", in_dir(a, "one"), 1);
	err_clear(&err);
	CHECK(helper_find("knarr-link", a, &err, &path) == -EPERM, "a link to another's");
	/* An unprivileged user executes what they like. */
	CHECK(setresuid(1000, 1000, 1000) == 0, "setresuid");
	CHECK(helper_find("knarr-link", a, &err, &path) == 0, "a user");
	CHECK(setenv("PATH", in_dir(a, "two"), 1) == 0 && helper_find("knarr-program", a, &err, &path) == 0, "a user");
}

static void
clean(struct arena *a)
{
	static const char *const names[] = { "one/knarr-closed", "one/knarr-link", "two/knarr-program",
					     "two/knarr-a-directory", NULL };

	for (const char *const *name = names; *name; name++)
		unlink(in_dir(a, *name));
	rmdir(in_dir(a, "one/a-directory"));
	rmdir(in_dir(a, "one"));
	rmdir(in_dir(a, "two"));
	rmdir(dir);
}

int
main(void)
{
	auto_arena struct arena a = { 0 };
	uid_t uid = getuid();

	CHECK(mkdtemp(dir) && chmod(dir, 0755) == 0, "mkdtemp");
	umask(0);
	check_search(&a);
	if (uid == 0 && !host_in_userns()) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			check_owners(&a);
			fflush(stdout);
			_exit(failed);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0, "owners");
	}
	clean(&a);
	return failed;
}
