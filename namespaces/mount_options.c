/* Theory of operation: see mount_options.h.
 *
 * One table maps each option name to an action. An element of the config's
 * list may hold several options with commas between them, as the data of
 * mount(2) would. A name that is in no table (mount_data.h has the other one) is either
 * one that only mount(8) itself acts on (asked of libmount, opened on demand), or it
 * belongs to the file system and is passed on.
 *
 * The access time mode is a field of three values inside MOUNT_ATTR_*, not a
 * set of bits: MOUNT_ATTR__ATIME in `clear` says that a mode was asked for, as
 * mount_setattr(2) wants it. */
#include "namespaces/mount_options.h"

#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "namespaces/mount_data.h"
#include "namespaces/mount_userspace.h"

enum action {
	NOTHING,   /* accepted, no effect with the mount API */
	SET,	   /* value: MOUNT_ATTR_* */
	CLEAR,	   /* value: MOUNT_ATTR_* */
	ATIME,	   /* value: mode to choose */
	NO_ATIME,  /* value: mode not to use */
	SB_SET,	   /* value: enum mount_superblock */
	SB_CLEAR,  /* value: enum mount_superblock */
	READ_ONLY, /* mount(2) applies ro to the mount and to the superblock */
	READ_WRITE,
	PROPAGATION, /* value: MS_* */
	BIND,
	RBIND,
	REMOUNT,
	COPY_UP,
	SOURCE_NOFOLLOW,
	DEST_NOFOLLOW,
	IDMAP, /* value: 1 for the mounts below too */
};

struct option {
	const char *name;
	enum action action;
	uint64_t value;
	bool recursive; /* SET…NO_ATIME: into rec_attrs */
};

