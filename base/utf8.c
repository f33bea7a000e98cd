/* Text is nearly all ASCII, so eight bytes at
 * a time are looked at until one of them has its top bit set. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t
utf8_char_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

size_t
utf8_first_fault(const char *text, size_t len)
{
	const uint64_t top_bits = UINT64_C(0x8080808080808080);
	size_t i = 0;

	while (i < len) {
		uint64_t eight;
		size_t n;

		if (len - i >= sizeof(eight)) {
			memcpy(&eight, text + i, sizeof(eight));
			if (!(eight & top_bits)) {
				i += sizeof(eight);
				continue;
			}
		}
		n = utf8_char_length(text + i);
		if (n == 0)
			return i;
		i += n;
	}
	return len;
}
