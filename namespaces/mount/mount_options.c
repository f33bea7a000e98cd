/* A table (mount_option_table.h) maps each option name to an action. An element of the config's
 * list may hold several options with commas between them, as the data of
 * mount(2) would. A name that is in no table (mount_userspace.h has the other one, of what
 * only mount(8) itself acts on) belongs to the file system and is passed on.
 *
 * The access time mode is a field of three values inside MOUNT_ATTR_*, not a
 * set of bits: MOUNT_ATTR__ATIME in `clear` says that a mode was asked for, as
 * mount_setattr(2) wants it. */
#include "namespaces/mount/mount_options.h"

#include <linux/mount.h>
#include <string.h>

#include "base/log.h"
#include "namespaces/mount/mount_option_table.h"
#include "namespaces/mount/mount_userspace.h"

struct parser {
	struct arena *arena;
	const char *property;
	struct err *err;
	struct mount_options *o;
	size_t cap_data;
	const char *refused; /* an option that only mount(8) can do */
};

/* Whose value is a label of SELinux or Smack. */
static bool
is_label(const char *option, size_t len)
{
	static const char *const keys[] = { "context", "fscontext", "defcontext", "rootcontext", "seclabel" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strncmp(option, keys[i], len) == 0 && keys[i][len] == '\0')
			return true;
	return false;
}

/* mount(2) wants a label with commas in quotes; fsconfig(2) takes the value as
 * it is, so the quotes go. */
static const char *
without_quotes(struct arena *a, const char *option)
{
	size_t key = strcspn(option, "=");
	size_t len = strlen(option);

	if (option[key] != '=' || len < key + 3 || option[key + 1] != '"' || option[len - 1] != '"')
		return option;
	if (!is_label(option, key))
		return option;
	return arena_printf(a, "%.*s=%.*s", (int)key, option, (int)(len - key - 3), option + key + 2);
}

static void
add_data(struct parser *parser, const char *option)
{
	struct mount_options *o = parser->o;

	if (o->n_data == parser->cap_data) {
		size_t cap = parser->cap_data ? parser->cap_data * 2 : 16;

		o->data =
			arena_grow(parser->arena, o->data, parser->cap_data * sizeof(*o->data), cap * sizeof(*o->data));
		parser->cap_data = cap;
	}
	o->data[o->n_data++] = without_quotes(parser->arena, option);
}

static int
add_propagation(struct parser *parser, const char *name, uint32_t flags)
{
	struct mount_options *o = parser->o;

	if (o->n_propagation == MOUNT_MAX_PROPAGATION)
		return err_plain(parser->err, "%s.options: '%s' is one propagation too many, the limit is %d",
				 parser->property, name, MOUNT_MAX_PROPAGATION);
	o->propagation[o->n_propagation++] = flags;
	return 0;
}

static void
set_bits(struct plan_attrs *attrs, uint64_t bits)
{
	attrs->set |= bits;
	attrs->clear &= ~bits;
}

static void
clear_bits(struct plan_attrs *attrs, uint64_t bits)
{
	attrs->set &= ~bits;
	attrs->clear |= bits;
}

static void
set_atime(struct plan_attrs *attrs, uint64_t mode)
{
	attrs->set = (attrs->set & ~(uint64_t)MOUNT_ATTR__ATIME) | mode;
	attrs->clear |= MOUNT_ATTR__ATIME;
}

/* "atime" undoes "noatime": what is left is the kernel's default, relatime.
 * "norelatime" can only take back an earlier "relatime": as for mount(2), not
 * relatime is what strictatime is for. */
static void
unset_atime(struct plan_attrs *attrs, uint64_t mode)
{
	bool named = attrs->clear & MOUNT_ATTR__ATIME;

	if (named && (attrs->set & MOUNT_ATTR__ATIME) != mode)
		return;
	if (mode != MOUNT_ATTR_RELATIME)
		set_atime(attrs, MOUNT_ATTR_RELATIME);
	else
		attrs->clear &= ~(uint64_t)MOUNT_ATTR__ATIME;
}

static void
change_superblock(struct mount_options *options, unsigned set, unsigned clear)
{
	options->sb_set = (options->sb_set | set) & ~clear;
	options->sb_clear = (options->sb_clear | clear) & ~set;
}

