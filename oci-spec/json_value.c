/* Theory of operation: looks at the tree that json_text.c built: finding a
 * member, and the texts for messages (paths, descriptions, quotes). */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "oci-spec/json_text.h"

/* Longest part of a value that a message shows, in bytes. */
#define QUOTE_MAX 60

const struct json_value *
json_get(const struct json_value *v, const char *key)
{
	if (!v || v->type != JSON_OBJECT)
		return NULL;
	for (const struct json_value *m = v->first; m; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m->type == JSON_NULL ? NULL : m;
	return NULL;
}

static bool
is_plain_word(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

char *
json_path(struct arena *a, const struct json_value *v)
{
	const char *parent;

	if (!v->parent)
		return arena_strdup(a, "");
	parent = json_path(a, v->parent);
	if (!v->key)
		return arena_printf(a, "%s[%u]", parent, v->index);
	if (!is_plain_word(v->key))
		return arena_printf(a, "%s[%s]", parent, json_quote(a, v->key));
	return arena_printf(a, "%s%s%s", parent, *parent ? "." : "", v->key);
}

char *
json_quote(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, QUOTE_MAX * 4 + sizeof("\"…\""));
	char *p = out;
	size_t i = 0;

	*p++ = '"';
	while (s[i] && i < QUOTE_MAX) {
		size_t n = utf8_char_length(s + i);

		if (s[i] == '"' || s[i] == '\\') {
			*p++ = '\\';
			*p++ = s[i];
		} else if (n == 0 || (unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
			p += snprintf(p, sizeof("\\xff"), "\\x%02x", (unsigned char)s[i]);
			n = 1;
		} else {
			memcpy(p, s + i, n);
			p += n;
		}
		i += n;
	}
	if (s[i]) {
		memcpy(p, "…", strlen("…"));
		p += strlen("…");
	}
	*p = '"'; /* the arena's zeroes end it */
	return out;
}

char *
json_describe(struct arena *a, const struct json_value *v)
{
	switch (v->type) {
	case JSON_NULL:
		return arena_strdup(a, "null");
	case JSON_BOOL:
		return arena_strdup(a, v->boolean ? "true" : "false");
	case JSON_NUMBER:
		return arena_printf(a, "the number %.*s%s", QUOTE_MAX, v->text, v->n > QUOTE_MAX ? "…" : "");
	case JSON_STRING:
		return arena_printf(a, "the string %s", json_quote(a, v->text));
	case JSON_ARRAY:
		return arena_strdup(a, "an array");
	case JSON_OBJECT:
		return arena_strdup(a, "an object");
	}
	return arena_strdup(a, "something else");
}
