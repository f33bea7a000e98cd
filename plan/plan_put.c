/* Whatever a config can hold ends as printable
 * text on one line: control bytes are escaped. */
#include "plan/plan_put.h"

#include <inttypes.h>
#include <linux/mount.h>
#include <stdarg.h>
#include <string.h>

#include "base/printable.h"

/* special: characters that get a backslash. */
static void
put_printable(struct plan_printer *printer, const char *text, const char *special)
{
	while (*text) {
		size_t len = printable_length(text);

		if (len == 0)
			fprintf(printer->out, "\\x%02x", (unsigned char)*text++);
		else if (strchr(special, *text))
			fprintf(printer->out, "\\%c", *text++);
		else
			for (; len > 0; len--)
				fputc(*text++, printer->out);
	}
}

void
plan_put_quoted(struct plan_printer *printer, const char *text)
{
	fputc('"', printer->out);
	put_printable(printer, text, "\"\\");
	fputc('"', printer->out);
}

void
plan_put_what(struct plan_printer *printer, plan_str what)
{
	plan_put(printer, "  # ");
	put_printable(printer, plan_text(printer->p, what), "");
	plan_put(printer, "\n");
}

void
plan_put_str(struct plan_printer *printer, const char *name, plan_str text)
{
	if (!text)
		return;
	fprintf(printer->out, " %s=", name);
	plan_put_quoted(printer, plan_text(printer->p, text));
}

void
plan_put_list(struct plan_printer *printer, const char *name, struct plan_strv vector)
{
	const char *s = plan_first(printer->p, vector);

	if (!vector.n)
		return;
	fprintf(printer->out, " %s=[", name);
	for (uint32_t i = 0; i < vector.n; i++, s = plan_next(s)) {
		if (i)
			fputc(' ', printer->out);
		plan_put_quoted(printer, s);
	}
	fputc(']', printer->out);
}

void
plan_put_flag(struct plan_printer *printer, const char *name, bool on)
{
	if (on)
		fprintf(printer->out, " %s", name);
}

void
plan_put(struct plan_printer *printer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(printer->out, fmt, ap);
	va_end(ap);
}

void
plan_put_names(struct plan_printer *printer, const char *name, uint64_t bits, const struct bit_name *names)
{
	bool first = true;

	if (!bits)
		return;
	plan_put(printer, " %s=", name);
	for (; names->name; names++) {
		if ((bits & names->bits) != names->bits)
			continue;
		plan_put(printer, "%s%s", first ? "" : ",", names->name);
		bits &= ~names->bits;
		first = false;
	}
	if (bits)
		plan_put(printer, "%s%#" PRIx64, first ? "" : ",", bits);
}

/* The access time mode is a number in a field of its own, not a set of bits. */
static void
put_attr_set(struct plan_printer *printer, const char *name, uint64_t attrs, bool has_atime)
{
	static const char *const modes[] = { "relatime", "noatime", "strictatime" };
	uint64_t mode = (attrs & MOUNT_ATTR__ATIME) >> 4;

	plan_put_names(printer, name, attrs & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
	if (has_atime && mode < 3)
		plan_put(printer, " %s-atime=%s", name, modes[mode]);
}

void
plan_put_attrs(struct plan_printer *printer, const char *set, const char *clear, struct plan_attrs attrs)
{
	bool atime = (attrs.clear & MOUNT_ATTR__ATIME) || (attrs.set & MOUNT_ATTR__ATIME);

	put_attr_set(printer, set, attrs.set, atime);
	plan_put_names(printer, clear, attrs.clear & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
}

void
plan_put_propagation(struct plan_printer *printer, uint32_t flags)
{
	plan_put_names(printer, "propagation", flags, propagation_names);
}

void
plan_put_node(struct plan_printer *printer, const struct plan_device *device)
{
	plan_put(printer, " mode=%#o dev=%u:%u owner=%u:%u", device->mode, device->major, device->minor, device->uid,
		 device->gid);
}

void
plan_put_line(struct plan_printer *printer, const char *prefix, const char *line)
{
	plan_put(printer, "%s", prefix);
	put_printable(printer, line, "");
	plan_put(printer, "\n");
}
