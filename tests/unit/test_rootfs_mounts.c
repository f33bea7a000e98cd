/* Single mounts that are out of the ordinary: tmpcopyup, options too long for
 * fsconfig(2), locked flags, links as source and destination. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/rootfs_case.h"

/* ---- one mount each ----------------------------------------------- */

static bool privileged; /* false: as root of a user namespace */

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
	name_case("copy up");
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
		 at("volume"), at("store/u"), at("store/w"), privileged ? "" : ",userxattr");
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
	CHECK(privileged == !(mount_flags("/locked") & ST_NODEV));
	CHECK(readlink("/etc/resolv.conf", buf, sizeof(buf)) == 4 && memcmp(buf, "file", 4) == 0);
	CHECK(has_text("/new/file", "volume"));
	CHECK(is_char("/in/secret", 1, 3));
	CHECK(readlink("/dev/ptmx", buf, sizeof(buf)) == 8 && memcmp(buf, "pts/ptmx", 8) == 0);
	CHECK(readlink("/dev/core", buf, sizeof(buf)) == 5); /* the image's own link stays */
}

static void
test_odd_mounts(void)
{
	name_case("odd mounts");
	make_rootfs("rootfs");
	sh("mkdir -p longer/%0100d/%0100d locked store/u store/w && :>longer/%0100d/%0100d/in_long && ln -s file "
	   "volume/link && "
	   "mount -t tmpfs -o nodev locked locked && printf locked >locked/file && cd rootfs && ln -s %s/volume/file "
	   "etc/resolv.conf && mkdir in && printf secret >in/secret && ln -s /in through && "
	   "ln -s /dev/pts/5 dev/ptmx && ln -s other dev/core",
	   1, 2, 1, 2, base);
	privileged = true;
	run_case("odd mounts", false, build_odd_mounts, NULL, check_odd_mounts);
	privileged = false;
	sh("rm -r store && mkdir -p store/u store/w && chown -R %d:%d rootfs store longer", USER, USER);
	sh("rm rootfs/dev/ptmx && ln -s /dev/pts/5 rootfs/dev/ptmx");
	run_case("odd mounts", true, build_odd_mounts, NULL, check_odd_mounts);
	CHECK(has_text(at("volume/file"), "volume"));
	sh("umount locked && rm -r rootfs longer store volume/link");
}

static void
run(void)
{
	test_copy_up();
	test_odd_mounts();
}

int
main(void)
{
	return rootfs_cases(run);
}
