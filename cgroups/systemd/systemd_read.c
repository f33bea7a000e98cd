/* Theory of operation: D-Bus specification, "Message Protocol". The bus has looked at what it passes
 * on, but nothing here relies on that: each length is compared with what is there, each text with
 * its NUL and with UTF-8, zeros between values with zero, and a field of the header with the type that
 * it must have. Fields that are not known are passed over, as the specification wants. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "cgroups/systemd/systemd_message.h"

#define FIXED_HEADER 16 /* up to the array of fields */
#define MAX_DEPTH    64 /* of types in each other: 32 arrays, 32 structs */

/* ---- types -------------------------------------------------------------- */

static size_t
type_length(const char *text, unsigned depth)
{
	char end = *text == '(' ? ')' : '}';
	size_t n = 1, item;

	if (!*text || depth >= MAX_DEPTH)
		return 0;
	if (strchr("ybnqiuxtdsoghv", *text))
		return 1;
	if (*text == 'a') {
		item = type_length(text + 1, depth + 1);
		return item ? 1 + item : 0;
	}
	if ((*text != '(' && *text != '{') || text[1] == end)
		return 0;
	while (text[n] != end) {
		item = type_length(text + n, depth + 1);
		if (!item)
			return 0;
		n += item;
	}
	return n + 1;
}

size_t
systemd_type_length(const char *text)
{
	return type_length(text, 0);
}

size_t
systemd_type_alignment(char letter)
{
	if (strchr("ygv", letter))
		return 1;
	if (strchr("nq", letter))
		return 2;
	return strchr("biusoha", letter) ? 4 : 8;
}

/* ---- simple values ------------------------------------------------------ */

/* len bytes, or NULL. */
static const unsigned char *
take(struct systemd_reader *reader, size_t len)
{
	const unsigned char *data = reader->data + reader->at;

	if (reader->bad || len > reader->len - reader->at) {
		reader->bad = true;
		return NULL;
	}
	reader->at += len;
	return data;
}

static void
align(struct systemd_reader *reader, size_t size)
{
	size_t n = -reader->at & (size - 1);
	const unsigned char *zeros = take(reader, n);

	for (size_t i = 0; zeros && i < n; i++)
		reader->bad = reader->bad || zeros[i] != 0;
}

static uint8_t
read_byte(struct systemd_reader *reader)
{
	const unsigned char *data = take(reader, 1);

	return data ? *data : 0;
}

uint32_t
systemd_read_number(struct systemd_reader *reader)
{
	const unsigned char *data;
	uint32_t number = 0;

	align(reader, sizeof(number));
	data = take(reader, sizeof(number));
	if (data)
		memcpy(&number, data, sizeof(number));
	return reader->swapped ? __builtin_bswap32(number) : number;
}

/* len bytes and a NUL behind them. */
static const char *
take_text(struct systemd_reader *reader, size_t len)
{
	const char *text = len < reader->len ? (const char *)take(reader, len + 1) : NULL;

	if (!text || text[len] || memchr(text, '\0', len) || utf8_first_fault(text, len) < len) {
		reader->bad = true;
		return "";
	}
	return text;
}

const char *
systemd_read_text(struct systemd_reader *reader)
{
	return take_text(reader, systemd_read_number(reader));
}

/* Any number of complete types. */
static const char *
read_signature(struct systemd_reader *reader)
{
	const char *text = take_text(reader, read_byte(reader));

	for (size_t at = 0, n; text[at]; at += n)
		if ((n = systemd_type_length(text + at)) == 0) {
			reader->bad = true;
			return "";
		}
	return text;
}

const char *
systemd_read_variant(struct systemd_reader *reader)
{
	const char *signature = read_signature(reader);

	if (!*signature || signature[systemd_type_length(signature)])
		reader->bad = true;
	return reader->bad ? "" : signature;
}

bool
systemd_read_has_struct(struct systemd_reader *reader)
{
	uint32_t len = systemd_read_number(reader);

	align(reader, 8);
	if (len > reader->len - reader->at)
		reader->bad = true;
	return !reader->bad && len > 0;
}

/* ---- values that are passed over ---------------------------------------- */

static void
skip_array(struct systemd_reader *reader, char item)
{
	uint32_t len = systemd_read_number(reader);

	align(reader, systemd_type_alignment(item));
	take(reader, len);
}

/* One value of the complete type that signature begins with. */
static void
skip(struct systemd_reader *reader, const char *signature, unsigned depth)
{
	const char *item = signature + 1;

	if (depth >= MAX_DEPTH)
		reader->bad = true;
	if (reader->bad)
		return;
	switch (*signature) {
	case 's':
	case 'o':
		systemd_read_text(reader);
		break;
	case 'g':
		read_signature(reader);
		break;
	case 'a':
		skip_array(reader, *item);
		break;
	case 'v':
		item = systemd_read_variant(reader);
		if (*item)
			skip(reader, item, depth + 1);
		break;
	case '(':
	case '{':
		align(reader, 8);
		for (; !strchr(")}", *item); item += systemd_type_length(item))
			skip(reader, item, depth + 1);
		break;
	default:
		align(reader, systemd_type_alignment(*signature));
		take(reader, systemd_type_alignment(*signature));
	}
}

