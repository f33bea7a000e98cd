/* Messages as a bus sends them, put together here by hand, in either byte order and with whatever is
 * wrong in them. */
#ifndef KNARR_TESTS_UNIT_BUS_MESSAGE_H
#define KNARR_TESTS_UNIT_BUS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	unsigned char data[4096];
	size_t n;
	bool swapped; /* not in the byte order of this machine */
};

static inline void
put(struct bytes *b, const void *data, size_t len)
{
	memcpy(b->data + b->n, data, len);
	b->n += len;
}

static inline void
put_byte(struct bytes *b, unsigned byte)
{
	b->data[b->n++] = (unsigned char)byte;
}

static inline void
put_align(struct bytes *b, size_t size)
{
	while (b->n % size)
		b->data[b->n++] = 0;
}

static inline uint32_t
in_order(const struct bytes *b, uint32_t number)
{
	return b->swapped ? __builtin_bswap32(number) : number;
}

static inline void
put_u32(struct bytes *b, uint32_t number)
{
	uint32_t ordered = in_order(b, number);

	put_align(b, 4);
	put(b, &ordered, 4);
}

static inline void
put_text(struct bytes *b, const char *text)
{
	put_u32(b, (uint32_t)strlen(text));
	put(b, text, strlen(text) + 1);
}

static inline void
put_signature(struct bytes *b, const char *signature)
{
	put_byte(b, (unsigned)strlen(signature));
	put(b, signature, strlen(signature) + 1);
}

/* What a message has; NULL and 0: it has none. */
struct message {
	unsigned type; /* 2: reply, 3: error, 4: signal */
	uint32_t reply_serial;
	const char *path, *interface, *member, *error, *sender, *signature;
	const struct bytes *extra; /* fields, from a multiple of 8 on */
	const struct bytes *body;
};

static inline void
put_field(struct bytes *b, unsigned code, const char *type, const char *text)
{
	if (!text)
		return;
	put_align(b, 8);
	put_byte(b, code);
	put_signature(b, type);
	if (*type == 'g')
		put_signature(b, text);
	else
		put_text(b, text);
}

static inline void
put_message(struct bytes *out, const struct message *m)
{
	struct bytes b = { .swapped = out->swapped };
	bool big = (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != b.swapped;
	uint32_t length;

	put_byte(&b, big ? 'B' : 'l');
	put_byte(&b, m->type);
	put_byte(&b, 1);
	put_byte(&b, 1);
	put_u32(&b, m->body ? (uint32_t)m->body->n : 0);
	put_u32(&b, 77);
	put_u32(&b, 0);
	put_field(&b, 1, "o", m->path);
	put_field(&b, 2, "s", m->interface);
	put_field(&b, 3, "s", m->member);
	put_field(&b, 4, "s", m->error);
	if (m->reply_serial) {
		put_align(&b, 8);
		put_byte(&b, 5);
		put_signature(&b, "u");
		put_u32(&b, m->reply_serial);
	}
	put_field(&b, 7, "s", m->sender);
	put_field(&b, 8, "g", m->signature);
	if (m->extra) {
		put_align(&b, 8);
		put(&b, m->extra->data, m->extra->n);
	}
	length = in_order(&b, (uint32_t)(b.n - 16));
	memcpy(b.data + 12, &length, 4);
	put_align(&b, 8);
	if (m->body)
		put(&b, m->body->data, m->body->n);
	put(out, b.data, b.n);
}

#endif
