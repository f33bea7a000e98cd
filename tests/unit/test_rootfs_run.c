/* The executors of the rootfs steps, in real namespaces: as root, and as root of
 * an ordinary user's user namespace.
 *
 * The program moves into a mount namespace whose "/" is shared, as hosts have
 * it, and at the end compares its mountinfo with the one at the beginning: a
 * step that leaks a mount is seen. Each case builds a plan, runs it in a child
 * with new namespaces, and looks around from inside. Heap calls while a plan
 * runs are counted: there must be none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/rootfs.h"

#define USER 54321

/* ---- heap calls ------------------------------------------------------- */

static bool counting;
static unsigned heap_calls;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *
malloc(size_t size)
{
	heap_calls += counting;
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	heap_calls += counting;
	return __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	heap_calls += counting;
	return __libc_realloc(old, size);
}
#endif

/* ---- harness ----------------------------------------------------------- */

static int failed;
static char base[64];	      /* a folder of our own on the disk */
static const char *case_name; /* for messages */

static void
complain(const char *file, int line, const char *what)
{
	printf("%s:%d: %s: failed: %s (errno %d)\n", file, line, case_name, what, errno);
	failed = 1;
}
#define CHECK(cond) ((cond) ? (void)0 : complain(__FILE__, __LINE__, #cond))

static const char *
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

static void
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

typedef void build_fn(struct plan_builder *b);
typedef void check_fn(struct plan_ctx *c);
typedef int step_fn(struct plan_ctx *c, const struct plan_step *s);

static step_fn *const runners[PLAN_KIND_COUNT] = {
	[PLAN_SET_PROPAGATION] = rootfs_run_propagation, [PLAN_ROOT_BIND] = rootfs_run_root_bind,
	[PLAN_ROOT_OVERLAY] = rootfs_run_root_overlay,	 [PLAN_MOUNT_FS] = rootfs_run_mount_fs,
	[PLAN_MOUNT_BIND] = rootfs_run_mount_bind,	 [PLAN_REMOUNT] = rootfs_run_remount,
	[PLAN_MAKE_DIR] = rootfs_run_make_dir,		 [PLAN_MAKE_DEVICE] = rootfs_run_make_device,
	[PLAN_BIND_DEVICE] = rootfs_run_bind_device,	 [PLAN_MAKE_SYMLINK] = rootfs_run_make_symlink,
	[PLAN_MASK_PATH] = rootfs_run_mask_path,	 [PLAN_READONLY_PATH] = rootfs_run_readonly_path,
	[PLAN_ROOT_READONLY] = rootfs_run_root_readonly, [PLAN_PIVOT_ROOT] = rootfs_run_pivot_root,
	[PLAN_WRITE_SYSCTL] = rootfs_run_write_sysctl,
};

static struct plan_ctx ctx;
static struct err err;

static int
run_steps(struct plan *p)
{
	int r = 0;

	counting = true;
	for (uint32_t i = 0; r == 0 && i < p->n_steps; i++)
		r = runners[p->steps[i].kind](&ctx, &p->steps[i]);
	counting = false;
	return r;
}

/* Becomes an ordinary user and then root of a user namespace of his. */
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
static void
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

static struct plan_strv
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

static void
add_root(struct plan_builder *b, const char *path)
{
	struct plan_str_pair {
		plan_str s;
	} v = { plan_string(b, path) };

	plan_add(b, PLAN_ROOT_BIND, "root.path")->u.root_bind.path = v.s;
}

static struct plan_step *
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

static struct plan_step *
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

static void
add_path(struct plan_builder *b, enum plan_kind kind, const char *path)
{
	plan_str s = plan_string(b, path);

	plan_add(b, kind, "path")->u.path.path = s;
}

static void
add_device(struct plan_builder *b, const char *path, uint32_t mode, uint32_t major, uint32_t minor)
{
	struct plan_device d = { .path = plan_string(b, path), .mode = mode, .major = major, .minor = minor };

	plan_add(b, PLAN_MAKE_DEVICE, "linux.devices")->u.device = d;
}

static void
add_symlink(struct plan_builder *b, const char *path, const char *target)
{
	struct plan_symlink l = { plan_string(b, path), plan_string(b, target) };

	plan_add(b, PLAN_MAKE_SYMLINK, "link")->u.symlink = l;
}

static void
add_sysctl(struct plan_builder *b, const char *name, const char *value)
{
	struct plan_sysctl l = { plan_string(b, name), plan_string(b, value) };

	plan_add(b, PLAN_WRITE_SYSCTL, "linux.sysctl")->u.sysctl = l;
}

static void
add_pivot(struct plan_builder *b, enum plan_pivot_how how)
{
	plan_add(b, PLAN_PIVOT_ROOT, "pivot")->u.pivot.how = (uint8_t)how;
}

/* ---- looking around ------------------------------------------------------ */

