/* Theory of operation: D-Bus specification, "Message Protocol". Numbers have the byte order of this
 * machine, which the first byte of a message names, and begin at a multiple of their own size; so each
 * value is preceded by zeros, counted from the beginning of its message. The length of an array
 * is filled in when its items are there, that of the body at the end.
 *
 * A bus hangs up on whoever sends it a text that is not UTF-8 or a path that is none; annotations
 * bring such values (systemd_value.c), so they are looked at here. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "cgroups/systemd/systemd_message.h"

#define LENGTH_AT     4 /* of the body, in the header */
#define SIGNATURE_MAX 255

/* ---- bytes -------------------------------------------------------------- */

static void
fail(struct systemd_writer *writer, int error)
{
	if (writer->error == 0)
		writer->error = error;
}

void
systemd_write_bytes(struct systemd_writer *writer, const void *data, size_t len)
{
	if (len > SYSTEMD_MESSAGE_MAX || writer->n - writer->start > SYSTEMD_MESSAGE_MAX - len)
		fail(writer, -E2BIG);
	if (writer->error || len == 0)
		return;
	if (len > writer->cap - writer->n) {
		size_t cap = 2 * (writer->cap + len) + 512;

		writer->data = arena_grow(writer->arena, writer->data, writer->n, cap);
		writer->cap = cap;
	}
	memcpy(writer->data + writer->n, data, len);
	writer->n += len;
}

static void
align(struct systemd_writer *writer, size_t size)
{
	static const unsigned char zeros[8];

	systemd_write_bytes(writer, zeros, -(writer->n - writer->start) & (size - 1));
}

static void
write_number(struct systemd_writer *writer, const void *number, size_t size)
{
	align(writer, size);
	systemd_write_bytes(writer, number, size);
}

static void
write_u32(struct systemd_writer *writer, uint32_t number)
{
	write_number(writer, &number, sizeof(number));
}

static void
patch_u32(struct systemd_writer *writer, size_t at, size_t number)
{
	uint32_t value = (uint32_t)number;

	if (!writer->error)
		memcpy(writer->data + at, &value, sizeof(value));
}

/* ---- texts -------------------------------------------------------------- */

void
systemd_write_text(struct systemd_writer *writer, const char *text)
{
	size_t len = strlen(text);

	if (utf8_first_fault(text, len) < len)
		fail(writer, -EINVAL);
	if (len > SYSTEMD_MESSAGE_MAX)
		fail(writer, -E2BIG);
	write_u32(writer, (uint32_t)len);
	systemd_write_bytes(writer, text, len + 1);
}

/* "/", or names of letters, digits and "_", each with a slash in front. */
static void
write_path(struct systemd_writer *writer, const char *path)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	const char *rest = path;

	while (*rest == '/' && strspn(rest + 1, letters) > 0)
		rest += 1 + strspn(rest + 1, letters);
	if (strcmp(path, "/") != 0 && (rest == path || *rest))
		fail(writer, -EINVAL);
	systemd_write_text(writer, path);
}

static void
write_signature(struct systemd_writer *writer, const char *signature)
{
	size_t len = strlen(signature);
	uint8_t byte = (uint8_t)len;

	for (size_t at = 0, n; at < len; at += n)
		if ((n = systemd_type_length(signature + at)) == 0) {
			fail(writer, -EINVAL);
			break;
		}
	if (len > SIGNATURE_MAX)
		fail(writer, -E2BIG);
	systemd_write_bytes(writer, &byte, 1);
	systemd_write_bytes(writer, signature, len + 1);
}

void
systemd_write_bool(struct systemd_writer *writer, bool value)
{
	write_u32(writer, value);
}

/* ---- arrays ------------------------------------------------------------- */

/* *ret_length is where its length goes, *ret_first where its items begin. */
static void
begin_array(struct systemd_writer *writer, size_t item_alignment, size_t *ret_length, size_t *ret_first)
{
	write_u32(writer, 0);
	*ret_length = writer->n - sizeof(uint32_t);
	align(writer, item_alignment);
	*ret_first = writer->n;
}

