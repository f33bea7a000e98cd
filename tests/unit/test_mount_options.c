/* Every mount option of the runtime spec, how several of them combine, data of
 * file systems, options of mount(8), and what is refused. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "namespaces/mount/mount_options.h"
#include "namespaces/mount/mount_userspace.h"
#include "plan/bit_names.h"
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
	const char *options[8]; /* NULL-terminated */
	const char *want;	/* of describe(); or the error behind '!' */
} cases[] = {
	/* one by one, in the order of the spec's table */
	{ { "async" }, " sb:async" },
	{ { "atime" }, " atime=relatime" },
	{ { "bind" }, " bind" },
	{ { "defaults" }, "" },
	{ { "dev" }, " clear=nodev" },
	{ { "diratime" }, " clear=nodiratime" },
	{ { "dirsync" }, " sb:dirsync" },
	{ { "exec" }, " clear=noexec" },
	{ { "iversion" }, "" },
	{ { "lazytime" }, " sb:lazytime" },
	{ { "loud" }, "" },
	{ { "mand" }, " sb:mand" },
	{ { "noatime" }, " atime=noatime" },
	{ { "nodev" }, " set=nodev" },
	{ { "nodiratime" }, " set=nodiratime" },
	{ { "noexec" }, " set=noexec" },
	{ { "noiversion" }, "" },
	{ { "nolazytime" }, " sb:nolazytime" },
	{ { "nomand" }, " sb:nomand" },
	{ { "norelatime" }, "" },
	{ { "nostrictatime" }, " atime=relatime" },
	{ { "nosuid" }, " set=nosuid" },
	{ { "nosymfollow" }, " set=nosymfollow" },
	{ { "private" }, " prop=private" },
	{ { "ratime" }, " rec-atime=relatime" },
	{ { "rbind" }, " bind recursive" },
	{ { "rdev" }, " rec-clear=nodev" },
	{ { "rdiratime" }, " rec-clear=nodiratime" },
	{ { "relatime" }, " atime=relatime" },
	{ { "remount" }, " remount" },
	{ { "rexec" }, " rec-clear=noexec" },
	{ { "rnoatime" }, " rec-atime=noatime" },
	{ { "rnodev" }, " rec-set=nodev" },
	{ { "rnodiratime" }, " rec-set=nodiratime" },
	{ { "rnoexec" }, " rec-set=noexec" },
	{ { "rnorelatime" }, "" },
	{ { "rnostrictatime" }, " rec-atime=relatime" },
	{ { "rnosuid" }, " rec-set=nosuid" },
	{ { "rnosymfollow" }, " rec-set=nosymfollow" },
	{ { "ro" }, " set=ro sb:ro" },
	{ { "rprivate" }, " prop=private+recursive" },
	{ { "rrelatime" }, " rec-atime=relatime" },
	{ { "rro" }, " rec-set=ro" },
	{ { "rrw" }, " rec-clear=ro" },
	{ { "rshared" }, " prop=shared+recursive" },
	{ { "rslave" }, " prop=slave+recursive" },
	{ { "rstrictatime" }, " rec-atime=strictatime" },
	{ { "rsuid" }, " rec-clear=nosuid" },
	{ { "rsymfollow" }, " rec-clear=nosymfollow" },
	{ { "runbindable" }, " prop=unbindable+recursive" },
	{ { "rw" }, " clear=ro sb:rw" },
	{ { "shared" }, " prop=shared" },
	{ { "silent" }, "" },
	{ { "slave" }, " prop=slave" },
	{ { "strictatime" }, " atime=strictatime" },
	{ { "suid" }, " clear=nosuid" },
	{ { "symfollow" }, " clear=nosymfollow" },
	{ { "sync" }, " sb:sync" },
	{ { "tmpcopyup" }, " copy-up" },
	{ { "unbindable" }, " prop=unbindable" },
	{ { "src-nofollow" }, " src-nofollow" },
	{ { "dest-nofollow" }, " dest-nofollow" },
	/* the last one wins */
	{ { "ro", "rw" }, " clear=ro sb:rw" },
	{ { "rw", "ro" }, " set=ro sb:ro" },
	{ { "nosuid", "suid", "nosuid" }, " set=nosuid" },
	{ { "sync", "async", "lazytime" }, " sb:async sb:lazytime" },
	{ { "bind", "rbind" }, " bind recursive" },
	{ { "rro", "rrw" }, " rec-clear=ro" },
	/* the access time is one field */
	{ { "noatime", "atime" }, " atime=relatime" },
	{ { "strictatime", "atime" }, " atime=strictatime" },
	{ { "strictatime", "nostrictatime" }, " atime=relatime" },
	{ { "noatime", "nostrictatime" }, " atime=noatime" },
	{ { "noatime", "relatime" }, " atime=relatime" },
	{ { "relatime", "norelatime" }, "" },
	{ { "noatime", "norelatime" }, " atime=noatime" },
	{ { "noatime", "rstrictatime" }, " atime=noatime rec-atime=strictatime" },
	{ { "noatime", "nodiratime" }, " set=nodiratime atime=noatime" },
	/* several propagations, in order */
	{ { "rslave", "rshared" }, " prop=slave+recursive prop=shared+recursive" },
	{ { "slave", "shared", "private", "slave", "rslave" },
	  "!mounts[7].options: 'rslave' is one propagation too many" },
	/* data of file systems */
	{ { "nosuid", "strictatime", "mode=755", "size=65536k" },
	  " set=nosuid atime=strictatime data:mode=755 data:size=65536k" },
	{ { "size=1m,nr_inodes=5,ro" }, " set=ro sb:ro data:size=1m data:nr_inodes=5" },
	{ { ",,", "", "noswap" }, " data:noswap" },
	{ { "huge=within_size", "inode64", "uid=3", "gid=4", "mpol=local" },
	  " data:huge=within_size data:inode64 data:uid=3 data:gid=4 data:mpol=local" },
	{ { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" },
	  " data:newinstance data:ptmxmode=0666 data:mode=0620 data:gid=5" },
	{ { "hidepid=2", "subset=pid", "gid=7" }, " data:hidepid=2 data:subset=pid data:gid=7" },
	{ { "lowerdir=/a\\:b:/c\\,d,upperdir=/u" }, " data:lowerdir=/a\\:b:/c\\,d data:upperdir=/u" },
	{ { "errors=remount-ro", "data=journal" }, " data:errors=remount-ro data:data=journal" },
	/* labels lose their quotes, and the comma in them is not a separator */
	{ { "context=\"u:r:t:s0:c1,c2\"" }, " data:context=u:r:t:s0:c1,c2" },
	{ { "mode=700,rootcontext=\"a,b\",size=1" }, " data:mode=700 data:rootcontext=a,b data:size=1" },
	{ { "context=plain" }, " data:context=plain" },
	{ { "context=\"" }, " data:context=\"" },
	/* names are whole words */
	{ { "ros" }, " data:ros" },
	{ { "ro=1" }, " data:ro=1" },
	{ { "sizes=1" }, " data:sizes=1" },
};

/* What mount(8) keeps for itself. */
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
	{ "loop", "!needs mount(8)" },
	{ "loop=/dev/loop0", "!needs mount(8)" },
	{ "offset=4096", "!needs mount(8)" },
	{ "helper=x", "!needs mount(8)" },
	{ "uhelper=x", "!needs mount(8)" },
	{ "verity.roothash=1", "!needs mount(8)" },
};

