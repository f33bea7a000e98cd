/* Writes JSON text into a growing buffer: valid by construction, strings are
 * escaped, bytes that are not UTF-8 become U+FFFD. Used for state, features,
 * log lines and lists. */
#ifndef KNARR_BASE_JSON_OUT_H
#define KNARR_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct json_out {
	struct arena *arena;
	char *text; /* NUL-terminated; valid until the next call */
	size_t len, cap;
	unsigned depth;
	bool pretty, need_comma, after_key;
};

void json_out_init(struct json_out *j, struct arena *a, bool pretty);
void json_out_open(struct json_out *j, char bracket);  /* '{' or '[' */
void json_out_close(struct json_out *j, char bracket); /* '}' or ']' */
void json_out_key(struct json_out *j, const char *key);
void json_out_string(struct json_out *j, const char *s); /* NULL writes null */
void json_out_int(struct json_out *j, int64_t v);
void json_out_uint(struct json_out *j, uint64_t v);
/* v / 10^digits as a decimal number without trailing zeros: (1250, 2) is 12.5. */
void json_out_decimal(struct json_out *j, uint64_t v, unsigned digits);
void json_out_number(struct json_out *j, const char *text); /* a number of JSON, as it is */
void json_out_bool(struct json_out *j, bool v);
/* key and string in one: the commonest pair. */
void json_out_member(struct json_out *j, const char *key, const char *s);

#endif
