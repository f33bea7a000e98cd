/* Every mount option of the runtime spec, how several of them combine, data of
 * file systems, options of mount(8), and what is refused. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/bit_names.h"
#include "namespaces/mount_options.h"
#include "tests/unit/check.h"

static void
put_bits(FILE *f, const char *name, uint64_t bits, const struct bit_name *names)
{
	if (!bits)
		return;
	fprintf(f, " %s=", name);
	for (bool first = true; names->name; names++)
		if (bits & names->bits) {
			fprintf(f, "%s%s", first ? "" : "+", names->name);
			first = false;
		}
}

static void
put_attrs(FILE *f, const char *prefix, struct plan_attrs a)
{
	static const char *const modes[] = { "relatime", "noatime", "strictatime", "?" };
	char name[32];

	snprintf(name, sizeof(name), "%sset", prefix);
	put_bits(f, name, a.set & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
	snprintf(name, sizeof(name), "%sclear", prefix);
	put_bits(f, name, a.clear & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
	if (a.clear & MOUNT_ATTR__ATIME)
		fprintf(f, " %satime=%s", prefix, modes[(a.set & MOUNT_ATTR__ATIME) >> 4]);
	else
		CHECK(!(a.set & MOUNT_ATTR__ATIME), "a time mode is set but the field is not named");
}

/* The parsed options as words, each with a space in front. */
static void
describe(const struct mount_options *o, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");
	const char *names[2 * MOUNT_SB_COUNT];
	size_t n = mount_options_superblock(o, true, names);

	put_attrs(f, "", o->attrs);
	put_attrs(f, "rec-", o->rec_attrs);
	for (size_t i = 0; i < n; i++)
		fprintf(f, " sb:%s", names[i]);
	for (size_t i = 0; i < o->n_propagation; i++)
		put_bits(f, "prop", o->propagation[i], propagation_names);
	fprintf(f, "%s%s%s%s%s%s", o->bind ? " bind" : "", o->recursive ? " recursive" : "",
		o->remount ? " remount" : "", o->copy_up ? " copy-up" : "", o->source_nofollow ? " src-nofollow" : "",
		o->dest_nofollow ? " dest-nofollow" : "");
	for (size_t i = 0; i < o->n_data; i++)
		fprintf(f, " data:%s", o->data[i]);
	fclose(f);
}