/* ---- messages ----------------------------------------------------------- */

struct fixed_header {
	uint8_t order, type, flags, version;
	uint32_t body_length, serial, fields_length;
};

static int
read_fixed(struct systemd_reader *reader, struct fixed_header *ret)
{
	ret->order = read_byte(reader);
	ret->type = read_byte(reader);
	ret->flags = read_byte(reader);
	ret->version = read_byte(reader);
	reader->swapped = ret->order != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 'B' : 'l');
	ret->body_length = systemd_read_number(reader);
	ret->serial = systemd_read_number(reader);
	ret->fields_length = systemd_read_number(reader);
	if (reader->bad || (ret->order != 'l' && ret->order != 'B') || ret->version != 1 || ret->type == 0 ||
	    ret->serial == 0 || ret->fields_length > SYSTEMD_MESSAGE_MAX || ret->body_length > SYSTEMD_MESSAGE_MAX)
		return -EBADMSG;
	return 0;
}

static size_t
body_offset(const struct fixed_header *header)
{
	return (FIXED_HEADER + (size_t)header->fields_length + 7) & ~(size_t)7;
}

ssize_t
systemd_message_length(const void *data, size_t len)
{
	struct systemd_reader reader = { .data = data, .len = FIXED_HEADER };
	struct fixed_header header;
	size_t total;

	if (len < FIXED_HEADER)
		return 0;
	if (read_fixed(&reader, &header) < 0)
		return -EBADMSG;
	total = body_offset(&header) + header.body_length;
	return total > SYSTEMD_MESSAGE_MAX ? -EBADMSG : (ssize_t)total;
}

/* A byte with its code, and a variant. */
static void
read_field(struct systemd_reader *reader, struct systemd_message *message)
{
	static const char types[SYSTEMD_FIELDS] = {
		[SYSTEMD_PATH] = 'o',	    [SYSTEMD_INTERFACE] = 's',	  [SYSTEMD_MEMBER] = 's',
		[SYSTEMD_ERROR_NAME] = 's', [SYSTEMD_REPLY_SERIAL] = 'u', [SYSTEMD_DESTINATION] = 's',
		[SYSTEMD_SENDER] = 's',	    [SYSTEMD_SIGNATURE] = 'g',	  [SYSTEMD_DESCRIPTORS] = 'u',
	};
	const char **texts[SYSTEMD_FIELDS] = {
		[SYSTEMD_PATH] = &message->path,     [SYSTEMD_INTERFACE] = &message->interface,
		[SYSTEMD_MEMBER] = &message->member, [SYSTEMD_ERROR_NAME] = &message->error,
		[SYSTEMD_SENDER] = &message->sender, [SYSTEMD_SIGNATURE] = &message->signature,
	};
	const char *type;
	uint8_t code;

	align(reader, 8);
	code = read_byte(reader);
	type = systemd_read_variant(reader);
	if (code == 0 || (code < SYSTEMD_FIELDS && (type[0] != types[code] || type[1])))
		reader->bad = true;
	if (reader->bad)
		return;
	if (code == SYSTEMD_REPLY_SERIAL)
		message->reply_serial = systemd_read_number(reader);
	else if (code == SYSTEMD_SIGNATURE)
		message->signature = read_signature(reader);
	else if (code < SYSTEMD_FIELDS && texts[code])
		*texts[code] = systemd_read_text(reader);
	else
		skip(reader, type, 0);
}

/* That it has what its type calls for. */
static bool
is_complete(const struct systemd_message *message)
{
	if (message->body.len > 0 && !*message->signature)
		return false;
	switch (message->type) {
	case SYSTEMD_REPLY:
		return message->reply_serial != 0;
	case SYSTEMD_ERROR:
		return message->reply_serial != 0 && *message->error;
	case SYSTEMD_SIGNAL:
		return *message->path && *message->interface && *message->member;
	default:
		return true;
	}
}

int
systemd_message_parse(const void *data, size_t len, struct systemd_message *ret_message)
{
	struct systemd_message m = {
		.path = "", .interface = "", .member = "", .error = "", .sender = "", .signature = ""
	};
	struct systemd_reader reader = { .data = data, .len = len };
	struct fixed_header header;
	size_t body;

	if (systemd_message_length(data, len) != (ssize_t)len || read_fixed(&reader, &header) < 0)
		return -EBADMSG;
	body = body_offset(&header);
	reader.len = FIXED_HEADER + header.fields_length;
	while (!reader.bad && reader.at < reader.len)
		read_field(&reader, &m);
	reader.len = body;
	align(&reader, 8);
	if (reader.bad)
		return -EBADMSG;
	m.type = header.type;
	m.serial = header.serial;
	m.body = (struct systemd_reader){ (const unsigned char *)data + body, len - body, 0, reader.swapped, false };
	if (!is_complete(&m))
		return -EBADMSG;
	*ret_message = m;
	return 0;
}
