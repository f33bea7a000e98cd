/* The command line as data: every option is a row of a table, and parser, help,
 * man pages and shell completion are made from the rows.
 *
 * Forms: --name VALUE, --name=VALUE, -nVALUE, -n VALUE; flags: --name, -n,
 * --name=true, --name=false (Go's flag package, which the callers of OCI
 * runtimes are written for), several letters after one dash. Options may stand
 * before and after operands; "--" ends them. Of an option given twice the last
 * one counts, but for OPTION_LIST, which collects. */
#ifndef KNARR_RUNTIME_OPTIONS_H
#define KNARR_RUNTIME_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* What the row's offset points at in the struct of values. */
enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_CHOICE, /* const char *, one of the words in `argument` ("text|json") */
	OPTION_NUMBER, /* unsigned, decimal, at most INT_MAX */
	OPTION_LIST,   /* struct option_list */
	OPTION_REFUSED /* nothing: an error with the help sentence, which begins with "refused: " */
};

struct option_list {
	const char **items;
	size_t n;
};

/* A table ends with a row without name. */
struct option_row {
	const char *name; /* "bundle" */
	char letter;	  /* 'b'; 0: none */
	enum option_kind kind;
	const char *argument; /* name of the value in help ("DIR"), the words of a choice; NULL for flags */
	size_t offset;
	const char *help; /* one sentence, no full stop */
};

/* A table and where its values go (zeroed, or defaults, by the caller). */
struct option_set {
	const struct option_row *rows;
	void *values;
	const char *help; /* the command that lists them, for an unknown option ("knarr help run"); NULL: not said */
};

/* When the arguments must be taken as they are: after so many operands no
 * argument is an option any more (the program and its arguments of `exec`). */
#define OPTIONS_EVERYWHERE ((size_t)-1)

/* Parses the n arguments args. A name is looked up in each of the n_sets sets in
 * turn. The operands are collected in a. 0, or -EINVAL with err, which names the
 * option; for an unknown one also the nearest known, and the help of the first set. */
int options_parse(const struct option_set *sets, size_t n_sets, const char *const *args, size_t n,
		  size_t operands_before_end, struct arena *a, struct err *err, struct option_list *ret_operands);

#endif
