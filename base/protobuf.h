/* The wire format of Protocol Buffers, as far as CRIU's RPC uses it: numbers
 * (bool, enum, int32, uint32, uint64) as varints, strings and messages with
 * their length in front. A message is written field by field into a growing
 * buffer and read field by field; there are no schemas and no generated code. */
#ifndef KNARR_BASE_PROTOBUF_H
#define KNARR_BASE_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* `struct protobuf m = { .arena = a };` is an empty message. */
struct protobuf {
	struct arena *arena;
	unsigned char *data;
	size_t len, cap;
};

/* Adds a number. A negative int32 is given as (uint64_t)(int64_t)value: ten bytes, as the
 * format wants. */
void protobuf_put_number(struct protobuf *message, unsigned field, uint64_t value);

/* Adds a string; NULL adds nothing. */
void protobuf_put_string(struct protobuf *message, unsigned field, const char *text);

/* Adds a copy of the whole message inner as a field of message. */
void protobuf_put_message(struct protobuf *message, unsigned field, const struct protobuf *inner);

/* `struct protobuf_reader r = { data, len };` */
struct protobuf_reader {
	const unsigned char *data;
	size_t len; /* what is left */
};

struct protobuf_field {
	unsigned number;
	uint64_t value;		   /* of a number; else 0 */
	const unsigned char *data; /* of a string or message: points into the text, no NUL; else NULL */
	size_t len;
};

/* 1 and the next field, 0 at the end, -EBADMSG for what is not a message. One of fixed
 * width (four or eight bytes, which CRIU does not use) has its number and no value. */
int protobuf_next(struct protobuf_reader *reader, struct protobuf_field *ret_field);

/* The string of a field in the arena, cut at a NUL. */
char *protobuf_text(struct arena *a, const struct protobuf_field *field);

#endif
