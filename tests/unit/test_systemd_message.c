/* Messages of D-Bus: calls byte for byte as sd-bus writes them, and what is read of replies, whole, cut
 * at every place, and wrong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/systemd/systemd_message.h"
#include "tests/unit/bus_message.h"
#include "tests/unit/check.h"

/* ---- calls -------------------------------------------------------------- */

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager"
#define BUS	"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"

enum { NO_PROPERTIES, LIMITS, ALL_TYPES };

static const struct {
	struct systemd_method method;
	uint32_t serial;
	const char *texts[2];
	int properties;
	const char *want; /* of libsystemd 252, little-endian */
} calls[] = {
	{ { BUS, "Hello", "", "s" },
	  1,
	  { NULL },
	  NO_PROPERTIES,
	  "6c01000100000000010000006d00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000"
	  "030173000500000048656c6c6f00000002017300140000006f72672e667265656465736b746f702e4442757300000000"
	  "06017300140000006f72672e667265656465736b746f702e4442757300000000" },
	{ { BUS, "AddMatch", "s", "" },
	  2,
	  { "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/"
	    "systemd1',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'" },
	  NO_PROPERTIES,
	  "6c01000196000000020000007f00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000"
	  "03017300080000004164644d61746368000000000000000002017300140000006f72672e667265656465736b746f702e"
	  "444275730000000006017300140000006f72672e667265656465736b746f702e44427573000000000801670001730000"
	  "91000000747970653d277369676e616c272c73656e6465723d276f72672e667265656465736b746f702e73797374656d"
	  "6431272c706174683d272f6f72672f667265656465736b746f702f73797374656d6431272c696e746572666163653d27"
	  "6f72672e667265656465736b746f702e73797374656d64312e4d616e61676572272c6d656d6265723d274a6f6252656d"
	  "6f7665642700" },
	{ { MANAGER, "StopUnit", "ss", "o" },
	  3,
	  { "knarr-web1.scope", "replace" },
	  NO_PROPERTIES,
	  "6c0100012400000003000000a000000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64"
	  "3100000000000000030173000800000053746f70556e6974000000000000000002017300200000006f72672e66726565"
	  "6465736b746f702e73797374656d64312e4d616e61676572000000000000000006017300180000006f72672e66726565"
	  "6465736b746f702e73797374656d643100000000000000000801670002737300100000006b6e6172722d776562312e73"
	  "636f706500000000070000007265706c61636500" },
	{ { MANAGER, "ResetFailedUnit", "s", "" },
	  4,
	  { "knarr-web1.scope" },
	  NO_PROPERTIES,
	  "6c01000115000000040000009f00000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64"
	  "3100000000000000030173000f00000052657365744661696c6564556e69740002017300200000006f72672e66726565"
	  "6465736b746f702e73797374656d64312e4d616e61676572000000000000000006017300180000006f72672e66726565"
	  "6465736b746f702e73797374656d643100000000000000000801670001730000100000006b6e6172722d776562312e73"
	  "636f706500" },
	{ { MANAGER, "GetUnitProcesses", "s", "a(sus)" },
	  5,
	  { "knarr-web1.scope" },
	  NO_PROPERTIES,
	  "6c0100011500000005000000a700000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64"
	  "31000000000000000301730010000000476574556e697450726f63657373657300000000000000000201730020000000"
	  "6f72672e667265656465736b746f702e73797374656d64312e4d616e6167657200000000000000000601730018000000"
	  "6f72672e667265656465736b746f702e73797374656d643100000000000000000801670001730000100000006b6e6172"
	  "722d776562312e73636f706500" },
	{ { SYSTEMD, "/org/freedesktop/systemd1", "org.freedesktop.DBus.Properties", "Get", "ss", "v" },
	  6,
	  { "org.freedesktop.systemd1.Manager", "ControlGroup" },
	  NO_PROPERTIES,
	  "6c01000139000000060000009000000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64"
	  "310000000000000003017300030000004765740000000000020173001f0000006f72672e667265656465736b746f702e"
	  "444275732e50726f706572746965730006017300180000006f72672e667265656465736b746f702e73797374656d6431"
	  "00000000000000000801670002737300200000006f72672e667265656465736b746f702e73797374656d64312e4d616e"
	  "61676572000000000c000000436f6e74726f6c47726f757000" },
	{ { MANAGER, "SetUnitProperties", "sba(sv)", "" },
	  7,
	  { "knarr-web1.scope" },
	  LIMITS,
	  "6c0100015800000007000000ad00000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64"
	  "31000000000000000301730011000000536574556e697450726f70657274696573000000000000000201730020000000"
	  "6f72672e667265656465736b746f702e73797374656d64312e4d616e6167657200000000000000000601730018000000"
	  "6f72672e667265656465736b746f702e73797374656d6431000000000000000008016700077362612873762900000000"
	  "100000006b6e6172722d776562312e73636f7065000000000100000038000000090000004d656d6f72794d6178000174"
	  "00000000000000000000000400000000080000005461736b734d6178000174001100000000000000" },
	{ { MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))", "o" },
	  8,
	  { "knarr-web1.scope", "fail" },
	  ALL_TYPES,
	  "6c0100010002000008000000b600000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64"
	  "3100000000000000030173001200000053746172745472616e7369656e74556e69740000000000000201730020000000"
	  "6f72672e667265656465736b746f702e73797374656d64312e4d616e6167657200000000000000000601730018000000"
	  "6f72672e667265656465736b746f702e73797374656d6431000000000000000008016700107373612873762961287361"
	  "2873762929000000100000006b6e6172722d776562312e73636f706500000000040000006661696c00000000d0010000"
	  "0b0000004465736372697074696f6e00017300000e000000636f6e7461696e6572207765623100000800000044656c65"
	  "676174650001620001000000000000000100000041000261790000000200000003090000000000000100000045000261"
	  "7400000000000000010000004600026174000000080000000700000000000000010000004e00016e0000feff00000000"
	  "01000000510001710000ffff00000000010000004900016900000000fdffffff01000000580001780000000000000000"
	  "fcffffffffffffff01000000440001640000000000000000000000000000f83f010000004f00016f0000000006000000"
	  "2f612f625f31000001000000470001670009617b73767d28696929000000000001000000530005612873742900000000"
	  "1800000000000000080000002f6465762f73646100000000640000000000000001000000540005612873742900000000"
	  "000000000000000001000000560001760001730001000000780000000000000001000000570003616169000014000000"
	  "040000000100000008000000020000000300000000000000010000005900026173000000100000000100000061000000"
	  "03000000626364000400000050494473000261750000000004000000d20400000000000000000000" },
};

