/* Writes JSON text (RFC 8259) into a growing buffer: strings are escaped, bytes that
 * are not UTF-8 become U+FFFD, commas come by themselves. Which calls may follow each
 * other is the caller's to know. Used for state, features, log lines and lists. */
#ifndef KNARR_BASE_JSON_OUT_H
#define KNARR_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct json_out {
	struct arena *arena;
	char *text; /* NUL-terminated; complete when all is closed, valid until the next call */
	size_t len, cap;
	unsigned depth; /* objects and arrays that are open */
	bool pretty, need_comma, after_key;
};

/* An empty text in a. pretty: two blanks for each level, a line for each member; no
 * newline at the end either way. */
void json_out_init(struct json_out *j, struct arena *a, bool pretty);

/* An object or array begins ('{', '[') and ends ('}', ']'). */
void json_out_open(struct json_out *j, char bracket);
void json_out_close(struct json_out *j, char bracket);

/* The key of a member; one of the others, its value, follows. */
void json_out_key(struct json_out *j, const char *key);

/* A value: an element, what stands behind a key, or the whole text. text NULL: null. */
void json_out_string(struct json_out *j, const char *text);
void json_out_int(struct json_out *j, int64_t value);
void json_out_uint(struct json_out *j, uint64_t value);
void json_out_bool(struct json_out *j, bool value);

/* value / 10^digits as a decimal number without trailing zeros: (1250, 2) is 12.5. */
void json_out_decimal(struct json_out *j, uint64_t value, unsigned digits);

/* A number as another JSON text has it, unchanged. */
void json_out_number(struct json_out *j, const char *text);

/* Key and string in one: the commonest pair. */
void json_out_member(struct json_out *j, const char *key, const char *text);

#endif
