/* The text grows by doubling in the
 * arena. Commas and indentation follow from three facts: is something open
 * before us (need_comma), did a key come just now (after_key), how deep are
 * we. Misuse (a key outside an object, say) is a bug of the caller and is not
 * detected here; the tests of the documents parse what was written. */
#include "base/json_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void
put(struct json_out *j, const char *text, size_t n)
{
	if (j->cap - j->len <= n) {
		size_t cap = j->cap;

		while (cap - j->len <= n)
			cap *= 2;
		j->text = arena_grow(j->arena, j->text, j->len, cap);
		j->cap = cap;
	}
	memcpy(j->text + j->len, text, n);
	j->len += n;
	j->text[j->len] = '\0';
}

void
json_out_init(struct json_out *j, struct arena *a, bool pretty)
{
	*j = (struct json_out){ .arena = a, .cap = 1024, .pretty = pretty };
	j->text = arena_alloc(a, j->cap);
}

static void
new_line(struct json_out *j)
{
	if (!j->pretty)
		return;
	put(j, "\n", 1);
	for (unsigned i = 0; i < j->depth; i++)
		put(j, "  ", 2);
}

/* What stands before a key, an element or an opening bracket. */
static void
begin_item(struct json_out *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->need_comma)
		put(j, ",", 1);
	if (j->depth > 0)
		new_line(j);
}

void
json_out_open(struct json_out *j, char bracket)
{
	begin_item(j);
	put(j, &bracket, 1);
	j->depth++;
	j->need_comma = false;
}

void
json_out_close(struct json_out *j, char bracket)
{
	j->depth--;
	if (j->need_comma) /* not empty */
		new_line(j);
	put(j, &bracket, 1);
	j->need_comma = true;
}

static void
put_escaped(struct json_out *j, unsigned char ch)
{
	static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char text[8];

	for (const char *p = short_form; *p; p += 2)
		if ((unsigned char)*p == ch) {
			put(j, "\\", 1);
			put(j, p + 1, 1);
			return;
		}
	snprintf(text, sizeof(text), "\\u%04x", ch);
	put(j, text, 6);
}

/* What needs no escape: each of state and documents goes through here, and a state may be megabytes long. */
static const bool plain_ascii[256] = {
	[' ' ... '!'] = true,
	['#' ... '['] = true,
	[']' ... '~'] = true,
};

static void
put_string(struct json_out *j, const char *text)
{
	put(j, "\"", 1);
	while (*text) {
		size_t n = 0, char_len = 0;

		/* a run of what needs no escape goes out in one piece */
		do {
			while (plain_ascii[(unsigned char)text[n]])
				n++;
			char_len = (unsigned char)text[n] < 0x80 ? 0 : utf8_char_length(text + n);
			n += char_len;
		} while (char_len > 0);
		put(j, text, n);
		text += n;
		if (!*text)
			break;
		if ((unsigned char)*text < 0x80)
			put_escaped(j, (unsigned char)*text);
		else
			put(j, "\xef\xbf\xbd", 3); /* U+FFFD */
		text++;
	}
	put(j, "\"", 1);
}

void
json_out_key(struct json_out *j, const char *key)
{
	begin_item(j);
	put_string(j, key);
	if (j->pretty)
		put(j, ": ", 2);
	else
		put(j, ":", 1);
	j->after_key = true;
}

void
json_out_string(struct json_out *j, const char *text)
{
	begin_item(j);
	if (text)
		put_string(j, text);
	else
		put(j, "null", 4);
	j->need_comma = true;
}

static void
put_word(struct json_out *j, const char *word)
{
	begin_item(j);
	put(j, word, strlen(word));
	j->need_comma = true;
}

void
json_out_int(struct json_out *j, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	put_word(j, text);
}

void
json_out_uint(struct json_out *j, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_word(j, text);
}

void
json_out_decimal(struct json_out *j, uint64_t value, unsigned digits)
{
	uint64_t unit = 1;
	char text[48];

	while (digits > 0 && value % 10 == 0) {
		value /= 10;
		digits--;
	}
	for (unsigned i = 0; i < digits; i++)
		unit *= 10;
	if (digits == 0)
		snprintf(text, sizeof(text), "%" PRIu64, value);
	else
		snprintf(text, sizeof(text), "%" PRIu64 ".%0*" PRIu64, value / unit, (int)digits, value % unit);
	put_word(j, text);
}

void
json_out_number(struct json_out *j, const char *text)
{
	put_word(j, text);
}

void
json_out_bool(struct json_out *j, bool value)
{
	put_word(j, value ? "true" : "false");
}

void
json_out_member(struct json_out *j, const char *key, const char *text)
{
	json_out_key(j, key);
	json_out_string(j, text);
}