/* Name and value of each property, as in an annotation. */
static const char *const limits[][2] = { { "MemoryMax", "uint64 67108864" },
					 { "TasksMax", "uint64 17" },
					 { NULL, NULL } };
static const char *const all_types[][2] = {
	{ "Description", "'container web1'" },
	{ "Delegate", "true" },
	{ "A", "@ay [3, 9]" },
	{ "E", "@at []" },
	{ "F", "@at [7]" },
	{ "N", "int16 -2" },
	{ "Q", "uint16 65535" },
	{ "I", "-3" },
	{ "X", "int64 -4" },
	{ "D", "1.5" },
	{ "O", "objectpath '/a/b_1'" },
	{ "G", "signature 'a{sv}(ii)'" },
	{ "S", "@a(st) [('/dev/sda', 100)]" },
	{ "T", "@a(st) []" },
	{ "V", "<'x'>" },
	{ "W", "[[1], [2, 3]]" },
	{ "Y", "['a', 'bcd']" },
	{ "PIDs", "@au [1234]" },
	{ NULL, NULL },
};

static void
write_list(struct systemd_writer *writer, const char *const list[][2])
{
	struct systemd_properties properties = { .arena = writer->arena };
	struct err err;

	err_clear(&err);
	for (; (*list)[0]; list++) {
		struct systemd_value value = { 0 };

		CHECK(systemd_value_parse((*list)[1], writer->arena, &err, &value) == 0, "%s: %s", (*list)[1], err.msg);
		systemd_properties_set(&properties, (*list)[0], value);
	}
	systemd_write_properties(writer, &properties);
}