static const struct {
	const char *type;
	const char *options[8]; /* NULL-terminated */
	const char *want;	/* of describe(); or the error behind '!' */
} cases[] = {
	/* one by one, in the order of the spec's table */
	{ NULL, { "async" }, " sb:async" },
	{ NULL, { "atime" }, " atime=relatime" },
	{ NULL, { "bind" }, " bind" },
	{ NULL, { "defaults" }, "" },
	{ NULL, { "dev" }, " clear=nodev" },
	{ NULL, { "diratime" }, " clear=nodiratime" },
	{ NULL, { "dirsync" }, " sb:dirsync" },
	{ NULL, { "exec" }, " clear=noexec" },
	{ NULL, { "iversion" }, "" },
	{ NULL, { "lazytime" }, " sb:lazytime" },
	{ NULL, { "loud" }, "" },
	{ NULL, { "mand" }, " sb:mand" },
	{ NULL, { "noatime" }, " atime=noatime" },
	{ NULL, { "nodev" }, " set=nodev" },
	{ NULL, { "nodiratime" }, " set=nodiratime" },
	{ NULL, { "noexec" }, " set=noexec" },
	{ NULL, { "noiversion" }, "" },
	{ NULL, { "nolazytime" }, " sb:nolazytime" },
	{ NULL, { "nomand" }, " sb:nomand" },
	{ NULL, { "norelatime" }, "" },
	{ NULL, { "nostrictatime" }, " atime=relatime" },
	{ NULL, { "nosuid" }, " set=nosuid" },
	{ NULL, { "nosymfollow" }, " set=nosymfollow" },
	{ NULL, { "private" }, " prop=private" },
	{ NULL, { "ratime" }, " rec-atime=relatime" },
	{ NULL, { "rbind" }, " bind recursive" },
	{ NULL, { "rdev" }, " rec-clear=nodev" },
	{ NULL, { "rdiratime" }, " rec-clear=nodiratime" },
	{ NULL, { "relatime" }, " atime=relatime" },
	{ NULL, { "remount" }, " remount" },
	{ NULL, { "rexec" }, " rec-clear=noexec" },
	{ NULL, { "rnoatime" }, " rec-atime=noatime" },
	{ NULL, { "rnodev" }, " rec-set=nodev" },
	{ NULL, { "rnodiratime" }, " rec-set=nodiratime" },
	{ NULL, { "rnoexec" }, " rec-set=noexec" },
	{ NULL, { "rnorelatime" }, "" },
	{ NULL, { "rnostrictatime" }, " rec-atime=relatime" },
	{ NULL, { "rnosuid" }, " rec-set=nosuid" },
	{ NULL, { "rnosymfollow" }, " rec-set=nosymfollow" },
	{ NULL, { "ro" }, " set=ro sb:ro" },
	{ NULL, { "rprivate" }, " prop=private+recursive" },
	{ NULL, { "rrelatime" }, " rec-atime=relatime" },
	{ NULL, { "rro" }, " rec-set=ro" },
	{ NULL, { "rrw" }, " rec-clear=ro" },
	{ NULL, { "rshared" }, " prop=shared+recursive" },
	{ NULL, { "rslave" }, " prop=slave+recursive" },
	{ NULL, { "rstrictatime" }, " rec-atime=strictatime" },
	{ NULL, { "rsuid" }, " rec-clear=nosuid" },
	{ NULL, { "rsymfollow" }, " rec-clear=nosymfollow" },
	{ NULL, { "runbindable" }, " prop=unbindable+recursive" },
	{ NULL, { "rw" }, " clear=ro sb:rw" },
	{ NULL, { "shared" }, " prop=shared" },
	{ NULL, { "silent" }, "" },
	{ NULL, { "slave" }, " prop=slave" },
	{ NULL, { "strictatime" }, " atime=strictatime" },
	{ NULL, { "suid" }, " clear=nosuid" },
	{ NULL, { "symfollow" }, " clear=nosymfollow" },
	{ NULL, { "sync" }, " sb:sync" },
	{ NULL, { "tmpcopyup" }, " copy-up" },
	{ NULL, { "unbindable" }, " prop=unbindable" },
	{ NULL, { "src-nofollow" }, " src-nofollow" },
	{ NULL, { "dest-nofollow" }, " dest-nofollow" },
	/* the last one wins */
	{ NULL, { "ro", "rw" }, " clear=ro sb:rw" },
	{ NULL, { "rw", "ro" }, " set=ro sb:ro" },
	{ NULL, { "nosuid", "suid", "nosuid" }, " set=nosuid" },
	{ NULL, { "sync", "async", "lazytime" }, " sb:async sb:lazytime" },
	{ NULL, { "bind", "rbind" }, " bind recursive" },
	{ NULL, { "rro", "rrw" }, " rec-clear=ro" },
	/* the access time is one field */
	{ NULL, { "noatime", "atime" }, " atime=relatime" },
	{ NULL, { "strictatime", "atime" }, " atime=strictatime" },
	{ NULL, { "strictatime", "nostrictatime" }, " atime=relatime" },
	{ NULL, { "noatime", "nostrictatime" }, " atime=noatime" },
	{ NULL, { "noatime", "relatime" }, " atime=relatime" },
	{ NULL, { "relatime", "norelatime" }, "" },
	{ NULL, { "noatime", "norelatime" }, " atime=noatime" },
	{ NULL, { "noatime", "rstrictatime" }, " atime=noatime rec-atime=strictatime" },
	{ NULL, { "noatime", "nodiratime" }, " set=nodiratime atime=noatime" },
	/* several propagations, in order */
	{ NULL, { "rslave", "rshared" }, " prop=slave+recursive prop=shared+recursive" },
	{ NULL,
	  { "slave", "shared", "private", "slave", "rslave" },
	  "!mounts[7].options: 'rslave' is one propagation too many" },
	/* data of file systems */
	{ "tmpfs",
	  { "nosuid", "strictatime", "mode=755", "size=65536k" },
	  " set=nosuid atime=strictatime data:mode=755 data:size=65536k" },
	{ "tmpfs", { "size=1m,nr_inodes=5,ro" }, " set=ro sb:ro data:size=1m data:nr_inodes=5" },
	{ "tmpfs", { ",,", "", "noswap" }, " data:noswap" },
	{ "tmpfs",
	  { "huge=within_size", "inode64", "uid=3", "gid=4", "mpol=local" },
	  " data:huge=within_size data:inode64 data:uid=3 data:gid=4 data:mpol=local" },
	{ "devpts",
	  { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" },
	  " data:newinstance data:ptmxmode=0666 data:mode=0620 data:gid=5" },
	{ "proc", { "hidepid=2", "subset=pid", "gid=7" }, " data:hidepid=2 data:subset=pid data:gid=7" },
	{ "overlay", { "lowerdir=/a\\:b:/c\\,d,upperdir=/u" }, " data:lowerdir=/a\\:b:/c\\,d data:upperdir=/u" },
	{ "ext4", { "errors=remount-ro", "data=journal" }, " data:errors=remount-ro data:data=journal" },
	/* labels lose their quotes, and the comma in them is no separator */
	{ "tmpfs", { "context=\"u:r:t:s0:c1,c2\"" }, " data:context=u:r:t:s0:c1,c2" },
	{ "tmpfs", { "mode=700,rootcontext=\"a,b\",size=1" }, " data:mode=700 data:rootcontext=a,b data:size=1" },
	{ "tmpfs", { "context=plain" }, " data:context=plain" },
	{ "tmpfs", { "context=\"" }, " data:context=\"" },
	/* names are whole words */
	{ "ext4", { "ros" }, " data:ros" },
	{ "ext4", { "ro=1" }, " data:ro=1" },
	{ "ext4", { "sizes=1" }, " data:sizes=1" },
};

/* Only where libmount is installed. */
static const struct {
	const char *option, *want;
} userspace[] = {
	{ "nofail", "" },
	{ "_netdev", "" },
	{ "auto", "" },
	{ "noauto", "" },
	{ "nouser", "" },
	{ "x-systemd.automount", "" },
	{ "X-mount.mkdir=0755", "" },
	{ "comment=hello", "" },
	{ "comment", " data:comment" },
	{ "autox", " data:autox" },
	{ "user", " set=nosuid+nodev+noexec" },
	{ "user=me", " set=nosuid+nodev+noexec" },
	{ "users", " set=nosuid+nodev+noexec" },
	{ "owner", " set=nosuid+nodev" },
	{ "group", " set=nosuid+nodev" },
	{ "loop", "!is work of mount(8)" },
	{ "loop=/dev/loop0", "!is work of mount(8)" },
	{ "offset=4096", "!is work of mount(8)" },
	{ "helper=x", "!is work of mount(8)" },
	{ "uhelper=x", "!is work of mount(8)" },
	{ "verity.roothash=1", "!is work of mount(8)" },
};

static void
check(const char *type, const char *const *items, const char *want, size_t row)
{
	auto_arena struct arena a = { 0 };
	struct spec_strings list = { 0 };
	struct mount_options o;
	struct err e = { 0 };
	char got[1024] = "", *strings[8];
	int r;

	for (; items[list.n]; list.n++)
		strings[list.n] = arena_strdup(&a, items[list.n]);
	list.items = strings;
	memset(&o, 0x55, sizeof(o));
	r = mount_options_parse(&a, "mounts[7]", type, &list, &e, &o);
	if (*want == '!') {
		CHECK(r == -EINVAL && strstr(e.msg, want + 1), "row %zu '%s': %d '%s'", row, items[0], r, e.msg);
		CHECK(o.n_data == (size_t)0x5555555555555555, "row %zu: the result was touched", row);
		return;
	}
	CHECK(r == 0, "row %zu '%s': %d '%s'", row, items[0], r, e.msg);
	if (r < 0)
		return;
	describe(&o, got, sizeof(got));
	CHECK(strcmp(got, want) == 0, "row %zu '%s': got '%s', want '%s'", row, items[0], got, want);
}

static void
test_new_mount_names(void)
{
	struct mount_options o = { .sb_set = MOUNT_SB_RDONLY | MOUNT_SB_SYNC, .sb_clear = MOUNT_SB_LAZYTIME };
	const char *names[2 * MOUNT_SB_COUNT];

	CHECK(mount_options_superblock(&o, false, names) == 2 && !strcmp(names[0], "ro") && !strcmp(names[1], "sync"),
	      "names of a new mount");
	CHECK(mount_options_superblock(&o, true, names) == 3 && !strcmp(names[2], "nolazytime"), "names of a remount");
}

/* For the features document: sorted, and without what is refused. */
static void
test_known(void)
{
	const char *last = "", *name;
	bool found = false;
	size_t n;

	for (n = 0; (name = mount_options_known(n)); n++) {
		CHECK(strcmp(last, name) < 0, "'%s' does not come after '%s'", name, last);
		found = found || strcmp(name, "tmpcopyup") == 0;
		last = name;
	}
	CHECK(n == 64 && found, "%zu names", n);
}

int
main(void)
{
	void *lib = dlopen("libmount.so.1", RTLD_NOW);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(cases[i].type, cases[i].options, cases[i].want, i);
	for (size_t i = 0; lib && i < sizeof(userspace) / sizeof(userspace[0]); i++)
		check("ext4", (const char *const[]){ userspace[i].option, NULL }, userspace[i].want, i);
	if (lib)
		dlclose(lib);
	else
		printf("libmount.so.1 is not installed: the options of mount(8) were not tested\n");
	test_new_mount_names();
	test_known();
	return failed;
}
