/* Theory of operation: see plan_put.h. Whatever a config can hold ends as printable
 * text on one line: control bytes are escaped. */
#include "base/plan_put.h"

#include <inttypes.h>
#include <linux/mount.h>
#include <stdarg.h>

void
plan_put_quoted(struct plan_printer *o, const char *s)
{
	fputc('"', o->out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(o->out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(o->out, "\\x%02x", c);
		else
			fputc(c, o->out);
	}
	fputc('"', o->out);
}

void
plan_put_str(struct plan_printer *o, const char *name, plan_str s)
{
	if (!s)
		return;
	fprintf(o->out, " %s=", name);
	plan_put_quoted(o, plan_text(o->p, s));
}

void
plan_put_list(struct plan_printer *o, const char *name, struct plan_strv v)
{
	const char *s = plan_first(o->p, v);

	if (!v.n)
		return;
	fprintf(o->out, " %s=[", name);
	for (uint32_t i = 0; i < v.n; i++, s = plan_next(s)) {
		if (i)
			fputc(' ', o->out);
		plan_put_quoted(o, s);
	}
	fputc(']', o->out);
}

void
plan_put_flag(struct plan_printer *o, const char *name, bool on)
{
	if (on)
		fprintf(o->out, " %s", name);
}

void
plan_put(struct plan_printer *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(o->out, fmt, ap);
	va_end(ap);
}

void
plan_put_names(struct plan_printer *o, const char *name, uint64_t bits, const struct bit_name *names)
{
	bool first = true;

	if (!bits)
		return;
	plan_put(o, " %s=", name);
	for (; names->name; names++) {
		if ((bits & names->bits) != names->bits)
			continue;
		plan_put(o, "%s%s", first ? "" : ",", names->name);
		bits &= ~names->bits;
		first = false;
	}
	if (bits)
		plan_put(o, "%s%#" PRIx64, first ? "" : ",", bits);
}

/* The access time mode is a number in a field of its own, not a set of bits. */
static void
put_attr_set(struct plan_printer *o, const char *name, uint64_t attrs, bool has_atime)
{
	static const char *const modes[] = { "relatime", "noatime", "strictatime" };
	uint64_t mode = (attrs & MOUNT_ATTR__ATIME) >> 4;

	plan_put_names(o, name, attrs & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
	if (has_atime && mode < 3)
		plan_put(o, " %s-atime=%s", name, modes[mode]);
}

void
plan_put_attrs(struct plan_printer *o, const char *set, const char *clear, struct plan_attrs a)
{
	bool atime = (a.clear & MOUNT_ATTR__ATIME) || (a.set & MOUNT_ATTR__ATIME);

	put_attr_set(o, set, a.set, atime);
	plan_put_names(o, clear, a.clear & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
}

void
plan_put_propagation(struct plan_printer *o, uint32_t flags)
{
	plan_put_names(o, "propagation", flags, propagation_names);
}

void
plan_put_node(struct plan_printer *o, const struct plan_device *d)
{
	plan_put(o, " mode=%#o dev=%u:%u owner=%u:%u", d->mode, d->major, d->minor, d->uid, d->gid);
}

void
plan_put_line(struct plan_printer *o, const char *prefix, const char *line)
{
	plan_put(o, "%s", prefix);
	for (; *line; line++) {
		unsigned char c = (unsigned char)*line;

		plan_put(o, c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
	}
	plan_put(o, "\n");
}
