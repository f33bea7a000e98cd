/* Collects what is wrong with one JSON text while it is parsed, in any order;
 * issues_report() sorts it by position. Inside oci-spec only. */
#ifndef KNARR_OCI_SPEC_ISSUES_H
#define KNARR_OCI_SPEC_ISSUES_H

#include <stdarg.h>
#include <stddef.h>

#include "base/arena.h"
#include "oci-spec/spec.h"

struct found {
	enum spec_severity severity;
	size_t offset; /* byte of the text */
	size_t order;  /* of finding: which of two at one place is the first */
	char *path, *text;
};

struct issues {
	struct arena *arena;
	const char *text; /* the JSON text, for lines and columns */
	size_t len;
	struct found *items;
	size_t n, cap;
	size_t count[SPEC_NOTE + 1]; /* by severity, also those that were not kept */
};

/* Begins with none. All memory comes from a; text is not copied and must stay. */
void issues_init(struct issues *is, struct arena *a, const char *text, size_t len);

/* Adds one at that byte of the text (beyond it: its end). path is copied, the message
 * formatted into the arena; both only if issues of that severity are still kept. */
void issues_add(struct issues *is, enum spec_severity severity, size_t offset, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void issues_vadd(struct issues *is, enum spec_severity severity, size_t offset, const char *path, const char *fmt,
		 va_list ap) __attribute__((format(printf, 5, 0)));

/* True when further issues of that severity are only counted: no need to make
 * their text (use issues_count()). */
bool issues_full(const struct issues *is, enum spec_severity severity);
void issues_count(struct issues *is, enum spec_severity severity);

/* Line of a byte of the text, from 1. */
unsigned issues_line(const struct issues *is, size_t offset);

/* Sorts by position and fills the report, with at most SPEC_MAX_ISSUES: errors first
 * when there are more. */
void issues_report(struct issues *is, struct spec_report *report);

#endif