static void
check(const char *const *items, const char *want, size_t row)
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
	r = mount_options_parse(&a, "mounts[7]", &list, &e, &o);
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
	CHECK(n > 0 && found, "%zu names", n);
}

/* ---- the table of libmount ---------------------------------------------- */

/* struct libmnt_optmap of libmount.so.1, a stable interface. */
struct optmap {
	const char *name; /* "auto", "comment=" (value needed), "loop[=]" (value optional), "x-" */
	int id;		  /* bit of the option */
	int mask;
};
#define OPTMAP_INVERT (1 << 1) /* "nouser": takes the bit away */
#define OPTMAP_PREFIX (1 << 3)
#define OPTMAP_USER   2 /* which of its maps */

/* What mount(8) does for the bits of its options; for all others nothing. */
static const struct {
	int first, last;
	enum mount_userspace kind;
	uint64_t implied;
} effects[] = {
	{ 3, 4, MOUNT_USERSPACE_DROP, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC }, /* user, users */
	{ 5, 6, MOUNT_USERSPACE_DROP, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV },			  /* owner, group */
	{ 9, 9, MOUNT_USERSPACE_REFUSE, 0 },							  /* loop */
	{ 11, 12, MOUNT_USERSPACE_REFUSE, 0 },							  /* helper */
	{ 14, 16, MOUNT_USERSPACE_REFUSE, 0 },							  /* loop */
	{ 18, 26, MOUNT_USERSPACE_REFUSE, 0 },							  /* verity */
};

/* is_one: the option is what the entry describes, and not another one that begins as it does. */
static void
compare(const struct optmap *entry, const char *option, bool is_one)
{
	enum mount_userspace want = is_one ? MOUNT_USERSPACE_DROP : MOUNT_USERSPACE_NONE;
	uint64_t want_implied = 0, implied = 0x5555;
	enum mount_userspace got = mount_userspace_kind(option, &implied);

	for (size_t i = 0; is_one && i < sizeof(effects) / sizeof(effects[0]); i++) {
		int bits = (2 << effects[i].last) - (1 << effects[i].first);

		if (!(entry->id & bits) || (entry->mask & OPTMAP_INVERT))
			continue;
		want = effects[i].kind;
		want_implied = effects[i].implied;
	}
	CHECK(got == want && implied == want_implied, "'%s' of libmount's '%s': %d with %#llx", option, entry->name,
	      (int)got, (unsigned long long)implied);
}

static void
test_libmount(void)
{
	const struct optmap *(*get)(int) = NULL, *entry;
	void *lib = dlopen("libmount.so.1", RTLD_NOW);
	char option[64];

	if (!lib) {
		printf("SKIP: libmount.so.1 is not installed: nothing to compare the options of mount(8) with\n");
		return;
	}
	*(void **)&get = dlsym(lib, "mnt_get_builtin_optmap");
	CHECK(get, "no mnt_get_builtin_optmap");
	for (entry = get ? get(OPTMAP_USER) : NULL; entry && entry->name; entry++) {
		int len = (int)strcspn(entry->name, "[=");
		bool is_prefix = entry->mask & OPTMAP_PREFIX;

		snprintf(option, sizeof(option), "%.*s", len, entry->name);
		compare(entry, option, is_prefix || entry->name[len] != '=');
		snprintf(option, sizeof(option), "%.*s=1", len, entry->name);
		compare(entry, option, is_prefix || entry->name[len]);
		snprintf(option, sizeof(option), "%.*s2", len, entry->name);
		compare(entry, option, is_prefix);
	}
	dlclose(lib);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(cases[i].options, cases[i].want, i);
	for (size_t i = 0; i < sizeof(userspace) / sizeof(userspace[0]); i++)
		check((const char *const[]){ userspace[i].option, NULL }, userspace[i].want, i);
	test_new_mount_names();
	test_known();
	test_libmount();
	return failed;
}
