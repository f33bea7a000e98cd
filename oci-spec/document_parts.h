/* Small pieces of which the documents are made. Inside oci-spec only. */
#ifndef KNARR_OCI_SPEC_DOCUMENT_PARTS_H
#define KNARR_OCI_SPEC_DOCUMENT_PARTS_H

#include "base/json_out.h"

/* The text, with a final newline when it is pretty. */
static inline char *
document_end(struct json_out *j)
{
	return j->pretty ? arena_printf(j->arena, "%s\n", j->text) : j->text;
}

/* A member that is a list of names, which ends with NULL; NULL itself writes nothing. */
static inline void
document_list(struct json_out *j, const char *key, const char *const *names)
{
	if (!names)
		return;
	json_out_key(j, key);
	json_out_open(j, '[');
	for (; *names; names++)
		json_out_string(j, *names);
	json_out_close(j, ']');
}

static inline void
document_bool(struct json_out *j, const char *key, bool value)
{
	json_out_key(j, key);
	json_out_bool(j, value);
}

static inline void
document_int(struct json_out *j, const char *key, int64_t value)
{
	json_out_key(j, key);
	json_out_int(j, value);
}

static inline void
document_open(struct json_out *j, const char *key)
{
	json_out_key(j, key);
	json_out_open(j, '{');
}

#endif
