/* The steps that rootfs_plan_mounts() and rootfs_plan_finish() make of a
 * config, as plan_print() shows them, and each error of the planner. Needs no
 * root: nothing is mounted. "$B" stands for the bundle in what is compared. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "namespaces/path_text.h"
#include "namespaces/rootfs.h"
#include "namespaces/rootfs_planner.h"
#include "tests/unit/check.h"

static char bundle[] = "/tmp/test_rootfs_plan.XXXXXX";

enum {
	USERNS = 1 << 0,   /* a user namespace, made by root */
	ORDINARY = 1 << 1, /* a user namespace, made by an ordinary user */
	CGROUPNS = 1 << 2, /* a cgroup namespace */
	NO_MOUNTNS = 1 << 3,
	NO_PIVOT = 1 << 4,
	NO_CGROUP2 = 1 << 5,	 /* the host has none */
	OWN_CGROUP = 1 << 6,	 /* the container has a cgroup */
	OLD_KERNEL = 1 << 7,	 /* Linux 6.1 */
	ANCIENT_KERNEL = 1 << 8, /* Linux 5.10 */
	PIDNS = 1 << 9,
	SELINUX = 1 << 10,
	LAYERS = 1 << 11, /* --layer l1 --layer l2 */
	UPPER_DIR = 1 << 12,
	UPPER_TMPFS = 1 << 13,
	BAD_UPPER = 1 << 14,
	NO_LAYER = 1 << 15, /* --upper alone */
	TERMINAL = 1 << 16,
};

/* ---- from a config to text ------------------------------------------- */

/* All "$B" become the bundle (or back). */
static char *
replace(struct arena *a, const char *text, const char *from, const char *to)
{
	char *out = arena_strdup(a, "");
	const char *at;

	for (; (at = strstr(text, from)); text = at + strlen(from))
		out = arena_printf(a, "%s%.*s%s", out, (int)(at - text), text, to);
	return arena_printf(a, "%s%s", out, text);
}

static struct spec *
parse(struct arena *a, const char *body, unsigned flags)
{
	const char *ns = arena_printf(
		a, "[%s%s%s%s]", flags & NO_MOUNTNS ? "{\"type\":\"uts\"}" : "{\"type\":\"mount\"}",
		flags & (USERNS | ORDINARY) ? ",{\"type\":\"user\"}" : "",
		flags & CGROUPNS ? ",{\"type\":\"cgroup\"}" : "", flags & PIDNS ? ",{\"type\":\"pid\"}" : "");
	char *json = arena_printf(a, "{\"ociVersion\":\"1.2.0\",%s}", body);
	struct spec_report report;
	struct spec *s = NULL;

	json = replace(a, replace(a, json, "$B", bundle), "$NS", ns);
	if (spec_parse("config.json", json, strlen(json), a, &report, &s) < 0)
		for (size_t i = 0; i < report.n; i++)
			CHECK(false, "%s in %s", spec_issue_format(a, "config.json", &report.items[i]), json);
	return s;
}

static void
fill_options(struct host *h, struct rootfs_options *o, struct rootfs_layers *l, unsigned flags)
{
	static const char *const dirs[] = { "l1", "/tmp" };

	host_reference(!(flags & ORDINARY), h);
	if (flags & (OLD_KERNEL | ANCIENT_KERNEL)) {
		h->kernel_major = flags & OLD_KERNEL ? 6 : 5;
		h->kernel_minor = flags & OLD_KERNEL ? 1 : 10;
	}
	h->selinux = flags & SELINUX;
	if (flags & NO_CGROUP2)
		h->cgroup_mount = NULL;
	*l = (struct rootfs_layers){ .dirs = dirs, .n = flags & NO_LAYER ? 0 : 2 };
	if (flags & (UPPER_DIR | BAD_UPPER))
		l->upper = flags & UPPER_DIR ? "up" : "nowhere/at/all";
	if (flags & UPPER_TMPFS)
		l->upper = "tmpfs";
	*o = (struct rootfs_options){
		.bundle = bundle,
		.layers = flags & (LAYERS | NO_LAYER) ? l : NULL,
		.no_pivot = flags & NO_PIVOT,
		.parent_opens = flags & USERNS,
		.in_userns = flags & (USERNS | ORDINARY),
		.new_cgroupns = flags & CGROUPNS,
		.cgroup = flags & OWN_CGROUP ? "/sys/fs/cgroup/knarr/c1" : NULL,
		.has_terminal = flags & TERMINAL,
	};
}