static void
write_row(struct systemd_writer *writer, size_t row)
{
	systemd_write_call(writer, &calls[row].method, calls[row].serial);
	for (size_t i = 0; i < 2 && calls[row].texts[i]; i++)
		systemd_write_text(writer, calls[row].texts[i]);
	if (calls[row].properties == LIMITS) {
		systemd_write_bool(writer, true);
		write_list(writer, limits);
	} else if (calls[row].properties == ALL_TYPES) {
		write_list(writer, all_types);
		systemd_write_no_structs(writer);
	}
}

static void
test_calls(void)
{
	char hex[2048];

	for (size_t row = 0; row < sizeof(calls) / sizeof(calls[0]); row++) {
		auto_arena struct arena a = { 0 };
		struct systemd_writer writer = { .arena = &a };
		struct systemd_message m;

		/* Where a message begins in the buffer does not matter. */
		systemd_write_bytes(&writer, "before", 6);
		writer.start = writer.n;
		write_row(&writer, row);
		CHECK(systemd_write_end(&writer) == 0);
		for (size_t i = 6; i < writer.n; i++)
			snprintf(hex + 2 * (i - 6), 3, "%02x", writer.data[i]);
		if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
			CHECK(!strcmp(hex, calls[row].want), "%s: got %s", calls[row].method.member, hex);
		CHECK(systemd_message_parse(writer.data + 6, writer.n - 6, &m) == 0 && m.type == SYSTEMD_CALL &&
			      m.serial == calls[row].serial && !strcmp(m.signature, calls[row].method.in) &&
			      !strcmp(m.member, calls[row].method.member),
		      "%s is read again", calls[row].method.member);
	}
}

/* A bus would hang up. */
static void
test_refused(void)
{
	static const char *const values[][2] = {
		{ "'\xff'", "EINVAL" },		 { "objectpath 'a'", "EINVAL" },    { "objectpath '/a/'", "EINVAL" },
		{ "objectpath '//'", "EINVAL" }, { "objectpath '/a-b'", "EINVAL" }, { "objectpath ''", "EINVAL" },
		{ "signature '('", "EINVAL" },	 { "signature 'sz'", "EINVAL" },    { "signature '()'", "EINVAL" },
	};
	auto_arena struct arena a = { 0 };
	struct systemd_writer writer = { .arena = &a };
	struct systemd_value value;
	struct err err;
	char *text;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct systemd_property property = { "X", { 0 } };
		struct systemd_properties list = { &a, &property, 1, 1 };

		err_clear(&err);
		CHECK(systemd_value_parse(values[i][0], &a, &err, &property.value) == 0, "%s", err.msg);
		systemd_write_call(&writer, &calls[7].method, 1);
		systemd_write_properties(&writer, &list);
		CHECK(systemd_write_end(&writer) == -EINVAL && writer.n == 0, "%s", values[i][0]);
	}
	/* A signature of 300 letters: a variant can hold no such value. */
	text = arena_printf(&a, "(%0600d)", 0);
	for (size_t i = 1; text[i] != ')'; i++)
		text[i] = i % 2 ? '1' : ',';
	CHECK(systemd_value_parse(text, &a, &err, &value) == 0, "%s", err.msg);
	systemd_write_call(&writer, &calls[7].method, 1);
	systemd_write_properties(&writer,
				 &(struct systemd_properties){ &a, &(struct systemd_property){ "X", value }, 1, 1 });
	CHECK(systemd_write_end(&writer) == -E2BIG && writer.n == 0);
	/* The largest message. */
	text = arena_alloc(&a, SYSTEMD_MESSAGE_MAX + 1);
	memset(text, 'x', SYSTEMD_MESSAGE_MAX);
	systemd_write_call(&writer, &calls[3].method, 1);
	systemd_write_text(&writer, text);
	CHECK(systemd_write_end(&writer) == -E2BIG && writer.n == 0);
	/* And after all that the next one is as if nothing had been. */
	write_row(&writer, 0);
	CHECK(systemd_write_end(&writer) == 0 && writer.n == strlen(calls[0].want) / 2);
}

