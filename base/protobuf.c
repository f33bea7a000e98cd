/* Theory of operation: a field is a key, number << 3 | wire type, and then its
 * value: a varint (0), eight bytes (1), a length and so many bytes (2), four
 * bytes (5). A varint has seven bits in each byte, the lowest first, and the
 * eighth bit set in all but the last. https://protobuf.dev/programming-guides/encoding */
#include "base/protobuf.h"

#include <errno.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* A varint of 64 bits. */
#define VARINT_MAX 10

/* ---- writing --------------------------------------------------------- */

static void
append(struct protobuf *message, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (message->cap - message->len < len) {
		size_t cap = (message->cap + len) * 2;

		message->data = arena_grow(message->arena, message->data, message->len, cap);
		message->cap = cap;
	}
	memcpy(message->data + message->len, data, len);
	message->len += len;
}

static void
append_varint(struct protobuf *message, uint64_t value)
{
	unsigned char bytes[VARINT_MAX];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (unsigned char)(value | 0x80);
	bytes[n++] = (unsigned char)value;
	append(message, bytes, n);
}

static void
append_key(struct protobuf *message, unsigned field, unsigned type)
{
	append_varint(message, (uint64_t)field << 3 | type);
}

static void
append_bytes(struct protobuf *message, unsigned field, const void *data, size_t len)
{
	append_key(message, field, WIRE_BYTES);
	append_varint(message, len);
	append(message, data, len);
}

void
protobuf_put_number(struct protobuf *message, unsigned field, uint64_t value)
{
	append_key(message, field, WIRE_VARINT);
	append_varint(message, value);
}

void
protobuf_put_string(struct protobuf *message, unsigned field, const char *text)
{
	if (text)
		append_bytes(message, field, text, strlen(text));
}

void
protobuf_put_message(struct protobuf *message, unsigned field, const struct protobuf *inner)
{
	append_bytes(message, field, inner->data, inner->len);
}

/* ---- reading --------------------------------------------------------- */

static void
skip(struct protobuf_reader *reader, size_t n)
{
	reader->data += n;
	reader->len -= n;
}

static int
read_varint(struct protobuf_reader *reader, uint64_t *ret_v)
{
	uint64_t v = 0;

	for (size_t i = 0; i < reader->len && i < VARINT_MAX; i++) {
		v |= (uint64_t)(reader->data[i] & 0x7f) << (7 * i);
		if (reader->data[i] & 0x80)
			continue;
		skip(reader, i + 1);
		*ret_v = v;
		return 0;
	}
	return -EBADMSG;
}

static int
read_value(struct protobuf_reader *reader, unsigned type, struct protobuf_field *field)
{
	uint64_t n = type == WIRE_64 ? 8 : 4;

	switch (type) {
	case WIRE_VARINT:
		return read_varint(reader, &field->value);
	case WIRE_BYTES:
		if (read_varint(reader, &n) < 0 || n > reader->len)
			return -EBADMSG;
		field->data = reader->data;
		field->len = (size_t)n;
		break;
	case WIRE_64:
	case WIRE_32:
		if (n > reader->len)
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	skip(reader, (size_t)n);
	return 0;
}

int
protobuf_next(struct protobuf_reader *reader, struct protobuf_field *ret_field)
{
	struct protobuf_field f = { 0 };
	uint64_t key;

	if (reader->len == 0)
		return 0;
	if (read_varint(reader, &key) < 0 || key >> 3 == 0 || key >> 32)
		return -EBADMSG;
	f.number = (unsigned)(key >> 3);
	if (read_value(reader, key & 7, &f) < 0)
		return -EBADMSG;
	*ret_field = f;
	return 1;
}

char *
protobuf_text(struct arena *a, const struct protobuf_field *field)
{
	return arena_strndup(a, field->data ? (const char *)field->data : "", field->len);
}