/* The plan as text, or "!message". */
static char *
plan_as_text(struct arena *a, const char *body, unsigned flags)
{
	struct plan_builder b;
	struct rootfs_layers layers;
	struct rootfs_options o;
	struct host h;
	struct plan *p = NULL;
	struct err e = { 0 };
	struct spec *s = parse(a, body, flags);
	char *text = NULL, *copy, line[ERR_MSG_MAX + 100];
	size_t size;
	FILE *f;

	if (!s)
		return arena_strdup(a, "");
	fill_options(&h, &o, &layers, flags);
	plan_begin(&b, a);
	if (rootfs_plan_mounts(&b, s, &h, &o, &e) < 0 || rootfs_plan_finish(&b, s, &h, &o, &e) < 0 ||
	    plan_seal(&b, &e, &p) < 0)
		return replace(a, arena_printf(a, "!%s", err_format(&e, line, sizeof(line))), bundle, "$B");
	f = open_memstream(&text, &size);
	plan_print(p, f);
	fclose(f);
	plan_free(p);
	copy = replace(a, text, bundle, "$B");
	free(text);
	return copy;
}

/* ---- expectations ---------------------------------------------------- */

#define ROOT	  "\"root\":{\"path\":\"rootfs\"}"
#define NS	  "\"linux\":{\"namespaces\":$NS}"
#define LINUX(x)  "\"linux\":{\"namespaces\":$NS," x "}"
#define MOUNTS(x) ROOT ",\"mounts\":[" x "]," NS
#define MOUNT(dest, type, source, options)                                                                             \
	"{\"destination\":\"" dest "\",\"type\":\"" type "\",\"source\":\"" source "\",\"options\":[" options "]}"

struct want {
	const char *body;
	unsigned flags;
	const char *lines[6]; /* each is part of the text; "-x": x is not; "!x": the error has x */
};

static void
check(const struct want *w, size_t row)
{
	auto_arena struct arena a = { 0 };
	char *text = plan_as_text(&a, w->body, w->flags);

	for (size_t i = 0; i < 6 && w->lines[i]; i++) {
		const char *line = w->lines[i];

		if (line[0] == '-')
			CHECK(!strstr(text, line + 1), "row %zu: '%s' is in\n%s", row, line + 1, text);
		else if (line[0] == '!')
			CHECK(text[0] == '!' && strstr(text, line + 1), "row %zu: no error '%s' but\n%s", row, line + 1,
			      text);
		else
			CHECK(strstr(text, line), "row %zu: '%s' is not in\n%s", row, line, text);
	}
}

