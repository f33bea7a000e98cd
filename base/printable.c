/* A terminal acts on the bytes 0x00 to 0x1f and 0x7f, and some on U+0080 to U+009f, coded as UTF-8
 * or as a lone byte. Unicode has more that make a line look like another one. */
#include "base/printable.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f }, /* C0, DEL, C1 */
	{ 0x00ad, 0x00ad },			  /* soft hyphen */
	{ 0x061c, 0x061c },			  /* Arabic letter mark */
	{ 0x200b, 0x200f },			  /* without a width; marks of direction */
	{ 0x2028, 0x202e },			  /* line and paragraph separator; embedding, override */
	{ 0x2060, 0x206f },			  /* invisible operators, isolates */
	{ 0xfeff, 0xfeff },			  /* byte order mark */
	{ 0xfff9, 0xfffb },			  /* interlinear annotation */
	{ 0xe0000, 0xe007f },			  /* tags */
};

static uint32_t
decode(const char *text, size_t len)
{
	static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)text[0] & first_bits[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

size_t
printable_length(const char *text)
{
	size_t len = utf8_char_length(text);
	uint32_t c = len ? decode(text, len) : 0;

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return 0;
	return len;
}

size_t
printable_escape(char byte, char out[PRINTABLE_ESCAPE])
{
	if (byte == '\n' || byte == '\t')
		return (size_t)snprintf(out, PRINTABLE_ESCAPE, "\\%c", byte == '\n' ? 'n' : 't');
	return (size_t)snprintf(out, PRINTABLE_ESCAPE, "\\x%02x", (unsigned char)byte);
}

char *
printable_text(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, strlen(text) * (PRINTABLE_ESCAPE - 1) + 1), *p = out;

	while (*text) {
		size_t len = printable_length(text);

		if (len) {
			memcpy(p, text, len);
			p += len;
			text += len;
		} else {
			char escape[PRINTABLE_ESCAPE];

			len = printable_escape(*text++, escape);
			memcpy(p, escape, len);
			p += len;
		}
	}
	*p = '\0';
	return out;
}