/* ---- what comes --------------------------------------------------------- */

/* A signal with one field that is not known, which holds one of nearly everything. */
static void
make_signal(bool swapped, struct bytes *ret)
{
	struct bytes body = { .swapped = swapped }, extra = { .swapped = swapped };
	const struct message m = { .type = 4,
				   .path = "/org/freedesktop/systemd1",
				   .interface = "org.freedesktop.systemd1.Manager",
				   .member = "JobRemoved",
				   .sender = ":1.0",
				   .signature = "uoss",
				   .extra = &extra,
				   .body = &body };

	put_u32(&body, 5);
	put_text(&body, "/job/5");
	put_text(&body, "a.scope");
	put_text(&body, "done");
	put_byte(&extra, 200);
	put_signature(&extra, "(yaig(s)v)");
	put_align(&extra, 8);
	put_byte(&extra, 9);
	put_u32(&extra, 8);
	put_u32(&extra, 1);
	put_u32(&extra, 2);
	put_signature(&extra, "a{sv}");
	put_align(&extra, 8);
	put_text(&extra, "inner");
	put_signature(&extra, "u");
	put_u32(&extra, 3);
	*ret = (struct bytes){ .swapped = swapped };
	put_message(ret, &m);
}

static void
test_signal(bool swapped)
{
	struct systemd_message m;
	struct bytes b;

	make_signal(swapped, &b);
	CHECK(systemd_message_length(b.data, b.n) == (ssize_t)b.n);
	CHECK(systemd_message_length(b.data, 15) == 0);
	CHECK(systemd_message_parse(b.data, b.n, &m) == 0, "swapped: %d", swapped);
	CHECK(m.type == SYSTEMD_SIGNAL && m.serial == 77 && !strcmp(m.path, "/org/freedesktop/systemd1"));
	CHECK(!strcmp(m.member, "JobRemoved") && !strcmp(m.sender, ":1.0") && !strcmp(m.signature, "uoss"));
	CHECK(systemd_read_number(&m.body) == 5 && !strcmp(systemd_read_text(&m.body), "/job/5"));
	CHECK(!strcmp(systemd_read_text(&m.body), "a.scope") && !strcmp(systemd_read_text(&m.body), "done"));
	CHECK(!m.body.bad && m.body.at == m.body.len);
	CHECK(systemd_read_number(&m.body) == 0 && m.body.bad);
	/* Nothing shorter is a message. */
	for (size_t len = 0; len < b.n; len++)
		CHECK(systemd_message_parse(b.data, len, &m) == -EBADMSG, "cut at %zu", len);
	CHECK(systemd_message_parse(b.data, b.n + 1, &m) == -EBADMSG);
}

/* One byte at a time is something else: an error, or another message, and never more than is there
 * (which the sanitizers would see). */
static void
test_each_byte(void)
{
	static const unsigned char others[] = { 0, 1, 7, 0x7f, 0x80, 0xff };
	struct systemd_message m;
	struct bytes b;

	make_signal(false, &b);
	for (size_t at = 0; at < b.n; at++)
		for (size_t i = 0; i < sizeof(others); i++) {
			unsigned char before = b.data[at];

			b.data[at] = others[i];
			if (systemd_message_parse(b.data, b.n, &m) == 0)
				CHECK(strlen(m.path) < b.n && m.body.len < b.n && m.body.at == 0);
			b.data[at] = before;
		}
}