static const struct want good[] = {
	/* the frame: root, links, pivot, in this order */
	{ ROOT "," NS,
	  0,
	  { "  1 set propagation propagation=slave,recursive  # linux.rootfsPropagation\n"
	    "  2 root bind path=\"$B/rootfs\"  # root.path\n"
	    "  3 make device path=\"/dev/null\"",
	    "change root how=pivot  # root\n", "make link path=\"/dev/ptmx\" target=\"pts/ptmx\"",
	    "make link path=\"/dev/core\" target=\"/proc/kcore\"", "-read-only root" } },
	{ ROOT "," NS, NO_PIVOT, { "change root how=move" } },
	{ "\"root\":{\"path\":\"$B/rootfs\",\"readonly\":true}," NS,
	  0,
	  { "root bind path=\"$B/rootfs\"", "read-only root  # root.readonly\n" } },
	{ ROOT "," NS,
	  USERNS,
	  { "open source=\"$B/rootfs\" recursive  # root.path\n", "root bind path=\"$B/rootfs\" opened-by-parent" } },
	{ ROOT "," NS, ORDINARY, { "-open source", "root bind path=\"$B/rootfs\"  #" } },
	/* no mount namespace */
	{ ROOT "," NS,
	  NO_MOUNTNS,
	  { "  1 root bind path=\"$B/rootfs\" open-only", "change root how=chroot", "-set propagation", "make device",
	    "-or   3" } },
	{ ROOT "," NS, NO_MOUNTNS | ORDINARY, { "open-only", "-/dev/null", "-bind device" } },
	/* propagation of the root */
	{ ROOT "," LINUX("\"rootfsPropagation\":\"private\""),
	  0,
	  { "1 set propagation propagation=private,recursive", "-propagation=private  #" } },
	{ ROOT "," LINUX("\"rootfsPropagation\":\"shared\""),
	  0,
	  { "1 set propagation propagation=slave,recursive", "how=pivot  # root\n",
	    "set propagation propagation=shared  #" } },
	{ ROOT "," LINUX("\"rootfsPropagation\":\"unbindable\""),
	  0,
	  { "1 set propagation propagation=private,recursive", "set propagation propagation=unbindable  #" } },
	{ ROOT "," LINUX("\"rootfsPropagation\":\"slave\""), 0, { "1 set propagation propagation=slave,recursive" } },
	/* new file systems */
	{ MOUNTS(MOUNT("/proc", "proc", "proc", "\"nosuid\",\"ro\"")),
	  0,
	  { "mount dest=\"/proc\" type=\"proc\" source=\"proc\" options=[\"ro\"] set=ro,nosuid  # mounts[0]\n",
	    "-or   3" } },
	{ MOUNTS(MOUNT("proc//", "proc", "", "")), 0, { "mount dest=\"/proc\" type=\"proc\" source=\"proc\"  #" } },
	{ MOUNTS(MOUNT("/proc", "proc", "proc", "")), USERNS | PIDNS, { "mount dest=\"/proc\"", "-or   3" } },
	{ MOUNTS(MOUNT("/proc", "proc", "proc", "\"nosuid\"")),
	  USERNS,
	  { "else-on=EPERM",
	    "or   3 bind dest=\"/proc\" source=\"/proc\" recursive dir dest-nofollow set=nosuid rec-set=nosuid" } },
	{ MOUNTS(MOUNT("/sys", "sysfs", "sysfs", "\"ro\",\"nosuid\"")),
	  0,
	  { "mount dest=\"/sys\" type=\"sysfs\" source=\"sysfs\" set=ro,nosuid  #" } },
	{ MOUNTS(MOUNT("/sys", "sysfs", "sysfs", "\"rw\"")),
	  USERNS,
	  { "bind dest=\"/sys\" source=\"/sys\" recursive dir dest-nofollow set=ro rec-set=ro" } },
	{ MOUNTS(MOUNT("/dev/mqueue", "mqueue", "mqueue", "\"nodev\"")),
	  USERNS,
	  { "mount dest=\"/dev/mqueue\" type=\"mqueue\"",
	    "bind dest=\"/dev/mqueue\" source=\"/dev/mqueue\" recursive dir" } },
	{ MOUNTS(MOUNT("/dev/pts", "devpts", "devpts", "\"newinstance\",\"gid=5\",\"mode=620\"")),
	  USERNS,
	  { "options=[\"newinstance\" \"gid=5\" \"mode=620\"] else-on=EINVAL",
	    "options=[\"newinstance\" \"mode=620\"]  #" } },
	{ MOUNTS(MOUNT("/dev/pts", "devpts", "devpts", "\"newinstance\",\"gid=5\"")), 0, { "-else-on=EINVAL" } },
	{ MOUNTS(MOUNT("/dev/pts", "devpts", "devpts", "\"newinstance\"")), USERNS, { "-else-on=EINVAL" } },
	{ MOUNTS(MOUNT("/run", "tmpfs", "tmpfs", "\"size=1m\",\"tmpcopyup\",\"rro\",\"noatime\",\"shared\"")),
	  0,
	  { "mount dest=\"/run\" type=\"tmpfs\" source=\"tmpfs\" options=[\"size=1m\"] set-atime=noatime rec-set=ro "
	    "propagation=shared copy-up  #" } },
	{ MOUNTS(MOUNT("/x", "ext4", "/dev/sda1", "\"sync\",\"data=journal\",\"ro\"")),
	  0,
	  { "type=\"ext4\" source=\"/dev/sda1\" options=[\"ro\" \"sync\" \"data=journal\"] set=ro" } },
	{ MOUNTS(MOUNT("/", "tmpfs", "tmpfs", "")), 0, { "root bind", "mount dest=\"/\" type=\"tmpfs\"" } },
	/* slave and shared together */
	{ MOUNTS(MOUNT("/v", "tmpfs", "tmpfs", "\"slave\",\"shared\"")),
	  0,
	  { "propagation=slave  # mounts[0]\n  4 remount dest=\"/v\" propagation=shared  # mounts[0]\n" } },
	/* a read-only tmpfs takes files until the end */
	{ MOUNTS(MOUNT("/run", "tmpfs", "tmpfs", "\"ro\",\"nodev\"") "," MOUNT("/run/a", "tmpfs", "tmpfs", "")),
	  0,
	  { "mount dest=\"/run\" type=\"tmpfs\" source=\"tmpfs\" set=nodev  #",
	    "remount dest=\"/run\" set=ro  # mounts[0]\n" } },
	{ MOUNTS(MOUNT("/run", "tmpfs", "tmpfs", "\"ro\"") "," MOUNT("/run/./", "tmpfs", "tmpfs", "")),
	  0,
	  { "dest=\"/run\" type=\"tmpfs\" source=\"tmpfs\" options=[\"ro\"] set=ro  #", "-remount" } },
	{ MOUNTS(MOUNT("/dev", "devtmpfs", "udev", "\"ro\"")),
	  0,
	  { "type=\"devtmpfs\" source=\"udev\"  #", "remount dest=\"/dev\" set=ro" } },
	/* remounts and propagation alone */
	{ MOUNTS(MOUNT("/a", "none", "none", "\"remount\",\"bind\",\"ro\"")), 0, { "remount dest=\"/a\" set=ro  #" } },
	{ MOUNTS(MOUNT("/a", "tmpfs", "none", "\"remount\",\"rw\",\"size=2m\"")),
	  0,
	  { "remount dest=\"/a\" options=[\"rw\" \"size=2m\"] clear=ro superblock  #" } },
	{ MOUNTS(MOUNT("/sys", "sysfs", "none", "\"remount\",\"ro\"")), 0, { "remount dest=\"/sys\" set=ro  #" } },
	{ MOUNTS("{\"destination\":\"/\",\"options\":[\"rprivate\"]}"),
	  0,
	  { "remount dest=\"/\" propagation=private,recursive  #" } },
	/* binds */
	{ MOUNTS(MOUNT("a/../b/./c//", "none", "dir", "\"rbind\",\"ro\",\"nosuid\",\"rslave\"")),
	  0,
	  { "bind dest=\"/b/c\" source=\"$B/dir\" recursive dir set=ro,nosuid propagation=slave,recursive  #",
	    "-open source" } },
	{ MOUNTS(MOUNT("/f", "bind", "$B/file", "\"bind\"")), 0, { "bind dest=\"/f\" source=\"$B/file\"  #" } },
	{ MOUNTS(MOUNT("/f", "bind", "$B/link", "\"bind\",\"src-nofollow\",\"dest-nofollow\"")),
	  0,
	  { "bind dest=\"/f\" source=\"$B/link\" source-nofollow dest-nofollow  #" } },
	{ MOUNTS(MOUNT("/f", "bind", "$B/link", "\"bind\"")), 0, { "bind dest=\"/f\" source=\"$B/link\" dir  #" } },
	{ MOUNTS(MOUNT("/d", "bind", "$B/dir", "\"rbind\",\"rro\",\"nofail\"")),
	  USERNS,
	  { "open source=\"$B/dir\" recursive  # mounts[0]\n",
	    "bind dest=\"/d\" source=\"$B/dir\" opened-by-parent recursive dir rec-set=ro" } },
	{ MOUNTS(MOUNT("/d", "bind", "$B/dir", "\"rbind\",\"rshared\"")),
	  USERNS,
	  { "dir propagation=shared,recursive  # mounts[0]\n", "-remount" } },
	{ MOUNTS(MOUNT("/d", "bind", "$B/dir", "\"rbind\",\"rshared\"")),
	  0,
	  { "dir propagation=shared,recursive  #", "-open source" } },
	{ ROOT ",\"mounts\":[" MOUNT("/d", "bind", "$B/dir",
				     "\"rbind\",\"rshared\"") "]," LINUX("\"rootfsPropagation\":\"shared\""),
	  0,
	  { "open source=\"$B/dir\" recursive  # mounts[0]\n",
	    "opened-by-parent recursive dir host-peer propagation=shared,recursive  #", "-remount" } },
	{ MOUNTS(MOUNT("/sys", "none", "/sys", "\"rbind\",\"ro\"")),
	  ORDINARY,
	  { "bind dest=\"/sys\" source=\"/sys\" recursive dir dest-nofollow set=ro rec-set=ro  #" } },
	{ MOUNTS(MOUNT("/sys", "none", "/sys", "\"rbind\",\"ro\"")),
	  0,
	  { "bind dest=\"/sys\" source=\"/sys\" recursive dir dest-nofollow set=ro  #" } },
	{ MOUNTS(MOUNT("/proc", "none", "/proc", "\"rbind\"")), 0, { "bind dest=\"/proc\" source=\"/proc\"" } },
	{ MOUNTS(MOUNT("/proc/meminfo", "none", "file", "\"bind\"")), 0, { "bind dest=\"/proc/meminfo\"" } },
	{ MOUNTS(MOUNT("/procfs", "tmpfs", "t", "")), 0, { "mount dest=\"/procfs\"" } },
	/* cgroup */
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", "\"ro\",\"nosuid\"")),
	  CGROUPNS,
	  { "mount dest=\"/sys/fs/cgroup\" type=\"cgroup2\" source=\"cgroup\" set=ro,nosuid  #", "-or   3" } },
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup2", "cgroup", "")), CGROUPNS | NO_CGROUP2, { "type=\"cgroup2\"" } },
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", "\"rw\"")),
	  CGROUPNS | USERNS | OWN_CGROUP,
	  { "else-on=EPERM,EBUSY",
	    "bind dest=\"/sys/fs/cgroup\" source=\"/sys/fs/cgroup/knarr/c1\" recursive dir dest-nofollow clear=ro" } },
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", "\"rw\"")),
	  CGROUPNS | USERNS,
	  { "bind dest=\"/sys/fs/cgroup\" source=\"/sys/fs/cgroup\" recursive dir dest-nofollow set=ro rec-set=ro" } },
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", "\"rw\",\"nosuid\"")),
	  0,
	  { "bind dest=\"/sys/fs/cgroup\" source=\"/sys/fs/cgroup\" recursive dir dest-nofollow set=nosuid clear=ro "
	    "rec-set=nosuid  #" } },
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", "\"nosuid\",\"rslave\"")),
	  USERNS,
	  { "source=\"/sys/fs/cgroup\" recursive dir dest-nofollow set=ro,nosuid rec-set=ro,nosuid "
	    "propagation=slave,recursive" } },
	/* labels */
	{ ROOT ",\"mounts\":[" MOUNT("/run", "tmpfs", "t", "\"size=1\"") "," MOUNT("/proc", "proc", "p", "") "]," LINUX(
		  "\"mountLabel\":\"u:r:t:s0:c1,c2\""),
	  SELINUX,
	  { "options=[\"size=1\" \"context=u:r:t:s0:c1,c2\"]", "mount dest=\"/proc\" type=\"proc\" source=\"p\"  #" } },
	{ ROOT ",\"mounts\":[" MOUNT("/run", "tmpfs", "t", "\"context=own\"") "]," LINUX("\"mountLabel\":\"l\""),
	  SELINUX,
	  { "options=[\"context=own\"]" } },
	{ ROOT ",\"mounts\":[" MOUNT("/run", "tmpfs", "t", "") "]," LINUX("\"mountLabel\":\"l\""), 0, { "-context" } },
	/* an overlay as the root */
	{ ROOT ",\"mounts\":[" MOUNT("/proc", "proc", "proc",
				     "") "," MOUNT("//.", "overlay", "o",
						   "\"lowerdir=dir:/tmp\",\"upperdir=up\",\"workdir=$B/"
						   "work\",\"volatile\",\"nosuid\",\"ro\",\"sync\"") "]," NS,
	  0,
	  { "  2 root overlay target=\"$B/rootfs\" lowerdirs=[\"$B/dir\" \"/tmp\"] upperdir=\"$B/up\" "
	    "workdir=\"$B/work\" "
	    "options=[\"volatile\" \"sync\"] set=nosuid one-by-one  # mounts[1]\n  3 mount dest=\"/proc\"",
	    "read-only root  # mounts[1]\n", "-root bind", "-root.readonly" } },
	{ "\"root\":{\"path\":\"absent\",\"readonly\":true},\"mounts\":[" MOUNT("/", "overlay", "o",
										"\"lowerdir=$B/dir\"") "]," NS,
	  0,
	  { "root overlay lowerdirs=[\"$B/dir\"] set=ro one-by-one  #", "read-only root  # root.readonly\n" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:/tmp,index=off\"")),
	  USERNS,
	  { "options=[\"index=off\" \"userxattr\"] set=ro one-by-one", "-open source" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:/tmp\",\"userxattr\"")),
	  USERNS,
	  { "options=[\"userxattr\"] set" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:/tmp\"")), OLD_KERNEL, { "root overlay", "-one-by-one" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=$B/a\\\\:b:$B/c\\\\,d:$B/e\\\\\\\\f::dir:/tmp\"")),
	  0,
	  { "lowerdirs=[\"$B/a:b\" \"$B/c,d\" \"$B/e\\\\f\"] options=[\"datadir+=$B/dir\" \"datadir+=/tmp\"]" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir+=$B/a:b\",\"lowerdir+=dir\",\"datadir+=/tmp\"")),
	  0,
	  { "lowerdirs=[\"$B/a:b\" \"$B/dir\"] options=[\"datadir+=/tmp\"]" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:/tmp\",\"workdir=/w\"")), 0, { "-workdir" } },
	{ ROOT ",\"mounts\":[" MOUNT("/", "overlay", "o", "\"lowerdir=dir:/tmp\"") "]," LINUX("\"mountLabel\":\"l\""),
	  SELINUX,
	  { "options=[\"context=l\"]" } },
	/* an overlay elsewhere */
	{ MOUNTS(MOUNT("/o", "overlay", "o",
		       "\"lowerdir=dir:$B/a\\\\:b\",\"upperdir=$B/up\",\"workdir=work\",\"volatile\"")),
	  0,
	  { "type=\"overlay\" source=\"o\" options=[\"lowerdir+=$B/dir\" \"lowerdir+=$B/a:b\" \"upperdir=$B/up\" "
	    "\"workdir=$B/work\" \"volatile\"]" } },
	{ MOUNTS(MOUNT("/o", "overlay", "o", "\"lowerdir=dir:$B/a\\\\:b\"")),
	  OLD_KERNEL | USERNS,
	  { "options=[\"lowerdir=$B/dir:$B/a\\\\:b\" \"userxattr\"]" } },
	/* layers of the command line: the bottom one comes first there */
	{ "\"root\":{\"path\":\"absent\"}," NS,
	  LAYERS,
	  { "root overlay lowerdirs=[\"/tmp\" \"$B/l1\"] set=ro one-by-one  # --layer\n" } },
	{ ROOT "," NS,
	  LAYERS | UPPER_TMPFS,
	  { "root overlay target=\"$B/rootfs\" lowerdirs=[\"/tmp\" \"$B/l1\"] upper-tmpfs "
	    "tmpfs-options=[\"mode=0755\"] one-by-one" } },
	{ ROOT "," NS,
	  LAYERS | UPPER_DIR | ORDINARY,
	  { "upperdir=\"$B/up/upper\" workdir=\"$B/up/work\" options=[\"userxattr\"] one-by-one" } },
	/* cwd */
	{ ROOT "," NS ",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/a/b\",\"args\":[\"x\"]}",
	  0,
	  { "make folder path=\"/a/b\" mode=0755 skip-on=EROFS  # process.cwd\n" } },
	{ ROOT "," NS ",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/\",\"args\":[\"x\"]}",
	  0,
	  { "-make folder" } },
	/* devices */
	{ ROOT "," NS,
	  0,
	  { "make device path=\"/dev/null\" mode=020666 dev=1:3 owner=0:0 else-on=EPERM  # default devices\n",
	    "or   3 bind device path=\"/dev/null\" source=\"/dev/null\"", "dev=1:5 ", "dev=1:7 ", "dev=1:8 ",
	    "dev=1:9 " } },
	{ ROOT "," NS, USERNS, { "bind device path=\"/dev/tty\" source=\"/dev/tty\"", "-make device" } },
	{ ROOT "," LINUX("\"devices\":[{\"type\":\"c\",\"path\":\"/dev//"
			 "null\",\"major\":1,\"minor\":3,\"fileMode\":384,\"uid\":5,\"gid\":6}]"),
	  0,
	  { "make device path=\"/dev/null\" mode=020600 dev=1:3 owner=5:6", "-mode=020666 dev=1:3" } },
	{ ROOT "," LINUX("\"devices\":[{\"type\":\"p\",\"path\":\"/run/fifo\"},{\"type\":\"b\",\"path\":\"/"
			 "x\",\"major\":240,\"minor\":77}]"),
	  0,
	  { "make device path=\"/run/fifo\" mode=010666 dev=0:0 owner=0:0  #",
	    "make device path=\"/x\" mode=060666 dev=240:77 owner=0:0 else-on=EPERM  #" } },
	{ ROOT "," LINUX("\"devices\":[{\"type\":\"p\",\"path\":\"/fifo\"},{\"type\":\"u\",\"path\":\"/dev/"
			 "zero\",\"major\":1,\"minor\":5}]"),
	  USERNS,
	  { "make device path=\"/fifo\"", "bind device path=\"/dev/zero\" made  # linux.devices[1]" } },
	{ ROOT "," LINUX("\"devices\":[{\"type\":\"c\",\"path\":\"/dev/ptmx\",\"major\":5,\"minor\":2}]"),
	  0,
	  { "-linux.devices" } },
	/* the host's own /dev stays as it is */
	{ ROOT ",\"mounts\":[" MOUNT("/dev/", "none", "/dev", "\"rbind\"") "]," LINUX(
		  "\"devices\":[{\"type\":\"p\",\"path\":\"/dev/f\"},{\"type\":\"p\",\"path\":\"/f\"}]"),
	  0,
	  { "-make link", "-/dev/null", "-\"/dev/f\"", "make device path=\"/f\"" } },
	/* masks, in front of the change of root */
	{ ROOT "," LINUX("\"maskedPaths\":[\"/proc/kcore\",\"/a/../b\"],\"readonlyPaths\":[\"/proc/sys\"]"),
	  0,
	  { "read-only path path=\"/proc/sys\" skip-on=ENOENT,ENOTDIR  # linux.readonlyPaths[0]\n",
	    "mask path path=\"/proc/kcore\" skip-on=ENOENT,ENOTDIR  # linux.maskedPaths[0]\n",
	    "mask path path=\"/b\"" } },
};

