/* base/json_out.h: exact bytes of what is written, and that bytes which are no
 * UTF-8 come out as U+FFFD. */
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/utf8.h"
#include "tests/unit/check.h"

static void
expect(int line, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	fprintf(stderr, "%s:%d: got  <%s>\n%s:%d: want <%s>\n", __FILE__, line, got, __FILE__, line, want);
	failed = 1;
}
#define EXPECT(got, want) expect(__LINE__, got, want)

static void
write_sample(struct json_out *j)
{
	json_out_open(j, '{');
	json_out_member(j, "a", "x");
	json_out_key(j, "b");
	json_out_open(j, '[');
	json_out_int(j, INT64_MIN);
	json_out_uint(j, UINT64_MAX);
	json_out_bool(j, true);
	json_out_string(j, NULL);
	json_out_open(j, '{');
	json_out_close(j, '}');
	json_out_open(j, '[');
	json_out_close(j, ']');
	json_out_close(j, ']');
	json_out_key(j, "c");
	json_out_open(j, '{');
	json_out_key(j, "d");
	json_out_bool(j, false);
	json_out_close(j, '}');
	json_out_close(j, '}');
}

static void
test_structure(void)
{
	auto_arena struct arena a = { 0 };
	struct json_out j;

	json_out_init(&j, &a, false);
	write_sample(&j);
	EXPECT(j.text,
	       "{\"a\":\"x\",\"b\":[-9223372036854775808,18446744073709551615,true,null,{},[]],\"c\":{\"d\":false}}");
	json_out_init(&j, &a, true);
	write_sample(&j);
	EXPECT(j.text,
	       "{\n  \"a\": \"x\",\n  \"b\": [\n    -9223372036854775808,\n    18446744073709551615,\n    true,\n"
	       "    null,\n    {},\n    []\n  ],\n  \"c\": {\n    \"d\": false\n  }\n}");
}

static void
test_strings(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain /path", "\"plain /path\"" },
		{ "\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "smør 漢字 😀", "\"smør 漢字 😀\"" },
		{ "a\xffz", "\"a\xef\xbf\xbdz\"" },
		{ "\xc3", "\"\xef\xbf\xbd\"" },							/* cut short */
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },					/* overlong '/' */
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },			/* surrogate */
		{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* above U+10FFFF */
		{ "\xf0\x9f\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_arena struct arena a = { 0 };
		struct json_out j;

		json_out_init(&j, &a, false);
		json_out_string(&j, cases[i].in);
		EXPECT(j.text, cases[i].out);
	}
}

static void
test_long(void)
{
	auto_arena struct arena a = { 0 };
	struct json_out j;

	json_out_init(&j, &a, false);
	json_out_open(&j, '[');
	for (int i = 0; i < 5000; i++)
		json_out_string(&j, "0123456789");
	json_out_close(&j, ']');
	if (j.len != 1 + 5000 * 13 || strlen(j.text) != j.len) {
		fprintf(stderr, "%s:%d: %zu bytes\n", __FILE__, __LINE__, j.len);
		failed = 1;
	}
}

static void
test_utf8(void)
{
	static const struct {
		const char *in;
		size_t len, fault;
	} cases[] = {
		{ "", 0, 0 },
		{ "0123456789abcdef", 16, 16 },
		{ "01234567\xff", 9, 8 },
		{ "0123456789\x80", 11, 10 },
		{ "a\0b", 3, 3 },
		{ "\xe2\x82\xac\xe2\x82", 5, 3 },
		{ "12345678\xf0\x9f\x98\x80 12345678", 21, 21 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t fault = utf8_first_fault(cases[i].in, cases[i].len);

		if (fault != cases[i].fault) {
			fprintf(stderr, "%s:%d: case %zu: %zu\n", __FILE__, __LINE__, i, fault);
			failed = 1;
		}
	}
}

int
main(void)
{
	test_structure();
	test_strings();
	test_long();
	test_utf8();
	return failed;
}