static void
end_array(struct systemd_writer *writer, size_t length, size_t first)
{
	patch_u32(writer, length, writer->n - first);
}

void
systemd_write_no_structs(struct systemd_writer *writer)
{
	size_t length, first;

	begin_array(writer, 8, &length, &first);
}

/* ---- values ------------------------------------------------------------- */

static void
write_basic(struct systemd_writer *writer, const struct systemd_value *value)
{
	const uint8_t byte = (uint8_t)value->v.u;
	const uint16_t half = (uint16_t)value->v.u;

	switch (*value->type) {
	case 'b':
		systemd_write_bool(writer, value->v.b);
		break;
	case 'y':
		systemd_write_bytes(writer, &byte, 1);
		break;
	case 'n':
	case 'q':
		write_number(writer, &half, sizeof(half));
		break;
	case 'i':
	case 'u':
		write_u32(writer, (uint32_t)value->v.u);
		break;
	case 'd':
		write_number(writer, &value->v.d, sizeof(value->v.d));
		break;
	case 's':
		systemd_write_text(writer, value->v.s);
		break;
	case 'o':
		write_path(writer, value->v.s);
		break;
	case 'g':
		write_signature(writer, value->v.s);
		break;
	default: /* x, t */
		write_number(writer, &value->v.u, sizeof(value->v.u));
	}
}

static void
write_value(struct systemd_writer *writer, const struct systemd_value *value)
{
	size_t length = 0, first = 0;

	if (!strchr("a(v", *value->type)) {
		write_basic(writer, value);
		return;
	}
	if (*value->type == 'v')
		write_signature(writer, value->items[0].type);
	else if (*value->type == '(')
		align(writer, 8);
	else
		begin_array(writer, systemd_type_alignment(value->type[1]), &length, &first);
	for (size_t i = 0; i < value->n; i++)
		write_value(writer, &value->items[i]);
	if (*value->type == 'a')
		end_array(writer, length, first);
}

void
systemd_write_properties(struct systemd_writer *writer, const struct systemd_properties *properties)
{
	size_t length, first;

	begin_array(writer, 8, &length, &first);
	for (size_t i = 0; i < properties->n; i++) {
		const struct systemd_value variant = { .type = "v", .items = &properties->items[i].value, .n = 1 };

		align(writer, 8);
		systemd_write_text(writer, properties->items[i].name);
		write_value(writer, &variant);
	}
	end_array(writer, length, first);
}

/* ---- messages ----------------------------------------------------------- */

static void
write_field(struct systemd_writer *writer, enum systemd_field field, const char *type, const char *text)
{
	const uint8_t code = (uint8_t)field;

	align(writer, 8);
	systemd_write_bytes(writer, &code, 1);
	write_signature(writer, type);
	if (*type == 'g')
		write_signature(writer, text);
	else
		systemd_write_text(writer, text);
}

void
systemd_write_call(struct systemd_writer *writer, const struct systemd_method *method, uint32_t serial)
{
	const uint8_t order = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 'B' : 'l', flags = 0, version = 1;
	const uint8_t head[] = { order, SYSTEMD_CALL, flags, version };
	size_t length, first;

	writer->start = writer->n;
	systemd_write_bytes(writer, head, sizeof(head));
	write_u32(writer, 0);
	write_u32(writer, serial);
	begin_array(writer, 8, &length, &first);
	write_field(writer, SYSTEMD_PATH, "o", method->path);
	write_field(writer, SYSTEMD_MEMBER, "s", method->member);
	write_field(writer, SYSTEMD_INTERFACE, "s", method->interface);
	write_field(writer, SYSTEMD_DESTINATION, "s", method->destination);
	if (*method->in)
		write_field(writer, SYSTEMD_SIGNATURE, "g", method->in);
	end_array(writer, length, first);
	align(writer, 8);
	writer->body = writer->n;
}

int
systemd_write_end(struct systemd_writer *writer)
{
	int error = writer->error;

	writer->error = 0;
	if (error < 0)
		writer->n = writer->start;
	else
		patch_u32(writer, writer->start + LENGTH_AT, writer->n - writer->body);
	writer->start = writer->n;
	return error;
}