static const struct want bad[] = {
	{ "\"root\":{\"path\":\"absent\"}," NS, 0, { "!root.path: '$B/absent': no such file or directory" } },
	{ "\"root\":{\"path\":\"file\"}," NS, 0, { "!root.path: '$B/file': not a directory" } },
	{ MOUNTS(MOUNT("/x", "none", "absent", "\"bind\"")),
	  0,
	  { "!mounts[0].source: '$B/absent', to be bound on '/x': no such file or directory" } },
	{ MOUNTS("{\"destination\":\"/x\",\"options\":[\"bind\"]}"),
	  0,
	  { "!mounts[0].source: required for a bind mount" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"bind\",\"size=1m\"")),
	  0,
	  { "!mounts[0].options: 'size=1m' is an option of a file system" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"bind\",\"tmpcopyup\"")),
	  0,
	  { "!mounts[0].options: 'tmpcopyup' is for type \"tmpfs\"" } },
	{ MOUNTS(MOUNT("/x", "ext4", "dir", "\"tmpcopyup\"")), 0, { "!'tmpcopyup' is for type" } },
	{ MOUNTS(MOUNT("/x", "tmpfs", "dir", "\"src-nofollow\"")), 0, { "!'src-nofollow' is for bind mounts" } },
	{ MOUNTS(MOUNT("/x", "tmpfs", "dir", "\"dest-nofollow\"")), 0, { "!'dest-nofollow' is for bind mounts" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"remount\",\"bind\",\"size=1\"")),
	  0,
	  { "!'size=1' is an option of a file system, which a remount with bind" } },
	{ MOUNTS("{\"destination\":\"/x\"}"), 0, { "!mounts[0]: neither a file system type nor 'bind'" } },
	{ MOUNTS(MOUNT("/x", "bind", "dir", "\"ro\"")), 0, { "!mounts[0]: neither a file system type nor 'bind'" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"slave\",\"ro\"")),
	  0,
	  { "!mounts[0]: neither a file system type nor 'bind'" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"bind\",\"idmap\"")),
	  ORDINARY,
	  { "!mounts[0].options: an ordinary user cannot map the ids" } },
	{ MOUNTS(MOUNT("/x", "tmpfs", "tmpfs", "\"idmap\"")), USERNS, { "!mounts[0].options: only a bind mount" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"remount\",\"ridmap\"")), USERNS, { "!only a bind mount" } },
	{ MOUNTS(MOUNT("/x", "none", "dir", "\"slave\",\"idmap\"")), USERNS, { "!neither a file system type nor" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\",\"idmap\"")),
	  USERNS,
	  { "!mounts[0].options: neither bind" } },
	{ MOUNTS(MOUNT("/proc", "tmpfs", "t", "")), 0, { "!mounts[0]: on /proc only type \"proc\"", "!not 'tmpfs'" } },
	{ MOUNTS(MOUNT("/x/../proc/.", "tmpfs", "t", "")), 0, { "!on /proc only type" } },
	{ MOUNTS(MOUNT("/proc", "none", "dir", "\"rbind\"")), 0, { "!on /proc only type" } },
	{ MOUNTS(MOUNT("/proc", "none", "/proc/self", "\"rbind\"")), 0, { "!on /proc only type" } },
	{ MOUNTS(MOUNT("/proc/self/attr", "tmpfs", "t", "")),
	  0,
	  { "!mounts[0].destination: '/proc/self/attr' is inside /proc" } },
	{ MOUNTS(MOUNT("/proc/sys", "none", "dir", "\"bind\"")), 0, { "!'/proc/sys' is inside /proc" } },
	{ MOUNTS(MOUNT("/proc", "cgroup", "c", "")), CGROUPNS, { "!on /proc only type" } },
	{ MOUNTS(MOUNT("/sys/fs/cgroup", "cgroup", "c", "")),
	  NO_CGROUP2,
	  { "!mounts[0]: the host has no cgroup2 file system" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"upperdir=/u\",\"workdir=/w\"")),
	  0,
	  { "!mounts[0].options: an overlay needs lowerdir" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\",\"upperdir=up\"")),
	  0,
	  { "!mounts[0].options: upperdir needs a workdir" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=\"")), 0, { "!an overlay needs lowerdir" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:\"")), 0, { "!lowerdir ends in ':'" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=:dir\"")), 0, { "!lowerdir has an empty layer" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:::/tmp\"")), 0, { "!lowerdir has an empty layer" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\",\"lowerdir+=/tmp\"")),
	  0,
	  { "!lowerdir cannot be mixed" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:absent\"")),
	  0,
	  { "!mounts[0]: overlay layer '$B/absent': no such file" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:file\"")),
	  0,
	  { "!mounts[0]: overlay layer '$B/file': not a directory" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir::file\"")), 0, { "!overlay data layer '$B/file'" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir::/tmp\"")),
	  OLD_KERNEL,
	  { "!mounts[0]: data layers need Linux 6.8, this is 6.1" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir:/tmp\"")),
	  ANCIENT_KERNEL | USERNS,
	  { "!needs Linux 5.11, this is 5.10" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\",\"bind\"")), 0, { "!neither bind nor remount" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\",\"shared\"")), 0, { "!set by linux.rootfsPropagation" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\"") "," MOUNT("/.", "overlay", "o", "\"lowerdir=dir\"")),
	  0,
	  { "!mounts[1]: a second overlay on '/' (the first is mounts[0])" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\"")),
	  LAYERS,
	  { "!mounts[0]: an overlay on '/' cannot be used together with --layer" } },
	{ MOUNTS(MOUNT("/", "overlay", "o", "\"lowerdir=dir\",\"upperdir=up\",\"workdir=vol\"")),
	  0,
	  { "!mounts[0]: the overlay was mounted with 'volatile' before; remove '$B/vol/work/incompat/volatile'" } },
	{ MOUNTS(MOUNT("/o", "overlay", "o", "\"volatile\"")), 0, { "!mounts[0].options: an overlay needs lowerdir" } },
	{ ROOT "," NS, NO_LAYER | UPPER_TMPFS, { "!--upper: needs at least one --layer" } },
	{ ROOT "," NS, LAYERS | BAD_UPPER, { "!--upper: folder '$B/nowhere/at': no such file" } },
	{ ROOT "," LINUX("\"devices\":[{\"type\":\"b\",\"path\":\"/x\",\"major\":240,\"minor\":77}]"),
	  ORDINARY,
	  { "!linux.devices[0]: the host has no device b 240:77 at '/x' or below /dev/block" } },
	{ ROOT ",\"mounts\":[" MOUNT("/x", "tmpfs", "t", "") "]," NS,
	  NO_MOUNTNS,
	  { "!linux.namespaces: mounts needs a mount namespace" } },
	{ ROOT "," LINUX("\"maskedPaths\":[\"/x\"]"), NO_MOUNTNS, { "!linux.maskedPaths needs a mount namespace" } },
	{ ROOT "," LINUX("\"readonlyPaths\":[\"/x\"]"),
	  NO_MOUNTNS,
	  { "!linux.readonlyPaths needs a mount namespace" } },
	{ ROOT "," LINUX("\"rootfsPropagation\":\"slave\""),
	  NO_MOUNTNS,
	  { "!linux.rootfsPropagation needs a mount namespace" } },
	{ "\"root\":{\"path\":\"rootfs\",\"readonly\":true}," NS,
	  NO_MOUNTNS,
	  { "!root.readonly needs a mount namespace" } },
	{ ROOT "," LINUX("\"devices\":[{\"type\":\"p\",\"path\":\"/x\"}]"),
	  NO_MOUNTNS | ORDINARY,
	  { "!linux.devices needs a mount namespace" } },
	{ ROOT "," NS, NO_MOUNTNS | LAYERS, { "!--layer needs a mount namespace" } },
	{ ROOT "," NS, NO_MOUNTNS | TERMINAL, { "!process.terminal needs a mount namespace" } },
};

