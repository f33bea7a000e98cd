/* Messages of D-Bus, as far as knarr has to do with them: calls are written, what comes is read.
 * Both are pure. For systemd_*.c only. */
#ifndef KNARR_CGROUPS_SYSTEMD_SYSTEMD_MESSAGE_H
#define KNARR_CGROUPS_SYSTEMD_SYSTEMD_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#include "cgroups/systemd/systemd.h"

/* Bytes of a message: more is neither sent nor read. The largest are the answers of GetUnitProcesses,
 * some 100 bytes for each process. The bus itself takes 32 MiB of a client. */
#define SYSTEMD_MESSAGE_MAX ((size_t)16 * 1024 * 1024)

/* Of the header. */
enum systemd_field {
	SYSTEMD_PATH = 1,
	SYSTEMD_INTERFACE,
	SYSTEMD_MEMBER,
	SYSTEMD_ERROR_NAME,
	SYSTEMD_REPLY_SERIAL,
	SYSTEMD_DESTINATION,
	SYSTEMD_SENDER,
	SYSTEMD_SIGNATURE,
	SYSTEMD_DESCRIPTORS,
	SYSTEMD_FIELDS
};

struct systemd_method {
	const char *destination, *path, *interface, *member;
	const char *in, *out; /* signatures: of the arguments, of the reply */
};

/* ---- writing ------------------------------------------------------------ */

/* `struct systemd_writer w = { .arena = a };` is empty. Messages may follow one another. What comes
 * after an error has no effect. */
struct systemd_writer {
	struct arena *arena;
	unsigned char *data;
	size_t n, cap;
	size_t start, body; /* of the message that is being written */
	int error;	    /* the first one, -errno: systemd_write_end() tells it */
};

void systemd_write_bytes(struct systemd_writer *writer, const void *data, size_t len);

/* Begins a call of method; its arguments follow, as method->in has them. serial is not 0. */
void systemd_write_call(struct systemd_writer *writer, const struct systemd_method *method, uint32_t serial);
void systemd_write_bool(struct systemd_writer *writer, bool value);
void systemd_write_text(struct systemd_writer *writer, const char *text);

/* a(sv) */
void systemd_write_properties(struct systemd_writer *writer, const struct systemd_properties *properties);

/* An array without items that begin at a multiple of 8, as structs do. */
void systemd_write_no_structs(struct systemd_writer *writer);

/* Ends the message. -EINVAL: a text, path or signature that D-Bus does not have; -E2BIG: a message or a
 * signature that is too long. Then nothing of it is left, and the next one may begin. */
int systemd_write_end(struct systemd_writer *writer);

/* ---- reading ------------------------------------------------------------ */

/* What is left to be read. Reading beyond the end, or what is not there, makes it bad, and gives 0 or "". */
struct systemd_reader {
	const unsigned char *data;
	size_t len, at;
	bool swapped; /* of the other byte order */
	bool bad;
};

enum systemd_message_type { SYSTEMD_CALL = 1, SYSTEMD_REPLY, SYSTEMD_ERROR, SYSTEMD_SIGNAL };

/* Texts point into the message; those that it has not are "". */
struct systemd_message {
	uint8_t type; /* enum systemd_message_type, or one that is not known */
	uint32_t serial, reply_serial;
	const char *path, *interface, *member, *error, *sender, *signature;
	struct systemd_reader body;
};

/* How long the message is that begins with these len bytes; 0: more of them are needed to tell;
 * -EBADMSG: it is none, or is longer than SYSTEMD_MESSAGE_MAX. */
ssize_t systemd_message_length(const void *data, size_t len);

/* Reads the header of a message of exactly len bytes. 0 or -EBADMSG. */
int systemd_message_parse(const void *data, size_t len, struct systemd_message *ret_message);

uint32_t systemd_read_number(struct systemd_reader *reader);  /* "u" */
const char *systemd_read_text(struct systemd_reader *reader); /* "s", "o" */

/* The signature of a variant, whose value follows. */
const char *systemd_read_variant(struct systemd_reader *reader);

/* An array of structs: whether it has one, which follows. */
bool systemd_read_has_struct(struct systemd_reader *reader);

/* Bytes of the complete type that text begins with, dictionaries and descriptors included; 0: none. */
size_t systemd_type_length(const char *text);

/* At a multiple of which a value of a type begins, by the type's first letter. */
size_t systemd_type_alignment(char letter);

#endif
