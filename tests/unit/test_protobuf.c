/* base/protobuf.c: against bytes of the format's own documentation, there and
 * back, and against every kind of damage. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/protobuf.h"
#include "tests/unit/check.h"

static void
check_bytes(const struct protobuf *m, const char *bytes, size_t len)
{
	CHECK(m->len == len && memcmp(m->data, bytes, len) == 0);
}

static void
test_writing(struct arena *a)
{
	struct protobuf number = { .arena = a }, string = { .arena = a }, outer = { .arena = a }, none = { .arena = a };
	struct protobuf negative = { .arena = a };

	protobuf_put_number(&number, 1, 150);
	check_bytes(&number, "\x08\x96\x01", 3);
	protobuf_put_string(&string, 2, "testing");
	check_bytes(&string, "\x12\x07testing", 9);
	protobuf_put_message(&outer, 3, &number);
	check_bytes(&outer, "\x1a\x03\x08\x96\x01", 5);
	protobuf_put_string(&none, 4, NULL);
	CHECK(none.len == 0);
	protobuf_put_message(&none, 128, &(struct protobuf){ .arena = a });
	check_bytes(&none, "\x82\x08\x00", 3);
	protobuf_put_number(&negative, 1, (uint64_t)(int64_t)-2);
	check_bytes(&negative, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

static void
test_there_and_back(struct arena *a)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX };
	struct protobuf m = { .arena = a };
	struct protobuf_field f;
	struct protobuf_reader r;
	size_t n = sizeof(values) / sizeof(values[0]);

	for (size_t i = 0; i < n; i++)
		protobuf_put_number(&m, (unsigned)i + 15, values[i]);
	protobuf_put_string(&m, 536870911, "last");
	r = (struct protobuf_reader){ m.data, m.len };
	for (size_t i = 0; i < n; i++) {
		CHECK(protobuf_next(&r, &f) == 1);
		CHECK(f.number == i + 15 && f.value == values[i] && !f.data);
	}
	CHECK(protobuf_next(&r, &f) == 1 && f.number == 536870911);
	CHECK(strcmp(protobuf_text(a, &f), "last") == 0);
	CHECK(protobuf_next(&r, &f) == 0);
	CHECK(strcmp(protobuf_text(a, &(struct protobuf_field){ 0 }), "") == 0);
}

static int
read_all(const char *bytes, size_t len)
{
	struct protobuf_reader r = { (const unsigned char *)bytes, len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&r, &f)) > 0)
		;
	return n;
}

static void
test_damage(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} rows[] = {
		{ "\x08\x96\x01", 3, 0 },
		{ "\x09"
		  "12345678\x0d"
		  "1234",
		  14, 0 },			 /* fixed sizes are skipped */
		{ "\x08\x96", 2, -EBADMSG },	 /* varint cut */
		{ "\x08", 1, -EBADMSG },	 /* no value */
		{ "\x12\x07test", 6, -EBADMSG }, /* string cut */
		{ "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, -EBADMSG },
		{ "\x09"
		  "1234",
		  5, -EBADMSG },
		{ "\x0b", 1, -EBADMSG },					      /* a group */
		{ "\x00\x01", 2, -EBADMSG },					      /* field 0 */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, -EBADMSG }, /* endless varint */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (read_all(rows[i].bytes, rows[i].len) == rows[i].result)
			continue;
		fprintf(stderr, "%s:%d: row %zu\n", __FILE__, __LINE__, i);
		failed = 1;
	}
}

int
main(void)
{
	auto_arena struct arena a = { 0 };

	test_writing(&a);
	test_there_and_back(&a);
	test_damage();
	return failed;
}
