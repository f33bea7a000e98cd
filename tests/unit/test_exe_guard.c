/* The exe guard: what /proc/self/exe leads to afterwards, for the process and
 * its children, and that the program goes on working. Needs root, or a user
 * namespace of its own. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/process/exe_guard.h"
#include "libcontainer/process/exe_guard_copy.h"
#include "libcontainer/process/exe_guard_file.h"
#include "tests/unit/check.h"

static int written = 1; /* in the data segment */
static const char *const relocated = "a pointer that the loader filled in";

static void
check_hidden(void)
{
	char buf[4096];
	ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
	auto_close int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };

	buf[n > 0 ? n : 0] = '\0';
	CHECK(n > 0 && strncmp(buf, "/memfd:knarr", 12) == 0, "'%s'", buf);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0, "%lld bytes", (long long)st.st_size);
	CHECK(exe_guard_is_private(), "not sealed");
	CHECK(open("/proc/self/exe", O_WRONLY | O_CLOEXEC) < 0, "opened for writing");
}

/* Code, with constants of its own, in a page far from the guard's. */
static __attribute__((noinline)) int
arg_sum(int kind, int v)
{
	switch (kind) {
	case 1:
		return v + 1;
	case 2:
		return v * 11;
	case 3:
		return v - 9;
	case 4:
		return v ^ 5;
	case 5:
		return v / 3;
	default:
		return v + 25;
	}
}

static bool
can_load(void)
{
	void *lib = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
	bool ok = lib && dlsym(lib, "cos");

	if (lib)
		dlclose(lib);
	return ok;
}

/* A static program cannot load anything: asked where it leaves no trace. */
static bool
could_load(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(can_load() ? 0 : 1);
	waitpid(pid, &status, 0);
	return status == 0;
}

/* stdio and malloc were used; now constants, data and the loader. */
static void
check_alive(bool loads)
{
	char *block = malloc(100000);

	written++;
	CHECK(arg_sum(1, 2) == 3 && arg_sum(7, 2) == 27, "a jump table");
	CHECK(written == 2 && strlen(relocated) == 35, "%d %zu", written, strlen(relocated));
	CHECK(block && memset(block, 1, 100000), "malloc");
	free(block);
	CHECK(can_load() == loads, "%s", dlerror());
}

/* The attack: a program whose interpreter is whatever runs it. */
static int
run_script(const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
check_script(void)
{
	char path[] = "/tmp/test_exe_guard.XXXXXX";
	static const char text[] = "#!/proc/self/exe\n";
	int fd = mkostemp(path, O_CLOEXEC), code;

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0 || fchmod(fd, 0755) < 0)
		exit(99);
	close(fd);
	code = run_script(path);
	CHECK(code == ENOEXEC || code == EACCES, "the script ended with %d", code);
	unlink(path);
}

/* In its own user namespace, as in an unprivileged user's container. */
static int
guard_here(void)
{
	struct err e = { 0 };
	char buf[300];
	bool loads = could_load();
	int r = exe_guard(&e);

	if (r == -EPERM || r == -EINVAL) {
		printf("SKIP: %s\n", err_format(&e, buf, sizeof(buf)));
		return SKIP;
	}
	CHECK(r == 0, "%s", err_format(&e, buf, sizeof(buf)));
	if (r < 0)
		return 1;
	check_hidden();
	check_alive(loads);
	check_script();
	CHECK(exe_guard(&e) == 0, "the second time: %s", e.msg);
	CHECK(exe_guard_prepare(true, false, &e) == 0, "%s", e.msg);
	return failed;
}

/* Refused for lack of privilege: an error, and a program that goes on. */
static int
refused_here(void)
{
	struct err e = { 0 };
	bool loads = could_load();
	int r;

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return SKIP;
	r = exe_guard(&e);
	CHECK(r == -EPERM && strstr(e.msg, "PR_SET_MM_MAP"), "%d %s", r, e.msg);
	check_alive(loads);
	return failed;
}

/* With -1: without privilege. */
static int
in_child(int unshare_flags)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int code;

		if (unshare_flags > 0 && unshare(unshare_flags) < 0)
			_exit(SKIP);
		/* As after setresuid(2): its files in /proc are root's. */
		if (unshare_flags > 0)
			prctl(PR_SET_DUMPABLE, 0);
		code = unshare_flags < 0 ? refused_here() : guard_here();
		fflush(stdout);
		_exit(code);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The second way: this program again, from a sealed copy. */
static int
test_copy(const char *self)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execl(self, self, "copy", "with  blanks", "", (char *)NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int
copy_main(int argc, char **argv)
{
	struct err e = { 0 };
	char buf[300];

	if (!exe_guard_is_private()) {
		exe_guard_copy(&e);
		printf("%s\n", err_format(&e, buf, sizeof(buf)));
		return 1;
	}
	CHECK(argc == 4 && !strcmp(argv[2], "with  blanks") && !argv[3][0], "%d arguments", argc);
	CHECK(exe_guard_prepare(false, false, &e) == 0, "%s", e.msg);
	CHECK(open("/proc/self/exe", O_WRONLY | O_CLOEXEC) < 0, "opened for writing");
	return failed;
}

int
main(int argc, char **argv)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int userns, here, copy, refused;

	if (argc > 1)
		return copy_main(argc, argv);
	if (n < 0)
		return 99;
	exe[n] = '\0';
	copy = test_copy(exe);
	CHECK(copy == 0, "copy: %d", copy);
	userns = in_child(CLONE_NEWUSER);
	CHECK(userns == 0 || userns == SKIP, "in a user namespace: %d", userns);
	here = geteuid() == 0 ? in_child(0) : 0;
	CHECK(here == 0 || here == SKIP, "as root: %d", here);
	refused = in_child(-1);
	CHECK(refused == 0 || refused == SKIP, "without privilege: %d", refused);
	if (failed)
		return 1;
	return userns == SKIP && here == SKIP ? SKIP : 0;
}