/* byte at `at` of the signal instead of what is there: no message. */
static const struct {
	const char *what;
	size_t at;
	unsigned char byte;
} wrong[] = {
	{ "byte order", 0, 'L' },
	{ "no type", 1, 0 },
	{ "version", 3, 2 },
	{ "longer body", 4, 255 },
	{ "huge body", 7, 0x7f },
	{ "more fields than are", 12, 255 },
	{ "huge fields", 15, 0x7f },
	{ "field 0", 16, 0 },
	{ "a path that is a string", 18, 's' },
	{ "a signature without an end", 19, 'o' },
	{ "length of the path", 20, 24 },
	{ "no NUL behind the path", 49, 'x' },
	{ "NUL in the path", 30, 0 },
	{ "not UTF-8", 30, 0xff },
	{ "zeros that are none", 50, 1 },
};

static void
test_wrong(void)
{
	struct systemd_message m;
	struct bytes b;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_signal(false, &b);
		b.data[wrong[i].at] = wrong[i].byte;
		CHECK(systemd_message_parse(b.data, b.n, &m) == -EBADMSG, "%s", wrong[i].what);
	}
	make_signal(false, &b);
	memset(b.data + 8, 0, 4);
	CHECK(systemd_message_parse(b.data, b.n, &m) == -EBADMSG, "no serial");
}

/* What a type of message must have. */
static void
test_incomplete(void)
{
	static const struct message messages[] = {
		{ .type = 2 },
		{ .type = 3, .reply_serial = 1 },
		{ .type = 3, .error = "a.b" },
		{ .type = 4, .path = "/", .interface = "a.b" },
		{ .type = 4, .path = "/", .member = "M" },
		{ .type = 4, .interface = "a.b", .member = "M" },
	};
	const struct bytes body = { .data = "1234", .n = 4 };
	const struct message unsigned_body = { .type = 2, .reply_serial = 1, .body = &body };
	struct systemd_message m;

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct bytes b = { .n = 0 };

		put_message(&b, &messages[i]);
		CHECK(systemd_message_parse(b.data, b.n, &m) == -EBADMSG, "row %zu", i);
	}
	struct bytes b = { .n = 0 };
	put_message(&b, &unsigned_body);
	CHECK(systemd_message_parse(b.data, b.n, &m) == -EBADMSG, "a body without a signature");
}

static void
test_variant(void)
{
	static const struct {
		const char *signature;
		bool good;
	} cases[] = {
		{ "s", true }, { "a{sv}", true }, { "", false }, { "ss", false }, { "(", false }, { "z", false }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = { .n = 0 };
		struct systemd_reader reader = { .data = b.data };
		const char *got;

		put_signature(&b, cases[i].signature);
		reader.len = b.n;
		got = systemd_read_variant(&reader);
		CHECK(reader.bad == !cases[i].good && !strcmp(got, cases[i].good ? cases[i].signature : ""), "'%s'",
		      cases[i].signature);
	}
}

/* Types in each other to no end: an error, not the end of the stack. */
static void
test_depth(void)
{
	char deep[300];

	memset(deep, 'a', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	CHECK(systemd_type_length(deep) == 0);
	memset(deep, '(', 100);
	CHECK(systemd_type_length(deep) == 0);
	CHECK(systemd_type_length("a(sa{sv})x") == 9 && systemd_type_length("()") == 0 && systemd_type_length("") == 0);
}

static void
test_structs(void)
{
	static const struct {
		uint32_t length;
		size_t there;
		bool has, bad;
	} cases[] = { { 0, 8, false, false },
		      { 8, 16, true, false },
		      { 9, 16, false, true },
		      { 0, 4, false, true },
		      { UINT32_MAX, 16, false, true } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = { .n = 0 };
		struct systemd_reader reader = { .data = b.data, .len = cases[i].there };
		bool has;

		put_u32(&b, cases[i].length);
		has = systemd_read_has_struct(&reader);
		CHECK(has == cases[i].has && reader.bad == cases[i].bad, "row %zu", i);
	}
}

int
main(void)
{
	test_calls();
	test_refused();
	test_signal(false);
	test_signal(true);
	test_each_byte();
	test_wrong();
	test_incomplete();
	test_variant();
	test_depth();
	test_structs();
	return failed;
}
