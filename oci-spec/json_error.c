/* Theory of operation: yajl says what it missed but not exactly where, and in
 * words of its own. The place is found again from the last token that it
 * accepted: behind it comes white space, then the one separator that the
 * grammar allows there, then the culprit. The table turns yajl's phrase into
 * ours; an unknown phrase is shown as it is. */
#include <stdio.h>
#include <string.h>

#include "oci-spec/json_text.h"

enum where {
	AT_TOKEN,	 /* the next token, before any separator */
	AFTER_SEPARATOR, /* the next token behind ':' or ',' */
	AT_END,		 /* of the text */
	IN_STRING,	 /* the first byte that may not stand in a string */
};

struct phrase {
	const char *yajl;
	enum where where;
	const char *text;
	bool say_found; /* add what stands there */
};

static const struct phrase phrases[] = {
	{ "premature EOF", AT_END, "unexpected end of the file", false },
	{ "must be separated by a colon", AT_TOKEN, "expected ':' after the property name", true },
	{ "inside map, I expect", AT_TOKEN, "expected ',' or '}' after the value", true },
	{ "after array element", AT_TOKEN, "expected ',' or ']' after the value", true },
	{ "invalid object key", AFTER_SEPARATOR, "expected a property name in double quotes", true },
	{ "unallowed token", AFTER_SEPARATOR, "expected a value", true },
	{ "trailing garbage", AT_TOKEN, "expected the end of the file after the value", true },
	{ "'\\' occurs before", IN_STRING, "unknown escape in a string", true },
	{ "invalid character inside string", IN_STRING, "a control character in a string must be escaped", false },
	{ "(non-hex) character", IN_STRING, "expected four hexadecimal digits after \\u", true },
	{ "after the minus sign", AFTER_SEPARATOR, "expected a digit after '-'", true },
	{ "after the decimal point", AFTER_SEPARATOR, "expected a digit after the decimal point", true },
	{ "after the exponent", AFTER_SEPARATOR, "expected a digit in the exponent", true },
	{ "probable comment", AFTER_SEPARATOR, "comments are not allowed in JSON", false },
	{ "invalid char in json text", AFTER_SEPARATOR, "expected a value", true },
	{ "invalid string in json text", AFTER_SEPARATOR, "expected a value", true },
};

static size_t
skip_space(const struct issues *is, size_t at)
{
	while (at < is->len && memchr(" \t\r\n", is->text[at], 4))
		at++;
	return at;
}

/* The next token: its start, or behind the separator that may stand before it. */
static size_t
next_token(const struct issues *is, size_t at, bool after_separator, enum json_event event)
{
	char separator = event == JSON_AFTER_KEY ? ':' : event == JSON_AFTER_VALUE ? ',' : '\0';

	at = skip_space(is, at);
	if (after_separator && separator && at < is->len && is->text[at] == separator)
		at = skip_space(is, at + 1);
	return at;
}

static bool
is_hex(char c)
{
	return c && strchr("0123456789abcdefABCDEF", c);
}

/* First byte of the string at `at` (its opening quote) that may not stand there. */
static size_t
string_fault(const struct issues *is, size_t at)
{
	const char *s = is->text;

	for (at++; at < is->len && s[at] != '"'; at++) {
		if ((unsigned char)s[at] < 0x20)
			return at;
		if (s[at] != '\\')
			continue;
		at++;
		if (s[at] == 'u') {
			for (int i = 1; i <= 4; i++)
				if (!is_hex(s[at + (size_t)i]))
					return at + (size_t)i;
			at += 4;
		} else if (!s[at] || !strchr("\"\\/bfnrt", s[at])) {
			return at;
		}
	}
	return at;
}

static size_t
fault_place(const struct issues *is, enum where where, size_t token_end, enum json_event event)
{
	size_t at;

	if (where == AT_END)
		return is->len;
	at = next_token(is, token_end, where != AT_TOKEN, event);
	return where == IN_STRING ? string_fault(is, at) : at;
}

/* The word, number or punctuation at `at`, short, for a message. */
static const char *
found_text(const struct issues *is, size_t at)
{
	size_t n = 0;
	char word[24];

	if (at >= is->len)
		return "the end of the file";
	if (is->text[at] == '"')
		return "a string";
	while (n < sizeof(word) - 1 && at + n < is->len && is->text[at + n] &&
	       !strchr(" \t\r\n,:{}[]\"", is->text[at + n])) {
		word[n] = is->text[at + n];
		n++;
	}
	if (n == 0)
		word[n++] = is->text[at];
	word[n] = '\0';
	return json_quote(is->arena, word);
}

static const struct phrase *
find_phrase(const char *message)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		if (strstr(message, phrases[i].yajl))
			return &phrases[i];
	return NULL;
}

void
json_syntax_error(struct issues *is, const char *yajl_message, size_t token_end, enum json_event event,
		  const struct json_value *open)
{
	const struct phrase *p = find_phrase(yajl_message);
	size_t at = fault_place(is, p ? p->where : AFTER_SEPARATOR, token_end, event);
	const char *path = open ? json_path(is->arena, open) : "";

	if (!p) {
		issues_add(is, SPEC_ERROR, at, path, "not JSON: %.*s", (int)strcspn(yajl_message, "\n"), yajl_message);
	} else if (p->where == AT_END && open) {
		issues_add(is, SPEC_ERROR, at, path, "%s, the '%c' of line %u is still open", p->text,
			   open->type == JSON_OBJECT ? '{' : '[', issues_line(is, open->offset));
	} else if (p->say_found) {
		issues_add(is, SPEC_ERROR, at, path, "%s, found %s", p->text, found_text(is, at));
	} else {
		issues_add(is, SPEC_ERROR, at, path, "%s", p->text);
	}
}