static int
apply(struct parser *parser, const struct mount_option *opt)
{
	struct mount_options *o = parser->o;
	struct plan_attrs *a = opt->recursive ? &o->rec_attrs : &o->attrs;

	o->names_flags |= opt->action <= MOUNT_OPTION_LAST_FLAG && !opt->recursive;
	switch (opt->action) {
	case MOUNT_OPTION_NOTHING:
	case MOUNT_OPTION_NO_EFFECT:
		break;
	case MOUNT_OPTION_READ_ONLY:
		change_superblock(o, MOUNT_SB_RDONLY, 0);
		__attribute__((fallthrough));
	case MOUNT_OPTION_SET:
		set_bits(a, opt->value);
		break;
	case MOUNT_OPTION_READ_WRITE:
		change_superblock(o, 0, MOUNT_SB_RDONLY);
		__attribute__((fallthrough));
	case MOUNT_OPTION_CLEAR:
		clear_bits(a, opt->value);
		break;
	case MOUNT_OPTION_ATIME:
		o->names_atime |= !opt->recursive;
		set_atime(a, opt->value);
		break;
	case MOUNT_OPTION_NO_ATIME:
		unset_atime(a, opt->value);
		break;
	case MOUNT_OPTION_SB_SET:
		change_superblock(o, (unsigned)opt->value, 0);
		break;
	case MOUNT_OPTION_SB_CLEAR:
		change_superblock(o, 0, (unsigned)opt->value);
		break;
	case MOUNT_OPTION_PROPAGATION:
		return add_propagation(parser, opt->name, (uint32_t)opt->value);
	case MOUNT_OPTION_RBIND:
		o->recursive = true;
		__attribute__((fallthrough));
	case MOUNT_OPTION_BIND:
		o->bind = true;
		break;
	case MOUNT_OPTION_REMOUNT:
		o->remount = true;
		break;
	case MOUNT_OPTION_COPY_UP:
		o->copy_up = true;
		break;
	case MOUNT_OPTION_SOURCE_NOFOLLOW:
		o->source_nofollow = true;
		break;
	case MOUNT_OPTION_DEST_NOFOLLOW:
		o->dest_nofollow = true;
		break;
	case MOUNT_OPTION_IDMAP:
		o->idmap = true;
		o->idmap_recursive = opt->value;
		break;
	}
	return 0;
}

/* An option of no table. What only mount(8) can do is kept apart: a bind mount ignores it. */
static void
parse_unknown(struct parser *parser, const char *option)
{
	uint64_t implied = 0;

	switch (mount_userspace_kind(option, &implied)) {
	case MOUNT_USERSPACE_NONE:
		add_data(parser, option);
		break;
	case MOUNT_USERSPACE_DROP:
		set_bits(&parser->o->attrs, implied);
		log_debug("%s.options: '%s' is for mount(8) only and is ignored", parser->property, option);
		break;
	case MOUNT_USERSPACE_REFUSE:
		parser->refused = option;
		add_data(parser, option);
		break;
	}
}

/* "idmap=uids=…;gids=…", as crun has it. */
static bool
parse_idmap(struct parser *parser, const char *option)
{
	bool recursive = strncmp(option, "ridmap=", 7) == 0;

	if (!recursive && strncmp(option, "idmap=", 6) != 0)
		return false;
	parser->o->idmap = true;
	parser->o->idmap_recursive = recursive;
	parser->o->idmap_maps = strchr(option, '=') + 1;
	return true;
}

static int
parse_one(struct parser *parser, const char *option)
{
	const struct mount_option *opt = mount_option_find(option);

	if (opt)
		return apply(parser, opt);
	if (parse_idmap(parser, option))
		return 0;
	parse_unknown(parser, option);
	return 0;
}

/* Length of the first option of s: up to a comma that is neither in quotes
 * (labels) nor behind a backslash (overlay paths). */
static size_t
first_option(const char *text)
{
	bool quoted = false;
	size_t n;

	for (n = 0; text[n] && (quoted || text[n] != ','); n++) {
		if (text[n] == '"')
			quoted = !quoted;
		else if (text[n] == '\\' && text[n + 1])
			n++;
	}
	return n;
}

static int
parse_element(struct parser *parser, const char *text)
{
	while (*text) {
		size_t n = first_option(text);

		if (n) {
			int r = parse_one(parser, arena_strndup(parser->arena, text, n));

			if (r < 0)
				return r;
		}
		text += n;
		if (*text == ',')
			text++;
	}
	return 0;
}

int
mount_options_parse(struct arena *a, const char *property, const struct spec_strings *list, struct err *err,
		    struct mount_options *ret)
{
	struct mount_options o = { 0 };
	struct parser p = { .arena = a, .property = property, .err = err, .o = &o };

	for (size_t i = 0; i < list->n; i++) {
		int r = parse_element(&p, list->items[i]);

		if (r < 0)
			return r;
	}
	if (p.refused && !o.bind)
		return err_plain(err,
				 "%s.options: '%s' needs mount(8) (a loop or verity device, a helper program), "
				 "which knarr does not use",
				 property, p.refused);
	*ret = o;
	return 0;
}

/* As mount(2) remounts: what is not named is off. The access time mode and nodiratime are
 * one field to it, which stays when none of it is named. */
void
mount_options_name_all_flags(struct mount_options *options, bool locked, bool symfollow)
{
	const uint64_t lockable = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	struct plan_attrs *a = &options->attrs;

	if (locked) {
		a->clear &= ~lockable;
		return;
	}
	if (!options->names_flags)
		return;
	a->clear |= (lockable | (symfollow ? MOUNT_ATTR_NOSYMFOLLOW : 0)) & ~a->set;
	if ((a->set & MOUNT_ATTR_NODIRATIME) && !(a->clear & MOUNT_ATTR__ATIME))
		set_atime(a, MOUNT_ATTR_RELATIME);
	else if (options->names_atime && !(a->set & MOUNT_ATTR_NODIRATIME))
		a->clear |= MOUNT_ATTR_NODIRATIME;
}

size_t
mount_options_superblock(const struct mount_options *options, bool with_cleared, const char **names)
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
		if (options->sb_set & flags[i].flag)
			names[n++] = flags[i].set;
		else if (with_cleared && (options->sb_clear & flags[i].flag) && flags[i].clear)
			names[n++] = flags[i].clear;
	}
	return n;
}