static const struct option options[] = {
	{ "async", SB_CLEAR, MOUNT_SB_SYNC, false },
	{ "atime", NO_ATIME, MOUNT_ATTR_NOATIME, false },
	{ "bind", BIND, 0, false },
	{ "defaults", NOTHING, 0, false },
	{ "dest-nofollow", DEST_NOFOLLOW, 0, false },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV, false },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME, false },
	{ "dirsync", SB_SET, MOUNT_SB_DIRSYNC, false },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC, false },
	{ "idmap", IDMAP, 0, false },
	/* The kernel counts changes wherever the file system can (ext4, xfs,
	 * btrfs, tmpfs); fsconfig(2) has no flag to ask for it or not. */
	{ "iversion", NOTHING, 0, false },
	{ "lazytime", SB_SET, MOUNT_SB_LAZYTIME, false },
	/* silent and loud choose what a failing mount writes to the kernel's
	 * log; fsconfig(2) hands such messages to the caller instead. */
	{ "loud", NOTHING, 0, false },
	{ "mand", SB_SET, MOUNT_SB_MANDLOCK, false },
	{ "noatime", ATIME, MOUNT_ATTR_NOATIME, false },
	{ "nodev", SET, MOUNT_ATTR_NODEV, false },
	{ "nodiratime", SET, MOUNT_ATTR_NODIRATIME, false },
	{ "noexec", SET, MOUNT_ATTR_NOEXEC, false },
	{ "noiversion", NOTHING, 0, false },
	{ "nolazytime", SB_CLEAR, MOUNT_SB_LAZYTIME, false },
	{ "nomand", SB_CLEAR, MOUNT_SB_MANDLOCK, false },
	{ "norelatime", NO_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "nostrictatime", NO_ATIME, MOUNT_ATTR_STRICTATIME, false },
	{ "nosuid", SET, MOUNT_ATTR_NOSUID, false },
	{ "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "private", PROPAGATION, MS_PRIVATE, false },
	{ "ratime", NO_ATIME, MOUNT_ATTR_NOATIME, true },
	{ "rbind", RBIND, 0, false },
	{ "rdev", CLEAR, MOUNT_ATTR_NODEV, true },
	{ "rdiratime", CLEAR, MOUNT_ATTR_NODIRATIME, true },
	{ "relatime", ATIME, MOUNT_ATTR_RELATIME, false },
	{ "remount", REMOUNT, 0, false },
	{ "rexec", CLEAR, MOUNT_ATTR_NOEXEC, true },
	{ "ridmap", IDMAP, 1, false },
	{ "rnoatime", ATIME, MOUNT_ATTR_NOATIME, true },
	{ "rnodev", SET, MOUNT_ATTR_NODEV, true },
	{ "rnodiratime", SET, MOUNT_ATTR_NODIRATIME, true },
	{ "rnoexec", SET, MOUNT_ATTR_NOEXEC, true },
	{ "rnorelatime", NO_ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rnostrictatime", NO_ATIME, MOUNT_ATTR_STRICTATIME, true },
	{ "rnosuid", SET, MOUNT_ATTR_NOSUID, true },
	{ "rnosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "ro", READ_ONLY, MOUNT_ATTR_RDONLY, false },
	{ "rprivate", PROPAGATION, MS_PRIVATE | MS_REC, false },
	{ "rrelatime", ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rro", SET, MOUNT_ATTR_RDONLY, true },
	{ "rrw", CLEAR, MOUNT_ATTR_RDONLY, true },
	{ "rshared", PROPAGATION, MS_SHARED | MS_REC, false },
	{ "rslave", PROPAGATION, MS_SLAVE | MS_REC, false },
	{ "rstrictatime", ATIME, MOUNT_ATTR_STRICTATIME, true },
	{ "rsuid", CLEAR, MOUNT_ATTR_NOSUID, true },
	{ "rsymfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC, false },
	{ "rw", READ_WRITE, MOUNT_ATTR_RDONLY, false },
	{ "shared", PROPAGATION, MS_SHARED, false },
	{ "silent", NOTHING, 0, false },
	{ "slave", PROPAGATION, MS_SLAVE, false },
	{ "src-nofollow", SOURCE_NOFOLLOW, 0, false },
	{ "strictatime", ATIME, MOUNT_ATTR_STRICTATIME, false },
	{ "suid", CLEAR, MOUNT_ATTR_NOSUID, false },
	{ "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW, false },
	{ "sync", SB_SET, MOUNT_SB_SYNC, false },
	{ "tmpcopyup", COPY_UP, 0, false },
	{ "unbindable", PROPAGATION, MS_UNBINDABLE, false },
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

struct parser {
	struct arena *arena;
	const char *property, *type;
	struct err *err;
	struct mount_options *o;
	size_t cap_data;
};

static int
compare_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct option *)entry)->name);
}

static void
add_data(struct parser *p, const char *option)
{
	struct mount_options *o = p->o;

	if (o->n_data == p->cap_data) {
		size_t cap = p->cap_data ? p->cap_data * 2 : 16;

		o->data = arena_grow(p->arena, o->data, p->cap_data * sizeof(*o->data), cap * sizeof(*o->data));
		p->cap_data = cap;
	}
	o->data[o->n_data++] = mount_data_without_quotes(p->arena, option);
}

static int
add_propagation(struct parser *p, const char *name, uint32_t flags)
{
	struct mount_options *o = p->o;

	if (o->n_propagation == MOUNT_MAX_PROPAGATION)
		return err_plain(p->err, "%s.options: '%s' is one propagation too many, the limit is %d", p->property,
				 name, MOUNT_MAX_PROPAGATION);
	o->propagation[o->n_propagation++] = flags;
	return 0;
}

static void
set_bits(struct plan_attrs *a, uint64_t bits)
{
	a->set |= bits;
	a->clear &= ~bits;
}

static void
clear_bits(struct plan_attrs *a, uint64_t bits)
{
	a->set &= ~bits;
	a->clear |= bits;
}

static void
set_atime(struct plan_attrs *a, uint64_t mode)
{
	a->set = (a->set & ~(uint64_t)MOUNT_ATTR__ATIME) | mode;
	a->clear |= MOUNT_ATTR__ATIME;
}

/* "atime" undoes "noatime": what is left is the kernel's default, relatime.
 * "norelatime" can only take back an earlier "relatime": as for mount(2), not
 * relatime is what strictatime is for. */
static void
unset_atime(struct plan_attrs *a, uint64_t mode)
{
	bool named = a->clear & MOUNT_ATTR__ATIME;

	if (named && (a->set & MOUNT_ATTR__ATIME) != mode)
		return;
	if (mode != MOUNT_ATTR_RELATIME)
		set_atime(a, MOUNT_ATTR_RELATIME);
	else
		a->clear &= ~(uint64_t)MOUNT_ATTR__ATIME;
}

static void
change_superblock(struct mount_options *o, unsigned set, unsigned clear)
{
	o->sb_set = (o->sb_set | set) & ~clear;
	o->sb_clear = (o->sb_clear | clear) & ~set;
}

static int
apply(struct parser *p, const struct option *opt)
{
	struct mount_options *o = p->o;
	struct plan_attrs *a = opt->recursive ? &o->rec_attrs : &o->attrs;

	switch (opt->action) {
	case NOTHING:
		break;
	case READ_ONLY:
		change_superblock(o, MOUNT_SB_RDONLY, 0);
		set_bits(a, opt->value);
		break;
	case READ_WRITE:
		change_superblock(o, 0, MOUNT_SB_RDONLY);
		clear_bits(a, opt->value);
		break;
	case SET:
		set_bits(a, opt->value);
		break;
	case CLEAR:
		clear_bits(a, opt->value);
		break;
	case ATIME:
		set_atime(a, opt->value);
		break;
	case NO_ATIME:
		unset_atime(a, opt->value);
		break;
	case SB_SET:
		change_superblock(o, (unsigned)opt->value, 0);
		break;
	case SB_CLEAR:
		change_superblock(o, 0, (unsigned)opt->value);
		break;
	case PROPAGATION:
		return add_propagation(p, opt->name, (uint32_t)opt->value);
	case RBIND:
		o->recursive = true;
		o->bind = true;
		break;
	case BIND:
		o->bind = true;
		break;
	case REMOUNT:
		o->remount = true;
		break;
	case COPY_UP:
		o->copy_up = true;
		break;
	case SOURCE_NOFOLLOW:
		o->source_nofollow = true;
		break;
	case DEST_NOFOLLOW:
		o->dest_nofollow = true;
		break;
	case IDMAP:
		o->idmap = true;
		o->idmap_recursive = opt->value;
		break;
	}
	return 0;
}

/* An option of no table. */
static int
parse_unknown(struct parser *p, const char *option)
{
	uint64_t implied = 0;

	switch (mount_userspace_kind(option, &implied)) {
	case MOUNT_USERSPACE_NONE:
		add_data(p, option);
		break;
	case MOUNT_USERSPACE_DROP:
		set_bits(&p->o->attrs, implied);
		log_debug("%s.options: '%s' concerns mount(8) only and is left out", p->property, option);
		break;
	case MOUNT_USERSPACE_REFUSE:
		return err_plain(p->err,
				 "%s.options: '%s' is work of mount(8) (a loop or verity device, a helper program), "
				 "which knarr does not do",
				 p->property, option);
	}
	return 0;
}

static int
parse_one(struct parser *p, const char *option)
{
	const struct option *opt = bsearch(option, options, N_OPTIONS, sizeof(options[0]), compare_name);

	if (opt)
		return apply(p, opt);
	if (!mount_data_is_known(p->type, option))
		return parse_unknown(p, option);
	add_data(p, option);
	return 0;
}

/* Length of the first option of s: up to a comma that is neither in quotes
 * (labels) nor behind a backslash (overlay paths). */
static size_t
first_option(const char *s)
{
	bool quoted = false;
	size_t n;

	for (n = 0; s[n] && (quoted || s[n] != ','); n++) {
		if (s[n] == '"')
			quoted = !quoted;
		else if (s[n] == '\\' && s[n + 1])
			n++;
	}
	return n;
}

static int
parse_element(struct parser *p, const char *s)
{
	while (*s) {
		size_t n = first_option(s);

		if (n) {
			int r = parse_one(p, arena_strndup(p->arena, s, n));

			if (r < 0)
				return r;
		}
		s += n;
		if (*s == ',')
			s++;
	}
	return 0;
}

int
mount_options_parse(struct arena *a, const char *property, const char *type, const struct spec_strings *list,
		    struct err *err, struct mount_options *ret)
{
	struct mount_options o = { 0 };
	struct parser p = { .arena = a, .property = property, .type = type, .err = err, .o = &o };

	for (size_t i = 0; i < list->n; i++) {
		int r = parse_element(&p, list->items[i]);

		if (r < 0)
			return r;
	}
	*ret = o;
	return 0;
}

size_t
mount_options_superblock(const struct mount_options *o, bool with_cleared, const char **names)
{
	static const struct {
		unsigned flag;
		const char *set, *clear;
	} flags[MOUNT_SB_COUNT] = {
		{ MOUNT_SB_RDONLY, "ro", "rw" },	 { MOUNT_SB_SYNC, "sync", "async" },
		{ MOUNT_SB_DIRSYNC, "dirsync", NULL },	 { MOUNT_SB_LAZYTIME, "lazytime", "nolazytime" },
		{ MOUNT_SB_MANDLOCK, "mand", "nomand" },
	};
	size_t n = 0;

	for (size_t i = 0; i < MOUNT_SB_COUNT; i++) {
		if (o->sb_set & flags[i].flag)
			names[n++] = flags[i].set;
		else if (with_cleared && (o->sb_clear & flags[i].flag) && flags[i].clear)
			names[n++] = flags[i].clear;
	}
	return n;
}

const char *
mount_options_known(size_t i)
{
	return i < N_OPTIONS ? options[i].name : NULL;
}
