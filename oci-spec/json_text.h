/* Text -> a tree of JSON values in an arena, each knowing its place in the
 * text and its parents. Strict RFC 8259, and stricter where silence would be
 * dangerous: duplicate keys, NUL and lone surrogates in strings are errors.
 * Inside oci-spec and libcontainer's readers of its own files. */
#ifndef KNARR_OCI_SPEC_JSON_TEXT_H
#define KNARR_OCI_SPEC_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json_out.h"
#include "oci-spec/issues.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_type type;
	bool boolean;
	bool broken;	     /* a string that was reported already: a NUL or half a surrogate pair in it */
	bool duplicate;	     /* not in the tree: its key was given before */
	uint32_t offset;     /* of its first byte in the text */
	uint32_t key_offset; /* of its key's opening quote; members of objects only */
	uint32_t index;	     /* place in its array or object, from 0 */
	uint32_t n;	     /* elements or members; bytes of a string or number */
	char *text;	     /* JSON_STRING: decoded; JSON_NUMBER: as written; NUL-terminated */
	char *key;	     /* NULL: not a member of an object */
	struct json_value *parent, *next, *first;
};

/* Parses len bytes (at most SPEC_MAX_SIZE, nesting at most SPEC_MAX_DEPTH).
 * text[len] must be readable and NUL. What is wrong goes to `is`. Returns NULL
 * when there is no tree: not JSON at all, too large or too deep. A duplicate
 * member is left out of the tree. Memory from a. */
struct json_value *json_parse(const char *text, size_t len, struct arena *a, struct issues *is);

/* The member `key` of an object; NULL: none, null, or value is not an object. */
const struct json_value *json_get(const struct json_value *value, const char *key);

/* json_write.c: the text of value; numbers as they were written. */
void json_write(struct json_out *j, const struct json_value *value);

/* Path from the root: "linux.seccomp.syscalls[3].action"; "" for the root. A
 * key that is not a plain word is quoted: annotations["a.b"]. */
char *json_path(struct arena *a, const struct json_value *value);

/* What value is, for messages: the string "abc", the number 5, true, an object. */
char *json_describe(struct arena *a, const struct json_value *value);

/* A string in quotes for messages: control bytes escaped, cut when long. */
char *json_quote(struct arena *a, const char *text);

/* json_error.c: the last thing that was understood before a mistake. */
enum json_event { JSON_AT_START, JSON_AFTER_OPEN, JSON_AFTER_KEY, JSON_AFTER_VALUE };

/* Adds an issue for a syntax error: what yajl said about it, where the last
 * token ended, and the innermost open object or array (NULL: none). */
void json_syntax_error(struct issues *is, const char *yajl_message, size_t token_end, enum json_event event,
		       const struct json_value *open);

#endif