static bool
has_text(const char *path, const char *text)
{
	char buf[4096];
	ssize_t n = fd_read_small_at(AT_FDCWD, path, buf, sizeof(buf));

	return n >= 0 && strcmp(buf, text) == 0;
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static unsigned long
mount_flags(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 ? v.f_flag : 0;
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool
is_char(const char *path, unsigned major, unsigned minor)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

/* Lines of mountinfo that contain text. */
static unsigned
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

static bool
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

/* ---- cases: a whole root ------------------------------------------------- */

#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static bool with_devices; /* false in a user namespace: mknod(2) is refused */

static void
build_whole(struct plan_builder *b)
{
	struct plan_step *s;

	add_root(b, at("rootfs"));
	add_fs(b, "proc", "/proc", "", PLAIN);
	add_fs(b, "tmpfs", "/dev", "mode=755 size=65536k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
	add_fs(b, "devpts", "/dev/pts", "newinstance ptmxmode=0666 mode=0620", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	add_fs(b, "tmpfs", "/dev/shm", "mode=1777 size=64k", PLAIN);
	add_fs(b, "mqueue", "/dev/mqueue", "", PLAIN);
	add_fs(b, "sysfs", "/sys", "", PLAIN | MOUNT_ATTR_RDONLY);
	add_fs(b, "tmpfs", "/run", "size=64k", 0);
	s = add_fs(b, "tmpfs", "/tmp/new/deep", "", 0);
	s->u.mount_fs.propagation = MS_SHARED;
	add_bind(b, at("volume"), "/mnt/volume", true);
	s = add_bind(b, at("volume"), "/mnt/ro", true);
	s->u.mount_bind.attrs.set = MOUNT_ATTR_RDONLY;
	s->u.mount_bind.rec_attrs.set = MOUNT_ATTR_NOEXEC;
	s->u.mount_bind.propagation = MS_PRIVATE | MS_REC;
	add_bind(b, at("volume/file"), "/etc/hosts", false);
	s = plan_add(b, PLAN_MAKE_DIR, "cwd");
	s->u.make_dir.mode = 0750;
	s->u.make_dir.path = plan_string(b, "/home/me");
	if (with_devices) {
		add_device(b, "/dev/null", S_IFCHR | 0666, 1, 3);
		add_device(b, "/dev/null", S_IFCHR | 0666, 1, 3);
		add_device(b, "/dev/zero", S_IFCHR | 0600, 1, 5);
		add_device(b, "/dev/zero", S_IFCHR | 0666, 1, 5);
		add_device(b, "/dev/sub/fifo", S_IFIFO | 0622, 0, 0);
	} else {
		struct plan_bind_device d = { plan_string(b, "/dev/null"), plan_string(b, "/dev/null") };

		plan_add(b, PLAN_BIND_DEVICE, "device")->u.bind_device = d;
		d = (struct plan_bind_device){ plan_string(b, "/dev/zero"), plan_string(b, "/dev/zero") };
		plan_add(b, PLAN_BIND_DEVICE, "device")->u.bind_device = d;
	}
	add_symlink(b, "/dev/fd", "/proc/self/fd");
	add_symlink(b, "/dev/fd", "/proc/self/fd");
	add_symlink(b, "/dev/ptmx", "pts/ptmx");
	add_path(b, PLAN_MASK_PATH, "/proc/interrupts");
	add_path(b, PLAN_MASK_PATH, "/proc/keys");
	add_path(b, PLAN_MASK_PATH, "/sys/firmware");
	add_path(b, PLAN_MASK_PATH, "/sys/fs");
	add_path(b, PLAN_READONLY_PATH, "/proc/sys");
	add_path(b, PLAN_READONLY_PATH, "/mnt/volume");
	s = plan_add(b, PLAN_REMOUNT, "mounts");
	s->u.remount.dest = plan_string(b, "/dev/shm");
	s->u.remount.attrs = (struct plan_attrs){ .set = MOUNT_ATTR_RDONLY, .clear = MOUNT_ATTR_NOEXEC };
	add_pivot(b, PLAN_BY_PIVOT);
	add_sysctl(b, "kernel/msgmax", "4242");
	add_sysctl(b, "net/ipv4/ip_forward", "1");
	plan_add(b, PLAN_ROOT_READONLY, "root.readonly");
}

static void
check_whole(struct plan_ctx *c)
{
	CHECK(c->fds[PLAN_FD_ROOT] >= 0);
	CHECK(has_text("/marker", "rootfs"));
	CHECK(!exists(base));
	CHECK(open("/new", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
	CHECK(exists("/proc/self/status") && getpid() == 1);
	CHECK(mode_of("/dev") == 0755 && (mount_flags("/dev") & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) == ST_NOSUID);
	CHECK(!(mount_flags("/dev") & ST_RELATIME));
	CHECK(mode_of("/run") == 0711);		  /* as the folder that it covers */
	CHECK(mode_of("/tmp/new/deep") == 01777); /* nothing covered: tmpfs's own */
	CHECK(exists("/dev/pts/ptmx") && exists("/dev/mqueue") && exists("/sys/kernel"));
	CHECK(mount_flags("/sys") & ST_RDONLY);
	CHECK(has_text("/mnt/volume/file", "volume") && has_text("/etc/hosts", "volume"));
	CHECK(has_text("/mnt/ro/inner/file", "inner"));
	CHECK((mount_flags("/mnt/ro") & (ST_RDONLY | ST_NOEXEC)) == (ST_RDONLY | ST_NOEXEC));
	CHECK((mount_flags("/mnt/ro/inner") & (ST_RDONLY | ST_NOEXEC)) == ST_NOEXEC);
	CHECK(mode_of("/home/me") == 0750);
	CHECK(is_char("/dev/null", 1, 3) && is_char("/dev/zero", 1, 5) && mode_of("/dev/zero") == 0666);
	CHECK(!with_devices || mode_of("/dev/sub/fifo") == 0622);
	CHECK(exists("/dev/fd/0"));
	CHECK(is_char("/proc/interrupts", 1, 3) && is_char("/proc/keys", 1, 3));
	CHECK(is_empty("/sys/firmware") && is_empty("/sys/fs"));
	CHECK(mount_flags("/sys/fs") & ST_RDONLY);
	CHECK(mount_flags("/proc/sys") & ST_RDONLY && !(mount_flags("/proc") & ST_RDONLY));
	CHECK(open("/mnt/volume/x", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
	CHECK(!(mount_flags("/mnt/volume/inner") & ST_RDONLY));
	CHECK((mount_flags("/dev/shm") & (ST_RDONLY | ST_NOEXEC | ST_NODEV)) == (ST_RDONLY | ST_NODEV));
	CHECK(has_text("/proc/sys/kernel/msgmax", "4242"));
	CHECK(has_text("/proc/sys/net/ipv4/ip_forward", "1"));
	CHECK(count_mounts(base) == 5); /* roots of the binds, seen from their file system */
	CHECK(count_mounts(" /tmp/new/deep rw,relatime shared:") == 1);
}

static void
make_rootfs(const char *name)
{
	sh("mkdir -p %s && cd %s && mkdir -p proc dev sys run mnt etc tmp && chmod 711 run && printf rootfs >marker",
	   name, name);
}

static void
test_whole(void)
{
	case_name = "whole root";
	make_rootfs("rootfs");
	sh("mkdir -p volume/inner && printf volume >volume/file && mount -t tmpfs inner volume/inner && "
	   "printf inner >volume/inner/file && chmod 777 volume/inner");
	with_devices = true;
	run_case("whole root", false, build_whole, NULL, check_whole);
	with_devices = false;
	sh("rm -r rootfs");
	make_rootfs("rootfs");
	sh("chown -R %d:%d rootfs volume", USER, USER);
	run_case("whole root", true, build_whole, NULL, check_whole);
	sh("umount volume/inner && rm -r rootfs");
}

/* ---- cases: stepping in without pivot_root ------------------------------- */

static enum plan_pivot_how how;

static void
build_no_pivot(struct plan_builder *b)
{
	add_root(b, at("rootfs"));
	add_fs(b, "proc", "/proc", "", PLAIN);
	add_pivot(b, how);
}

static void
check_no_pivot(struct plan_ctx *c)
{
	(void)c;
	CHECK(has_text("/marker", "rootfs") && !exists(base));
	CHECK(exists("/proc/self/status") && getpid() == 1);
	/* The host's views of proc and sysfs are gone, the container's is there. */
	if (how == PLAN_BY_MOVE)
		CHECK(count_mounts(" - proc ") == 1 && count_mounts(" - sysfs ") == 0);
}

static void
test_no_pivot(void)
{
	case_name = "no pivot";
	make_rootfs("rootfs");
	for (int user = 0; user < 2; user++) {
		how = PLAN_BY_MOVE;
		run_case("move", user, build_no_pivot, NULL, check_no_pivot);
		how = PLAN_BY_CHROOT;
		run_case("chroot", user, build_no_pivot, NULL, check_no_pivot);
	}
	sh("rm -r rootfs");
}

/* ---- cases: overlay ------------------------------------------------------- */

static struct {
	unsigned n_layers;
	const char *dir;   /* layers are at dir/0, dir/1, …, topmost first */
	const char *upper; /* NULL: none; "tmpfs"; or a folder below base */
	bool append, on_top, userxattr;
} o;

static void
build_overlay(struct plan_builder *b)
{
	const char *items[512];
	struct plan_root_overlay v = { .append = o.append };

	for (unsigned i = 0; i < o.n_layers; i++)
		items[i] = arena_strdup(b->arena, at("%s/%u", o.dir, i));
	v.lowerdirs = plan_strings(b, items, o.n_layers);
	v.target = o.on_top ? 0 : plan_string(b, at("rootfs"));
	v.options = options(b, o.userxattr ? "userxattr" : "");
	if (o.upper && strcmp(o.upper, "tmpfs") == 0) {
		v.upper_tmpfs = true;
		v.tmpfs_options = options(b, "size=1m");
	} else if (o.upper) {
		v.upperdir = plan_string(b, at("%s", o.upper));
		v.workdir = plan_string(b, at("%s.work", o.upper));
	}
	plan_add(b, PLAN_ROOT_OVERLAY, "root")->u.root_overlay = v;
	add_fs(b, "proc", "/proc", "", PLAIN);
	add_bind(b, at("volume"), "/made/by/mount", true);
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_overlay(struct plan_ctx *c)
{
	char last[32];
	int fd;

	(void)c;
	snprintf(last, sizeof(last), "/only%u", o.n_layers - 1);
	CHECK(has_text("/who", "0") && exists("/only0") && exists(last));
	CHECK(has_text("/made/by/mount/file", "volume"));
	CHECK(o.n_layers < 2 || !exists("/gone"));
	CHECK(count_mounts(" / / ") == 1 && count_mounts(" - overlay ") == 1);
	CHECK(mode_of("/") == 0751);
	fd = open("/written", O_WRONLY | O_CREAT, 0644);
	CHECK(o.upper ? fd >= 0 : fd < 0 && errno == EROFS);
	fd_close(fd);
	if (o.upper)
		CHECK(unlink("/only0") == 0 && mkdir("/only0", 0755) == 0 && chmod("/who", 0600) == 0);
}

static void
make_layers(const char *dir, unsigned n)
{
	sh("mkdir -p '%s' && cd '%s' && for i in $(seq 0 %u); do mkdir -m 751 $i && mkdir -p $i/proc $i/made/by/mount "
	   "&& "
	   "printf $i >$i/who && :>$i/only$i; done",
	   dir, dir, n - 1);
	if (n > 1)
		sh(":>'%s/%u/gone'; mknod '%s/0/gone' c 0 0", dir, n - 1, dir);
}

static void
overlay_variants(bool user)
{
	static const char *const dirs[] = { "plain", "odd:na\\me, x" };

	for (unsigned i = 0; i < 16; i++) {
		o.n_layers = i & 1 ? 1 : 3;
		o.append = i & 2;
		o.on_top = i & 4;
		o.dir = dirs[i >> 3];
		o.userxattr = user;
		o.upper = NULL;
		run_case(o.append ? "overlay" : "overlay, one page", user, build_overlay, NULL, check_overlay);
		o.upper = "tmpfs";
		run_case("overlay, tmpfs upper", user, build_overlay, NULL, check_overlay);
		o.upper = "store/upper";
		sh("rm -rf store && mkdir store && chown %d:%d store", user ? USER : 0, user ? USER : 0);
		run_case("overlay, upper", user, build_overlay, NULL, check_overlay);
		CHECK(exists(at("store/upper/written")) && mode_of(at("store/upper")) == 0751);
	}
}

static void
test_overlay(void)
{
	char deep[600];

	case_name = "overlay";
	make_rootfs("rootfs");
	make_layers("plain", 3);
	make_layers("odd:na\\me, x", 3);
	overlay_variants(false);
	sh("chown -R %d:%d plain odd* rootfs", USER, USER);
	overlay_variants(true);

	memset(deep, 'd', sizeof(deep));
	deep[200] = deep[400] = '/';
	deep[sizeof(deep) - 1] = '\0';
	o.dir = deep;
	o.upper = "tmpfs";
	make_layers(deep, 300);
	sh("chown -R %d:%d d*", USER, USER);
	for (unsigned i = 0; i < 8; i++) {
		o.append = i & 1;
		o.userxattr = i & 2;
		o.n_layers = i & 4 ? 300 : 128;
		run_case("overlay of many layers", i & 2, build_overlay, NULL, check_overlay);
	}
	sh("rm -r plain odd* d* rootfs store");
}

/* ---- cases: one mount each ----------------------------------------------- */

static void
build_copy_up(struct plan_builder *b)
{
	add_root(b, at("rootfs"));
	add_fs(b, "tmpfs", "/data", "size=4m", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)->u.mount_fs.copy_up = true;
	add_fs(b, "tmpfs", "/fixed", "mode=700", 0)->u.mount_fs.copy_up = true;
	add_fs(b, "tmpfs", "/fresh", "", 0)->u.mount_fs.copy_up = true;
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_copy_up(struct plan_ctx *c)
{
	struct stat st;
	char buf[64];

	(void)c;
	CHECK(mount_flags("/data") & ST_RDONLY);
	CHECK(mode_of("/data") == 01770 && mode_of("/fixed") == 0700 && is_empty("/fresh"));
	CHECK(has_text("/data/file", "content") && mode_of("/data/file") == 04751);
	CHECK(stat("/data/file", &st) == 0 && st.st_mtime == 1000000000);
	CHECK(stat("/data/big", &st) == 0 && st.st_size == 3000000);
	CHECK(readlink("/data/link", buf, sizeof(buf)) == 11 && memcmp(buf, "/etc/passwd", 11) == 0);
	CHECK(lstat("/data/fifo", &st) == 0 && S_ISFIFO(st.st_mode) && mode_of("/data/fifo") == 0622);
	CHECK(mode_of("/data/a") == 0500 && has_text("/data/a/b/c/d/deep", "deep"));
	CHECK(stat("/data/a", &st) == 0 && st.st_mtime == 1000000000);
	CHECK(exists("/data/many/1") && exists("/data/many/sub/x") && exists("/data/many/400"));
	CHECK(getxattr("/data/file", "user.note", buf, sizeof(buf)) == 5 || errno == EOPNOTSUPP);
}

static void
build_too_deep(struct plan_builder *b)
{
	add_root(b, at("rootfs"));
	add_fs(b, "tmpfs", "/deep", "", 0)->u.mount_fs.copy_up = true;
}

static void
build_too_big(struct plan_builder *b)
{
	add_root(b, at("rootfs"));
	add_fs(b, "tmpfs", "/data", "size=64k", 0)->u.mount_fs.copy_up = true;
}

static void
test_copy_up(void)
{
	case_name = "copy up";
	make_rootfs("rootfs");
	sh("cd rootfs && mkdir -m 1770 data && mkdir fixed deep && cd data && printf content >file && chmod 4751 file "
	   "&& "
	   "ln -s /etc/passwd link && mkfifo -m 622 fifo && mkdir -p a/b/c/d && printf deep >a/b/c/d/deep && "
	   "head -c 3000000 /dev/zero >big && mkdir -p many/sub && (cd many && touch $(seq 400) sub/x) && chmod 500 a "
	   "&& "
	   "touch -d @1000000000 file a && d=../deep; for i in $(seq 70); do d=$d/d; done; mkdir -p $d");
	CHECK(setxattr(at("rootfs/data/file"), "user.note", "hello", 5, 0) == 0 || errno == EOPNOTSUPP);
	run_case("copy up", false, build_copy_up, NULL, check_copy_up);
	run_case("copy up, too deep", false, build_too_deep, "tmpcopyup: copy 'd' of '/deep'", NULL);
	run_case("copy up, too big", false, build_too_big, "tmpcopyup: copy 'big' of '/data': no space left", NULL);
	sh("chown -R %d:%d rootfs && chmod 4751 rootfs/data/file && touch -d @1000000000 rootfs/data/file "
	   "rootfs/data/a",
	   USER, USER);
	run_case("copy up", true, build_copy_up, NULL, check_copy_up);
	sh("rm -r rootfs");
}

static void
build_odd_mounts(struct plan_builder *b)
{
	struct plan_step *s;
	char opts[1200];

	add_root(b, at("rootfs"));
	add_fs(b, "proc", "/proc", "", PLAIN);
	/* lowerdir is longer than fsconfig(2) takes. */
	snprintf(opts, sizeof(opts), "lowerdir=%s:%s,upperdir=%s,workdir=%s%s", at("longer/%0100d/%0100d", 1, 2),
		 at("volume"), at("store/u"), at("store/w"), with_devices ? "" : ",userxattr");
	for (char *p = opts; *p; p++)
		*p = *p == ',' ? ' ' : *p;
	add_fs(b, "overlay", "/over", opts, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
	add_fs(b, "tmpfs", "/grow", "size=64k", 0);
	s = plan_add(b, PLAN_REMOUNT, "mounts");
	s->u.remount.dest = plan_string(b, "/grow");
	s->u.remount.options = options(b, "size=1m");
	s->u.remount.superblock = true;
	/* A mount that the user namespace got with nodev: clearing it is refused. */
	s = add_bind(b, at("locked"), "/locked", true);
	s->u.mount_bind.attrs.clear = MOUNT_ATTR_NODEV;
	s->u.mount_bind.attrs.set = MOUNT_ATTR_NOEXEC;
	/* A link as source, and as destination. */
	s = add_bind(b, at("volume/link"), "/etc/resolv.conf", false);
	s->u.mount_bind.source_nofollow = s->u.mount_bind.dest_nofollow = true;
	s = add_bind(b, at("volume/file"), "/new/file", false);
	s->u.mount_bind.dest_nofollow = true;
	add_path(b, PLAN_MASK_PATH, "/through/secret");
	add_symlink(b, "/dev/ptmx", "pts/ptmx");
	add_symlink(b, "/dev/core", "/proc/kcore");
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_odd_mounts(struct plan_ctx *c)
{
	struct statvfs v;
	char buf[64];

	(void)c;
	CHECK(has_text("/over/file", "volume") && exists("/over/in_long"));
	CHECK((mount_flags("/over") & (ST_NOEXEC | ST_NOSUID | ST_NODEV)) == (ST_NOEXEC | ST_NOSUID));
	CHECK(statvfs("/grow", &v) == 0 && v.f_blocks * v.f_frsize == 1 << 20);
	CHECK(mount_flags("/locked") & ST_NOEXEC && has_text("/locked/file", "locked"));
	CHECK(with_devices == !(mount_flags("/locked") & ST_NODEV));
	CHECK(readlink("/etc/resolv.conf", buf, sizeof(buf)) == 4 && memcmp(buf, "file", 4) == 0);
	CHECK(has_text("/new/file", "volume"));
	CHECK(is_char("/in/secret", 1, 3));
	CHECK(readlink("/dev/ptmx", buf, sizeof(buf)) == 8 && memcmp(buf, "pts/ptmx", 8) == 0);
	CHECK(readlink("/dev/core", buf, sizeof(buf)) == 5); /* the image's own link stays */
}

static void
test_odd_mounts(void)
{
	case_name = "odd mounts";
	make_rootfs("rootfs");
	sh("mkdir -p longer/%0100d/%0100d locked store/u store/w && :>longer/%0100d/%0100d/in_long && ln -s file "
	   "volume/link && "
	   "mount -t tmpfs -o nodev locked locked && printf locked >locked/file && cd rootfs && ln -s %s/volume/file "
	   "etc/resolv.conf && mkdir in && printf secret >in/secret && ln -s /in through && "
	   "ln -s /dev/pts/5 dev/ptmx && ln -s other dev/core",
	   1, 2, 1, 2, base);
	with_devices = true;
	run_case("odd mounts", false, build_odd_mounts, NULL, check_odd_mounts);
	with_devices = false;
	sh("rm -r store && mkdir -p store/u store/w && chown -R %d:%d rootfs store longer", USER, USER);
	sh("rm rootfs/dev/ptmx && ln -s /dev/pts/5 rootfs/dev/ptmx");
	run_case("odd mounts", true, build_odd_mounts, NULL, check_odd_mounts);
	CHECK(has_text(at("volume/file"), "volume"));
	sh("umount locked && rm -r rootfs longer store volume/link");
}

/* ---- cases: trees opened by the parent ------------------------------------- */

static void
build_sources(struct plan_builder *b)
{
	struct plan_root_bind r = { .path = plan_string(b, at("private/rootfs")) };
	struct plan_step *s;

	r.slot = plan_add_source(b, at("private/rootfs"), true, false, 0);
	plan_add(b, PLAN_ROOT_BIND, "root.path")->u.root_bind = r;
	add_fs(b, "proc", "/proc", "", PLAIN);
	s = add_bind(b, at("private/volume"), "/mnt/v", true);
	s->u.mount_bind.slot = plan_add_source(b, at("private/volume"), true, false, 0);
	s->u.mount_bind.attrs.set = MOUNT_ATTR_RDONLY;
	s = add_bind(b, at("private/volume"), "/mnt/shared", true);
	s->u.mount_bind.slot = plan_add_source(b, at("private/volume"), true, false, 0);
	s->u.mount_bind.propagation = MS_SHARED | MS_REC;
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_sources(struct plan_ctx *c)
{
	(void)c;
	CHECK(has_text("/marker", "rootfs") && has_text("/mnt/v/file", "private"));
	CHECK(mount_flags("/mnt/v") & ST_RDONLY);
	CHECK(count_mounts(" /mnt/shared rw,relatime shared:") == 1);
	/* None of these may reach the host: main() compares its mountinfo. */
	CHECK(mount("leak", "/mnt/v", "tmpfs", 0, NULL) == 0);
	CHECK(mount("leak", "/mnt/shared/sub", "tmpfs", 0, NULL) == 0);
	CHECK(mount("leak", "/run", "tmpfs", 0, NULL) == 0);
}

static void
test_sources(void)
{
	case_name = "sources of the parent";
	sh("mkdir -m 755 private");
	make_rootfs("private/rootfs");
	sh("mkdir -p private/volume/sub && printf private >private/volume/file && chown -R %d:%d private/rootfs", USER,
	   USER);
	run_case("sources of the parent", false, build_sources, NULL, check_sources);
	run_case("sources of the parent", true, build_sources, NULL, check_sources);
	/* Now the child cannot reach the root's path: it goes on top of "/". */
	sh("chmod 700 private");
	run_case("sources of the parent, out of reach", true, build_sources, NULL, check_sources);
	sh("rm -r private");
}

static void
build_on_root(struct plan_builder *b)
{
	add_root(b, at("volume"));
	add_bind(b, at("rootfs"), "/", true);
	add_fs(b, "proc", "/proc", "", PLAIN);
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_on_root(struct plan_ctx *c)
{
	(void)c;
	CHECK(has_text("/marker", "rootfs") && exists("/proc/self/fd"));
}

static void
test_on_root(void)
{
	case_name = "mount on /";
	make_rootfs("rootfs");
	run_case("mount on /", false, build_on_root, NULL, check_on_root);
	run_case("mount on /", true, build_on_root, NULL, check_on_root);
	sh("rm -r rootfs");
}

/* ---- cases: errors and attacks ---------------------------------------------- */

static void (*attack)(struct plan_builder *b);

static void
build_attack(struct plan_builder *b)
{
	add_root(b, at("rootfs"));
	attack(b);
}

static void
check_canary(struct plan_ctx *c)
{
	char point[PATH_MAX];

	(void)c;
	snprintf(point, sizeof(point), " %s ", at("canary"));
	CHECK(is_empty(at("canary")) && count_mounts(point) == 0);
	CHECK(has_text(at("treasure"), "treasure") && mode_of(at("treasure")) == 0600);
}

static void
attacked(const char *name, const char *set_up, void (*build)(struct plan_builder *b), const char *expect)
{
	case_name = name;
	make_rootfs("rootfs");
	sh("cd rootfs && c=%s/canary t=%s/treasure && %s", base, base, set_up);
	attack = build;
	run_case(name, false, build_attack, expect, check_canary);
	check_canary(NULL);
	sh("rm -r rootfs");
}

static void
mount_proc(struct plan_builder *b)
{
	add_fs(b, "proc", "/proc", "", PLAIN);
}

static void
mount_sysfs(struct plan_builder *b)
{
	add_fs(b, "sysfs", "/sys/", "", PLAIN);
}

static void
mount_tmpfs(struct plan_builder *b)
{
	add_fs(b, "tmpfs", "/vol/x", "", 0);
}

static void
mount_bad_option(struct plan_builder *b)
{
	add_fs(b, "tmpfs", "/vol/x", "size=1m wrong=7", 0);
}

static void
mount_bad_value(struct plan_builder *b)
{
	add_fs(b, "tmpfs", "/vol/x", "size=pineapple", 0);
}

static void
mount_bad_type(struct plan_builder *b)
{
	add_fs(b, "no-such-fs", "/vol/x", "", 0);
}

static void
bind_missing(struct plan_builder *b)
{
	add_bind(b, at("missing"), "/vol/x", true);
}

static void
bind_dir_on_file(struct plan_builder *b)
{
	add_bind(b, at("volume"), "/marker", true);
}

static void
bind_file_on_dir(struct plan_builder *b)
{
	add_bind(b, at("volume/file"), "/etc", false);
}

static void
bind_file(struct plan_builder *b)
{
	add_bind(b, at("volume/file"), "/vol/file", false);
}

static void
make_devices(struct plan_builder *b)
{
	add_device(b, "/dev/null", S_IFCHR | 0666, 1, 3);
	add_symlink(b, "/dev/ptmx", "pts/ptmx");
	add_symlink(b, "/dev/fd", "/proc/self/fd");
}

static void
bind_device(struct plan_builder *b)
{
	struct plan_bind_device d = { plan_string(b, "/dev/null"), plan_string(b, "/dev/null") };

	plan_add(b, PLAN_BIND_DEVICE, "device")->u.bind_device = d;
}

static void
bind_no_device(struct plan_builder *b)
{
	struct plan_bind_device d = { plan_string(b, "/dev/null"), plan_string(b, at("treasure")) };

	plan_add(b, PLAN_BIND_DEVICE, "device")->u.bind_device = d;
}

static void
mask(struct plan_builder *b)
{
	add_path(b, PLAN_MASK_PATH, "/etc/secret");
}

static void
read_only(struct plan_builder *b)
{
	add_path(b, PLAN_READONLY_PATH, "/etc/secret");
}

static void
sysctl_up(struct plan_builder *b)
{
	add_sysctl(b, "../self/comm", "x");
}

static void
sysctl_missing(struct plan_builder *b)
{
	add_sysctl(b, "kernel/no_such", "1");
}

static void
sysctl_bad_value(struct plan_builder *b)
{
	add_sysctl(b, "kernel/msgmax", "pineapple");
}

static void
remount_no_mount(struct plan_builder *b)
{
	struct plan_remount r = { .dest = plan_string(b, "/etc"), .attrs.set = MOUNT_ATTR_RDONLY };

	plan_add(b, PLAN_REMOUNT, "mounts")->u.remount = r;
}

static void
no_root(struct plan_builder *b)
{
	add_root(b, at("missing"));
}

static void
file_as_root(struct plan_builder *b)
{
	add_root(b, at("treasure"));
}

static void
test_attacks(void)
{
	static const char plain[] = "must be mounted on an ordinary directory";

	sh("mkdir canary && printf treasure >treasure && chmod 600 treasure");
	attacked("/proc is a link", "rmdir proc && ln -s /etc proc", mount_proc, plain);
	attacked("/proc is a link out", "rmdir proc && ln -s $c proc", mount_proc, plain);
	attacked("/proc is a file", "rmdir proc && :>proc", mount_proc, plain);
	attacked("/sys is a link", "rmdir sys && ln -s proc sys", mount_sysfs, plain);
	attacked("destination is a link out", "mkdir vol && ln -s $c vol/x", mount_tmpfs, NULL);
	attacked("destination goes through a link out", "ln -s $c vol", mount_tmpfs, NULL);
	attacked("destination climbs", "ln -s ../../../../$c vol", mount_tmpfs, NULL);
	attacked("destination is a file", "mkdir vol && :>vol/x", mount_tmpfs, "make the mount point '/vol/x'");
	attacked("file goes through a link out", "ln -s $c vol", bind_file, NULL);
	attacked("file is a link out", "mkdir vol && ln -s $c/new vol/file", bind_file, NULL);
	attacked("file is a link to a file", "mkdir vol && ln -s $t vol/file", bind_file, NULL);
	attacked("destination magic", "ln -s /proc/self/root/$c vol", mount_tmpfs, NULL);
	attacked("unknown option", "true", mount_bad_option,
		 "mount 'tmpfs' on '/vol/x': option 'wrong=7': tmpfs: Unknown parameter");
	attacked("bad value", "true", mount_bad_value,
		 "mount 'tmpfs' on '/vol/x': option 'size=pineapple': tmpfs: Bad value");
	attacked("unknown type", "true", mount_bad_type, "mount 'no-such-fs' on '/vol/x': no such device");
	attacked("no source", "true", bind_missing, "missing' to '/vol/x': open the source: no such file");
	attacked("folder on a file", "true", bind_dir_on_file, "the source is a folder, the destination is not");
	attacked("file on a folder", "true", bind_file_on_dir, "the source is not a folder, the destination is");
	attacked("/dev is a link out", "rmdir dev && ln -s $c dev", make_devices, NULL);
	attacked("/dev is a link up", "rmdir dev && ln -s ../canary dev", make_devices, NULL);
	attacked("/dev/null is a link out", "ln -s $t dev/null", make_devices,
		 "'/dev/null' exists and is not the character device 1:3");
	attacked("/dev/null is a file", ":>dev/null", make_devices,
		 "'/dev/null' exists and is not the character device 1:3");
	attacked("/dev/null is another device", "mknod dev/null c 1 5", make_devices,
		 "exists and is not the character device 1:3");
	attacked("/dev/null is there", "mknod -m 600 dev/null c 1 3 && chown 7:7 dev/null", make_devices, NULL);
	attacked("/dev/null is bound through a link", "ln -s $t dev/null", bind_device,
		 "make a place for the device '/dev/null'");
	attacked("/dev is a link out, bound", "rmdir dev && ln -s $c dev", bind_device, NULL);
	attacked("no device", "true", bind_no_device, "of the host is not a device");
	attacked("ptmx is a device", "mknod dev/ptmx c 5 2", make_devices, NULL);
	attacked("masked path is missing", "true", mask, "mask '/etc/secret': no such file");
	attacked("masked path is a link out", "ln -s $t etc/secret", mask, "mask '/etc/secret': no such file");
	attacked("read-only path is missing", "true", read_only, "make '/etc/secret' read-only: no such file");
	attacked("read-only path is a link out", "ln -s $c etc/secret", read_only,
		 "make '/etc/secret' read-only: no such file");
	attacked("sysctl climbs", "true", sysctl_up, "open /proc/sys/../self/comm");
	attacked("sysctl is missing", "true", sysctl_missing, "open /proc/sys/kernel/no_such: no such file");
	attacked("sysctl value", "true", sysctl_bad_value,
		 "write 'pineapple' to /proc/sys/kernel/msgmax: invalid argument");
	attacked("remount of a folder", "true", remount_no_mount, "remount '/etc' (it is not a mount point)");
	attacked("no root", "true", no_root, "missing': no such file");
	attacked("file as root", "true", file_as_root, "treasure': not a directory");
	sh("rm -r canary treasure");
}

int
main(void)
{
	char *before, *after;
	size_t len;

	if (geteuid() != 0) {
		printf("SKIP: needs root\n");
		return 77;
	}
	case_name = "set-up";
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0) {
		printf("SKIP: no mount namespace: %s\n", strerror(errno));
		return 77;
	}
	umask(077);
	snprintf(base, sizeof(base), "/tmp/knarr-rootfs-XXXXXX");
	CHECK(mkdtemp(base) && chmod(base, 0755) == 0);
	umask(022);
	CHECK(fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &before, &len) == 0);
	test_whole();
	test_no_pivot();
	test_overlay();
	test_copy_up();
	test_odd_mounts();
	test_sources();
	test_on_root();
	test_attacks();
	CHECK(fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 24, &after, &len) == 0);
	case_name = "mountinfo of the host";
	CHECK(strcmp(before, after) == 0);
	sh("rm -rf --one-file-system %s", base);
	free(before);
	free(after);
	return failed;
}
