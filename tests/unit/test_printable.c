/* base/printable.h: what a terminal acts on, and what passes. */
#include "base/printable.h"

#include <string.h>

#include "tests/unit/check.h"

static void
test_text(void)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "", "" },
		{ "plain \"text\" \\ with blanks ~", "plain \"text\" \\ with blanks ~" },
		{ "é ß 漢字 🙂 e\xcc\x81", "é ß 漢字 🙂 e\xcc\x81" },
		{ "\033[2J\033]0;title\a", "\\x1b[2J\\x1b]0;title\\x07" },
		{ "one\ntwo\r\tthree", "one\\ntwo\\x0d\\tthree" },
		{ "\x7f\b", "\\x7f\\x08" },
		{ "\x9b[2J", "\\x9b[2J" },					  /* CSI as a byte */
		{ "\xc2\x9b[2J \xc2\xa0", "\\xc2\\x9b[2J \xc2\xa0" },		  /* and as UTF-8 */
		{ "\xff\xc0\x80\xed\xa0\x80", "\\xff\\xc0\\x80\\xed\\xa0\\x80" }, /* not UTF-8 */
		{ "\xe2\x80\xae"
		  "gpj.exe",
		  "\\xe2\\x80\\xaegpj.exe" }, /* right to left */
		{ "a\xe2\x80\xa8"
		  "b\xe2\x80\x8b",
		  "a\\xe2\\x80\\xa8b\\xe2\\x80\\x8b" },
		{ "\xe2\x81\xa6\xef\xbb\xbf\xf3\xa0\x80\x81", "\\xe2\\x81\\xa6\\xef\\xbb\\xbf\\xf3\\xa0\\x80\\x81" },
		{ "\xe2\x80\xa6", "\xe2\x80\xa6" }, /* an ellipsis, of the same block */
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(!strcmp(printable_text(&a, cases[i].text), cases[i].shown));
}

int
main(void)
{
	test_text();
	return failed;
}
