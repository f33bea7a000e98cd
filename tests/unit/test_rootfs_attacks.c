/* What a hostile rootfs can be made of, and wrong plans: one clear error or a
 * result inside the rootfs, and a canary outside that nothing ever touches. */
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/unit/rootfs_case.h"

/* ---- errors and attacks ---------------------------------------------- */

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
	name_case(name);
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
	struct plan_bind_device d = { .path = plan_string(b, "/dev/null"), .source = plan_string(b, "/dev/null") };

	plan_add(b, PLAN_BIND_DEVICE, "device")->u.bind_device = d;
}

static void
bind_no_device(struct plan_builder *b)
{
	struct plan_bind_device d = { .path = plan_string(b, "/dev/null"), .source = plan_string(b, at("treasure")) };

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
	static const char plain[] = "must be mounted on ordinary directory";

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
	attacked("directory on a file", "true", bind_dir_on_file, "the source is a directory, the destination is not");
	attacked("file on a directory", "true", bind_file_on_dir, "the source is not a directory, the destination is");
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
	attacked("remount of a directory", "true", remount_no_mount, "remount '/etc' (it is not a mount point)");
	attacked("no root", "true", no_root, "missing': no such file");
	attacked("file as root", "true", file_as_root, "treasure': not a directory");
	sh("rm -r canary treasure");
}

static void
run(void)
{
	test_attacks();
}

int
main(void)
{
	return rootfs_cases(run);
}
