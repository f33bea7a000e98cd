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
append(struct protobuf *m, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (m->cap - m->len < len) {
		size_t cap = (m->cap + len) * 2;

		m->data = arena_grow(m->arena, m->data, m->len, cap);
		m->cap = cap;
	}
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void
append_varint(struct protobuf *m, uint64_t v)
{
	unsigned char bytes[VARINT_MAX];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (unsigned char)(v | 0x80);
	bytes[n++] = (unsigned char)v;
	append(m, bytes, n);
}

static void
append_key(struct protobuf *m, unsigned field, unsigned type)
{
	append_varint(m, (uint64_t)field << 3 | type);
}

static void
append_bytes(struct protobuf *m, unsigned field, const void *data, size_t len)
{
	append_key(m, field, WIRE_BYTES);
	append_varint(m, len);
	append(m, data, len);
}

void
protobuf_put_number(struct protobuf *m, unsigned field, uint64_t v)
{
	append_key(m, field, WIRE_VARINT);
	append_varint(m, v);
}

void
protobuf_put_string(struct protobuf *m, unsigned field, const char *s)
{
	if (s)
		append_bytes(m, field, s, strlen(s));
}

void
protobuf_put_message(struct protobuf *m, unsigned field, const struct protobuf *inner)
{
	append_bytes(m, field, inner->data, inner->len);
}

/* ---- reading --------------------------------------------------------- */

static void
skip(struct protobuf_reader *r, size_t n)
{
	r->data += n;
	r->len -= n;
}

static int
read_varint(struct protobuf_reader *r, uint64_t *ret_v)
{
	uint64_t v = 0;

	for (size_t i = 0; i < r->len && i < VARINT_MAX; i++) {
		v |= (uint64_t)(r->data[i] & 0x7f) << (7 * i);
		if (r->data[i] & 0x80)
			continue;
		skip(r, i + 1);
		*ret_v = v;
		return 0;
	}
	return -EBADMSG;
}

static int
read_value(struct protobuf_reader *r, unsigned type, struct protobuf_field *f)
{
	uint64_t n = type == WIRE_64 ? 8 : 4;

	switch (type) {
	case WIRE_VARINT:
		return read_varint(r, &f->value);
	case WIRE_BYTES:
		if (read_varint(r, &n) < 0 || n > r->len)
			return -EBADMSG;
		f->data = r->data;
		f->len = (size_t)n;
		break;
	case WIRE_64:
	case WIRE_32:
		if (n > r->len)
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	skip(r, (size_t)n);
	return 0;
}

int
protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret_field)
{
	struct protobuf_field f = { 0 };
	uint64_t key;

	if (r->len == 0)
		return 0;
	if (read_varint(r, &key) < 0 || key >> 3 == 0 || key >> 32)
		return -EBADMSG;
	f.number = (unsigned)(key >> 3);
	if (read_value(r, key & 7, &f) < 0)
		return -EBADMSG;
	*ret_field = f;
	return 1;
}

char *
protobuf_text(struct arena *a, const struct protobuf_field *f)
{
	return arena_strndup(a, f->data ? (const char *)f->data : "", f->len);
}
