/* Theory of operation: looks at the tree that json_text.c built: finding a
 * member, and the texts for messages (paths, descriptions, quotes). */
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "oci-spec/json_text.h"

/* Longest part of a value that a message shows, in bytes. */
#define QUOTE_MAX 60

const struct json_value *
json_get(const struct json_value *value, const char *key)
{
	if (!value || value->type != JSON_OBJECT)
		return NULL;
	for (const struct json_value *m = value->first; m; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m->type == JSON_NULL ? NULL : m;
	return NULL;
}

static bool
is_plain_word(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

char *
json_path(struct arena *a, const struct json_value *value)
{
	const char *parent;

	if (!value->parent)
		return arena_strdup(a, "");
	parent = json_path(a, value->parent);
	if (!value->key)
		return arena_printf(a, "%s[%u]", parent, value->index);
	if (!is_plain_word(value->key))
		return arena_printf(a, "%s[%s]", parent, json_quote(a, value->key));
	return arena_printf(a, "%s%s%s", parent, *parent ? "." : "", value->key);
}

char *
json_quote(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, QUOTE_MAX * 4 + sizeof("\"…\""));
	char *p = out;
	size_t i = 0;

	*p++ = '"';
	while (text[i] && i < QUOTE_MAX) {
		size_t n = printable_length(text + i);

		if (text[i] == '"' || text[i] == '\\') {
			*p++ = '\\';
			*p++ = text[i];
		} else if (n == 0) {
			p += snprintf(p, sizeof("\\xff"), "\\x%02x", (unsigned char)text[i]);
			n = 1;
		} else {
			memcpy(p, text + i, n);
			p += n;
		}
		i += n;
	}
	if (text[i]) {
		memcpy(p, "…", strlen("…"));
		p += strlen("…");
	}
	*p = '"'; /* the arena's zeroes end it */
	return out;
}

char *
json_describe(struct arena *a, const struct json_value *value)
{
	switch (value->type) {
	case JSON_NULL:
		return arena_strdup(a, "null");
	case JSON_BOOL:
		return arena_strdup(a, value->boolean ? "true" : "false");
	case JSON_NUMBER:
		return arena_printf(a, "the number %.*s%s", QUOTE_MAX, value->text, value->n > QUOTE_MAX ? "…" : "");
	case JSON_STRING:
		return arena_printf(a, "the string %s", json_quote(a, value->text));
	case JSON_ARRAY:
		return arena_strdup(a, "an array");
	case JSON_OBJECT:
		return arena_strdup(a, "an object");
	}
	return arena_strdup(a, "something else");
}