/* ---- many layers ----------------------------------------------------- */

/* n times the same long folder. */
static char *
layer_list(struct arena *a, size_t n, const char *dir)
{
	size_t len = strlen(dir);
	char *text = arena_alloc(a, n * (len + 1) + 1), *at = text;

	for (size_t i = 0; i < n; i++) {
		if (i)
			*at++ = ':';
		memcpy(at, dir, len);
		at += len;
	}
	return text;
}

static void
check_layers(size_t n, const char *dest, unsigned flags, const char *want)
{
	auto_arena struct arena a = { 0 };
	char *list = layer_list(&a, n, arena_printf(&a, "%s/dir", bundle));
	char *body = arena_printf(
		&a, "%s,\"mounts\":[{\"destination\":\"%s\",\"type\":\"overlay\",\"options\":[\"lowerdir=%s\"]}],%s",
		ROOT, dest, list, NS);
	char *text = plan_as_text(&a, body, flags);

	CHECK(strstr(text, want), "%zu layers on %s: no '%s' in\n%.300s", n, dest, want, text);
}

static void
test_path_text(void)
{
	static const struct {
		const char *path, *clean;
	} rows[] = {
		{ "", "/" },	      { "/", "/" },
		{ "//", "/" },	      { ".", "/" },
		{ "..", "/" },	      { "/..", "/" },
		{ "a", "/a" },	      { "a/", "/a" },
		{ "/a//b/", "/a/b" }, { "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },  { "/a/b/../../..", "/" },
		{ "/...", "/..." },   { "/.a/..b", "/.a/..b" },
		{ "../../x", "/x" },  { "/a/..", "/" },
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(strcmp(path_clean(&a, rows[i].path), rows[i].clean) == 0, "'%s' became '%s'", rows[i].path,
		      path_clean(&a, rows[i].path));
	CHECK(path_is_in("/a", "/a") && path_is_in("/a/b", "/a") && path_is_in("/a", "/"), "inside");
	CHECK(!path_is_in("/ab", "/a") && !path_is_in("/", "/a"), "outside");
	CHECK(strcmp(path_absolute(&a, "/b", "x"), "/b/x") == 0 && strcmp(path_absolute(&a, "/b", "/x"), "/x") == 0,
	      "absolute");
}

static const char *const folders[] = { "rootfs",
				       "dir",
				       "up",
				       "work",
				       "l1",
				       "a:b",
				       "c,d",
				       "e\\f",
				       "vol",
				       "vol/work",
				       "vol/work/incompat",
				       "vol/work/incompat/volatile" };

static void
make_bundle(void)
{
	int fd;

	if (!mkdtemp(bundle) || chdir(bundle) < 0)
		exit(99);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0755) < 0)
			exit(99);
	fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || symlink("dir", "link") < 0)
		exit(99);
	close(fd);
}

static void
remove_bundle(void)
{
	for (size_t i = sizeof(folders) / sizeof(folders[0]); i > 0; i--)
		rmdir(folders[i - 1]);
	unlink("file");
	unlink("link");
	if (chdir("/") < 0 || rmdir(bundle) < 0)
		printf("%s was not removed\n", bundle);
}

int
main(void)
{
	make_bundle();
	test_path_text();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(&good[i], i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(&bad[i], 1000 + i);
	check_layers(500, "/", 0, "one-by-one");
	check_layers(500, "/", OLD_KERNEL, "root overlay");
	check_layers(501, "/", 0, "!mounts[0]: 501 layers, the kernel's limit is 500");
	check_layers(500, "/o", 0, "lowerdir+=");
	check_layers(50, "/o", OLD_KERNEL, "lowerdir=");
	check_layers(200, "/o", OLD_KERNEL, "bytes of mount options, and Linux 6.1 takes 4095");
	remove_bundle();
	return failed;
}
