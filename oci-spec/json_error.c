/* Theory of operation: yajl says that the text is wrong but not exactly where,
 * and in words of its own. The place is found again from the last token that it
 * accepted: behind it comes white space, then the one separator that the
 * grammar allows there, then the culprit. What was expected there follows from
 * the same state. Only mistakes inside of a token need yajl's phrase, to tell
 * which token it was reading. */
#include <string.h>

#include "oci-spec/json_text.h"

enum fault {
	FAULT_END,    /* the text ends too early */
	FAULT_STRING, /* a byte that may not stand in a string */
	FAULT_NUMBER, /* an unfinished number */
	FAULT_COMMENT,
};

static const struct {
	const char *yajl;
	enum fault fault;
	const char *text;
} phrases[] = {
	{ "premature EOF", FAULT_END, "unexpected end of the file" },
	{ "'\\' occurs before", FAULT_STRING, "unknown escape in a string" },
	{ "invalid character inside string", FAULT_STRING, "a control character in a string must be escaped" },
	{ "(non-hex) character", FAULT_STRING, "expected four hexadecimal digits after \\u" },
	{ "after the minus sign", FAULT_NUMBER, "expected a digit after '-'" },
	{ "after the decimal point", FAULT_NUMBER, "expected a digit after the decimal point" },
	{ "after the exponent", FAULT_NUMBER, "expected a digit in the exponent" },
	{ "probable comment", FAULT_COMMENT, "comments are not allowed in JSON" },
};

static size_t
skip_space(const struct issues *is, size_t at)
{
	while (at < is->len && memchr(" \t\r\n", is->text[at], 4))
		at++;
	return at;
}

/* What the grammar wants behind the last token. *at: moves from the end of that
 * token to the start of the next one, over a separator that belongs there. */
static const char *
expectation(const struct issues *is, enum json_event event, const struct json_value *open, size_t *at)
{
	char separator = event == JSON_AFTER_KEY ? ':' : event == JSON_AFTER_VALUE && open ? ',' : '\0';
	bool in_object = open && open->type == JSON_OBJECT;

	*at = skip_space(is, *at);
	if (separator && *at < is->len && is->text[*at] == separator) {
		*at = skip_space(is, *at + 1);
		return event == JSON_AFTER_VALUE && in_object ? "a property name in double quotes" : "a value";
	}
	switch (event) {
	case JSON_AFTER_KEY:
		return "':' after the property name";
	case JSON_AFTER_VALUE:
		return !open	   ? "the end of the file"
		       : in_object ? "',' or '}' after the value"
				   : "',' or ']' after the value";
	case JSON_AFTER_OPEN:
		return in_object ? "a property name in double quotes or '}'" : "a value or ']'";
	case JSON_AT_START:
		break;
	}
	return "a value";
}

static bool
is_hex(char ch)
{
	return ch && strchr("0123456789abcdefABCDEF", ch);
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
	if ((unsigned char)is->text[at] < 0x20)
		return arena_printf(is->arena, "the byte 0x%02x", (unsigned char)is->text[at]);
	while (n < sizeof(word) - 1 && is->text[at + n] && !strchr(" \t\r\n,:{}[]\"", is->text[at + n])) {
		word[n] = is->text[at + n];
		n++;
	}
	if (n == 0)
		word[n++] = is->text[at];
	word[n] = '\0';
	return json_quote(is->arena, word);
}

/* The text ends before everything was closed. */
static void
report_end(struct issues *is, const char *path, const struct json_value *open)
{
	if (open)
		issues_add(is, SPEC_ERROR, is->len, path,
			   "unexpected end of the file, the '%c' of line %u is still open",
			   open->type == JSON_OBJECT ? '{' : '[', issues_line(is, open->offset));
	else
		issues_add(is, SPEC_ERROR, is->len, path, "unexpected end of the file");
}

void
json_syntax_error(struct issues *is, const char *yajl_message, size_t token_end, enum json_event event,
		  const struct json_value *open)
{
	const char *path = open ? json_path(is->arena, open) : "";
	size_t at = token_end;
	const char *wanted = expectation(is, event, open, &at);

	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (!strstr(yajl_message, phrases[i].yajl))
			continue;
		if (phrases[i].fault == FAULT_END)
			report_end(is, path, open);
		else
			issues_add(is, SPEC_ERROR, phrases[i].fault == FAULT_STRING ? string_fault(is, at) : at, path,
				   "%s", phrases[i].text);
		return;
	}
	issues_add(is, SPEC_ERROR, at, path, "expected %s, found %s", wanted, found_text(is, at));
}
