/* Whole roots: everything that a usual config asks for, the three ways of
 * stepping in, trees that the parent opened, a mount on the root itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/unit/rootfs_case.h"

/* ---- a whole root ------------------------------------------------- */

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
		struct plan_bind_device d = { .path = plan_string(b, "/dev/null"),
					      .source = plan_string(b, "/dev/null") };

		plan_add(b, PLAN_BIND_DEVICE, "device")->u.bind_device = d;
		d = (struct plan_bind_device){ .path = plan_string(b, "/dev/zero"),
					       .source = plan_string(b, "/dev/zero") };
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
	CHECK(mode_of("/run") == 0711);		  /* as the directory that it covers */
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
	CHECK(count_mounts(strrchr(base, '/')) == 5); /* roots of the binds, seen from their file system */
	CHECK(count_mounts(" /tmp/new/deep rw,relatime shared:") == 1);
}

static void
test_whole(void)
{
	name_case("whole root");
	make_rootfs("rootfs");
	sh("mount -t tmpfs inner volume/inner && printf inner >volume/inner/file && chmod 777 volume/inner");
	with_devices = true;
	run_case("whole root", false, build_whole, NULL, check_whole);
	with_devices = false;
	sh("rm -r rootfs");
	make_rootfs("rootfs");
	sh("chown -R %d:%d rootfs volume", USER, USER);
	run_case("whole root", true, build_whole, NULL, check_whole);
	sh("umount volume/inner && rm -r rootfs");
}

/* ---- nodes one after the other ------------------------------------- */

/* Their directory is looked up for the first of them. */
static void
build_nodes(struct plan_builder *b)
{
	add_root(b, at("rootfs"));
	add_symlink(b, "/dev/covered", "x");
	add_fs(b, "tmpfs", "/dev", "mode=755", 0);
	add_symlink(b, "/dev/first", "x");
	add_device(b, "/dev/fifo", S_IFIFO | 0600, 0, 0);
	add_symlink(b, "/dev/sub/deep", "x");
	add_symlink(b, "/dev/sub/", "x");
	add_symlink(b, "/dev/second", "x");
	add_symlink(b, "/home/first", "/dev");
	add_symlink(b, "/home/first/third", "x");
	add_symlink(b, "/home/second", "x");
	add_pivot(b, PLAN_BY_PIVOT);
}

static void
check_nodes(struct plan_ctx *c)
{
	char text[8];

	(void)c;
	CHECK(!exists("/dev/covered") && exists("/dev/first") && exists("/dev/second") && exists("/dev/third"));
	CHECK(mode_of("/dev/fifo") == 0600);
	CHECK(mode_of("/dev/sub") == 0755 && exists("/dev/sub/deep"));
	CHECK(readlink("/home/first", text, sizeof(text)) == 4 && exists("/home/second"));
}

static void
test_nodes(void)
{
	name_case("nodes");
	make_rootfs("rootfs");
	run_case("nodes", false, build_nodes, NULL, check_nodes);
	sh("rm -r rootfs");
}

/* ---- stepping in without pivot_root ------------------------------- */

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
	name_case("no pivot");
	make_rootfs("rootfs");
	for (int user = 0; user < 2; user++) {
		how = PLAN_BY_MOVE;
		run_case("move", user, build_no_pivot, NULL, check_no_pivot);
		how = PLAN_BY_CHROOT;
		run_case("chroot", user, build_no_pivot, NULL, check_no_pivot);
	}
	sh("rm -r rootfs");
}

/* ---- trees opened by the parent ------------------------------------- */

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
	/* None of these may come out: rootfs_cases() looks for mounts that are new. */
	CHECK(mount("leak", "/mnt/v", "tmpfs", 0, NULL) == 0);
	CHECK(mount("leak", "/mnt/shared/sub", "tmpfs", 0, NULL) == 0);
	CHECK(mount("leak", "/run", "tmpfs", 0, NULL) == 0);
}

static void
test_sources(void)
{
	name_case("sources of the parent");
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
	name_case("mount on /");
	make_rootfs("rootfs");
	run_case("mount on /", false, build_on_root, NULL, check_on_root);
	run_case("mount on /", true, build_on_root, NULL, check_on_root);
	sh("rm -r rootfs");
}

static void
run(void)
{
	test_whole();
	test_nodes();
	test_no_pivot();
	test_sources();
	test_on_root();
}

int
main(void)
{
	return rootfs_cases(run);
}
