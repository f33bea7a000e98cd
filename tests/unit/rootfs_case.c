/* Each case forks: the child enters new namespaces, the first process of its pid namespace runs
 * the steps and the check, and its exit status says whether they passed. */
#include "tests/unit/rootfs_case.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/heap_count.h"

/* ---- harness ----------------------------------------------------------- */

int failed;
char base[64];
static const char *case_name; /* for messages */

void
complain(const char *file, int line, const char *what)
{
	printf("%s:%d: %s: failed: %s (errno %d)\n", file, line, case_name, what, errno);
	failed = 1;
}

const char *
at(const char *fmt, ...)
{
	static char ring[8][PATH_MAX];
	static unsigned next;
	char *buf = ring[next++ % 8];
	size_t n = (size_t)snprintf(buf, PATH_MAX, "%s/", base);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
	return buf;
}

void
sh(const char *fmt, ...)
{
	char line[PATH_MAX];
	pid_t pid;
	int status = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	pid = fork();
	if (pid == 0) {
		if (chdir(base) == 0)
			execl("/bin/sh", "sh", "-ec", line, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status != 0) {
		printf("%s: command failed: %s\n", case_name, line);
		failed = 1;
	}
}

typedef int step_fn(struct plan_ctx *c, const struct plan_step *s);

static step_fn *const runners[PLAN_KIND_COUNT] = {
	[PLAN_SET_PROPAGATION] = root_run_propagation,
	[PLAN_ROOT_BIND] = root_run_bind,
	[PLAN_ROOT_OVERLAY] = overlay_run_root,
	[PLAN_MOUNT_FS] = mount_run_fs,
	[PLAN_MOUNT_BIND] = mount_run_bind,
	[PLAN_REMOUNT] = mount_run_remount,
	[PLAN_MAKE_DIR] = device_run_make_dir,
	[PLAN_MAKE_DEVICE] = device_run_make,
	[PLAN_BIND_DEVICE] = device_run_bind,
	[PLAN_MAKE_SYMLINK] = device_run_make_symlink,
	[PLAN_MASK_PATH] = mask_run_path,
	[PLAN_READONLY_PATH] = mask_run_readonly_path,
	[PLAN_ROOT_READONLY] = root_run_readonly,
	[PLAN_PIVOT_ROOT] = root_run_pivot,
	[PLAN_WRITE_SYSCTL] = proc_run_write_sysctl,
};

static struct plan_ctx ctx;
static struct err err;

static int
run_steps(struct plan *p)
{
	int r = 0;

	heap_counting = true;
	for (uint32_t i = 0; r == 0 && i < p->n_steps; i++)
		r = runners[p->steps[i].kind](&ctx, &p->steps[i]);
	heap_counting = false;
	return r;
}

/* Becomes an unprivileged user and then root of a user namespace of their own. */
static void
become_user(void)
{
	char map[32];

	CHECK(setgroups(0, NULL) == 0 && setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* /proc/self is root's after setresuid() */
	CHECK(unshare(CLONE_NEWUSER) == 0);
	snprintf(map, sizeof(map), "0 %d 1", USER);
	CHECK(fd_write_file_at(AT_FDCWD, "/proc/self/setgroups", "deny") == 0);
	CHECK(fd_write_file_at(AT_FDCWD, "/proc/self/uid_map", map) == 0);
	CHECK(fd_write_file_at(AT_FDCWD, "/proc/self/gid_map", map) == 0);
}

/* Opens the bind sources of the plan as the privileged parent does. */
static void
open_sources(const struct plan *p)
{
	for (uint32_t i = 0; i < p->n_sources; i++) {
		const struct plan_source *s = &p->sources[i];

		ctx.fds[s->slot] = open_tree(AT_FDCWD, plan_text(p, s->path),
					     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (s->recursive ? AT_RECURSIVE : 0u));
		CHECK(ctx.fds[s->slot] >= 0);
	}
}

static void
inside(struct plan *p, bool user, const char *expect, check_fn *check)
{
	const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
	char message[ERR_MSG_MAX + 128];
	int status = 0, r;
	pid_t pid;

	failed = 0;
	open_sources(p);
	if (user)
		become_user();
	CHECK(unshare(flags) == 0);
	pid = fork();
	if (pid > 0) {
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	err_clear(&err);
	r = run_steps(p);
	err_format(&err, message, sizeof(message));
	if (heap_calls) {
		printf("%s: %u heap calls in the child\n", case_name, heap_calls);
		failed = 1;
	}
	if (!expect && r < 0) {
		printf("%s: %s\n", case_name, message);
		failed = 1;
	} else if (expect && (r == 0 || !strstr(message, expect))) {
		printf("%s: expected '%s', got %d '%s'\n", case_name, expect, r, r < 0 ? message : "");
		failed = 1;
	} else if (check) {
		check(&ctx);
	}
	fflush(stdout);
	_exit(failed);
}

/* Builds, runs and checks one case. expect: part of the error that must come. */
void
run_case(const char *name, bool user, build_fn *build, const char *expect, check_fn *check)
{
	auto_arena struct arena a = { 0 };
	struct plan_builder b;
	struct plan_step *s;
	struct plan *p = NULL;
	int status = 0;
	pid_t pid;

	case_name = name;
	plan_begin(&b, &a);
	s = plan_add(&b, PLAN_SET_PROPAGATION, "propagation");
	s->u.propagation.flags = MS_SLAVE | MS_REC;
	build(&b);
	CHECK(plan_seal(&b, &err, &p) == 0);
	ctx = (struct plan_ctx){ .plan = p, .err = &err };
	for (size_t i = 0; i < PLAN_FD_MAX; i++)
		ctx.fds[i] = -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		inside(p, user, expect, check);
	waitpid(pid, &status, 0);
	if (status != 0) {
		printf("%s%s: failed (status %x)\n", name, user ? " (user)" : "", (unsigned)status);
		failed = 1;
	}
	plan_free(p);
}

/* ---- steps -------------------------------------------------------------- */

struct plan_strv
options(struct plan_builder *b, const char *list)
{
	const char *items[16];
	char copy[2048], *save = NULL;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", list);
	for (char *o = strtok_r(copy, " ", &save); o && n < 16; o = strtok_r(NULL, " ", &save))
		items[n++] = o;
	return plan_strings(b, items, n);
}

void
add_root(struct plan_builder *b, const char *path)
{
	struct plan_str_pair {
		plan_str s;
	} v = { plan_string(b, path) };

	plan_add(b, PLAN_ROOT_BIND, "root.path")->u.root_bind.path = v.s;
}

struct plan_step *
add_fs(struct plan_builder *b, const char *type, const char *dest, const char *opts, uint64_t attrs)
{
	struct plan_mount_fs m = {
		.dest = plan_string(b, dest),
		.type = plan_string(b, type),
		.source = plan_string(b, type),
		.options = options(b, opts),
		.attrs.set = attrs,
	};
	struct plan_step *s = plan_add(b, PLAN_MOUNT_FS, "mounts");

	s->u.mount_fs = m;
	return s;
}

struct plan_step *
add_bind(struct plan_builder *b, const char *source, const char *dest, bool dir)
{
	struct plan_mount_bind m = {
		.dest = plan_string(b, dest),
		.source = plan_string(b, source),
		.recursive = true,
		.source_is_dir = dir,
	};
	struct plan_step *s = plan_add(b, PLAN_MOUNT_BIND, "mounts");

	s->u.mount_bind = m;
	return s;
}

void
add_path(struct plan_builder *b, enum plan_kind kind, const char *path)
{
	plan_str s = plan_string(b, path);

	plan_add(b, kind, "path")->u.path.path = s;
}

void
add_device(struct plan_builder *b, const char *path, uint32_t mode, uint32_t major, uint32_t minor)
{
	struct plan_device d = { .path = plan_string(b, path), .mode = mode, .major = major, .minor = minor };

	plan_add(b, PLAN_MAKE_DEVICE, "linux.devices")->u.device = d;
}

void
add_symlink(struct plan_builder *b, const char *path, const char *target)
{
	struct plan_symlink l = { plan_string(b, path), plan_string(b, target) };

	plan_add(b, PLAN_MAKE_SYMLINK, "link")->u.symlink = l;
}

void
add_sysctl(struct plan_builder *b, const char *name, const char *value)
{
	struct plan_sysctl l = { .name = plan_string(b, name), .value = plan_string(b, value) };

	plan_add(b, PLAN_WRITE_SYSCTL, "linux.sysctl")->u.sysctl = l;
}

void
add_pivot(struct plan_builder *b, enum plan_pivot_how how)
{
	plan_add(b, PLAN_PIVOT_ROOT, "pivot")->u.pivot.how = (uint8_t)how;
}

/* ---- looking around ------------------------------------------------------ */

bool
has_text(const char *path, const char *text)
{
	char buf[4096];
	ssize_t n = fd_read_small_at(AT_FDCWD, path, buf, sizeof(buf));

	return n >= 0 && strcmp(buf, text) == 0;
}

bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

unsigned long
mount_flags(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 ? v.f_flag : 0;
}

unsigned
mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

bool
is_char(const char *path, unsigned major, unsigned minor)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

/* Lines of mountinfo that contain text. */
unsigned
count_mounts(const char *text)
{
	char *data, *save = NULL;
	unsigned n = 0;
	size_t len;

	if (fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &data, &len) < 0)
		return 0;
	for (char *l = strtok_r(data, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		n += strstr(l, text) != NULL;
	free(data);
	return n;
}

bool
is_empty(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n == 2;
}

void
make_rootfs(const char *name)
{
	sh("mkdir -p %s && cd %s && mkdir -p proc dev sys run mnt etc tmp && chmod 711 run && printf rootfs >marker",
	   name, name);
}

void
name_case(const char *name)
{
	case_name = name;
}

/* ---- the frame ------------------------------------------------------------ */

/* What tells one mount from another at the start of a line of mountinfo: its id, its
 * parent's and the device. Others may move or remove the mount points of theirs. */
static size_t
mount_key(const char *line)
{
	const char *end = line;

	for (unsigned words = 0; *end && *end != '\n' && words < 3; end++)
		words += *end == ' ';
	return (size_t)(end - line);
}

static bool
has_line(const char *table, const char *line, size_t len)
{
	for (const char *l = table; l; l = strchr(l, '\n'), l = l ? l + 1 : NULL)
		if (strncmp(l, line, len) == 0)
			return true;
	return false;
}

/* No mount is new, and those below base are as they were. What else the
 * machine mounts and unmounts meanwhile is not looked at. */
static void
check_mounts(char *before, char *after)
{
	unsigned n = 0;

	case_name = "mounts outside";
	for (char *l = after; l && *l; l = strchr(l, '\n'), l = l ? l + 1 : NULL)
		CHECK(has_line(before, l, mount_key(l)));
	for (char *l = before; l && *l; l = strchr(l, '\n'), l = l ? l + 1 : NULL) {
		size_t len = strcspn(l, "\n");

		if (!memmem(l, len, base, strlen(base)))
			continue;
		n++;
		CHECK(has_line(after, l, len));
	}
	CHECK(n == 2);
}

int
rootfs_cases(void (*run)(void))
{
	char *before, *after;
	size_t len;
	const char *dir = getenv("TMPDIR");

	if (geteuid() != 0) {
		printf("SKIP: needs root\n");
		return 77;
	}
	case_name = "set-up";
	/* Private first: what others mount meanwhile does not come in. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0) {
		printf("SKIP: no mount namespace: %s\n", strerror(errno));
		return 77;
	}
	umask(0);
	snprintf(base, sizeof(base), "%.40s/knarr-rootfs-XXXXXX", dir && *dir ? dir : "/tmp");
	CHECK(mkdtemp(base) && chmod(base, 0755) == 0);
	sh("mkdir -p volume/inner && printf volume >volume/file && chmod 777 volume/inner");
	/* Two that whoever unmounts too much takes along. */
	sh("mkdir outside && mount -t tmpfs outside outside && mkdir outside/in && mount -t tmpfs in outside/in");
	CHECK(fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &before, &len) == 0);
	run();
	CHECK(fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &after, &len) == 0);
	check_mounts(before, after);
	sh("umount outside/in outside && rm -rf --one-file-system %s", base);
	free(before);
	free(after);
	return failed;
}
