/* The parser walks the arguments once with
 * a cursor; each option form ends in set_value(), which is the only place that
 * knows the kinds. */
#include "runtime/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oci-spec/names.h"

struct cursor {
	const struct option_set *sets;
	size_t n_sets;
	const char *const *args;
	size_t n, next; /* next argument to look at */
	struct arena *arena;
	struct err *err;
};

/* Where a row was found. */
struct match {
	const struct option_row *row;
	void *value;
};

/* ---- lookup ------------------------------------------------------------ */

static bool
row_is(const struct option_row *row, const char *name, size_t len, char letter)
{
	if (letter)
		return row->letter == letter;
	return strlen(row->name) == len && !memcmp(row->name, name, len);
}

/* Letters of crun's for options that have another one here. */
static char
known_letter(char letter)
{
	return letter == 'V' ? 'v' : letter == '?' ? 'h' : letter;
}

/* By letter, or (letter 0) by the len bytes of name. */
static bool
find_row(const struct cursor *cursor, const char *name, size_t len, char letter, struct match *ret_match)
{
	for (size_t i = 0; i < cursor->n_sets; i++)
		for (const struct option_row *row = cursor->sets[i].rows; row && row->name; row++)
			if (row_is(row, name, len, letter)) {
				*ret_match = (struct match){ row, (char *)cursor->sets[i].values + row->offset };
				return true;
			}
	return false;
}

/* Where the options are listed, to be put behind a complaint. */
static const char *
see_help(const struct cursor *cursor)
{
	const char *help = cursor->n_sets ? cursor->sets[0].help : NULL;

	return help ? arena_printf(cursor->arena, " (see %s)", help) : "";
}

static int
complain_unknown(const struct cursor *cursor, const char *name, size_t len)
{
	const char *given = arena_strndup(cursor->arena, name, len), *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < cursor->n_sets; i++)
		for (const struct option_row *row = cursor->sets[i].rows; row && row->name; row++) {
			size_t distance = name_distance(given, row->name);

			if (distance < best) {
				best = distance;
				nearest = row->name;
			}
		}
	if (nearest)
		return err_plain(cursor->err, "unknown option '--%s', did you mean '--%s'?%s", given, nearest,
				 see_help(cursor));
	return err_plain(cursor->err, "unknown option '--%s'%s", given, see_help(cursor));
}

/* ---- values ------------------------------------------------------------ */

/* The words that Go's strconv.ParseBool takes. */
static int
parse_flag(const char *text, bool *ret_value)
{
	static const char *const words[2][3] = { { "false", "f", "0" }, { "true", "t", "1" } };

	for (size_t value = 0; value < 2; value++)
		for (size_t i = 0; i < 3; i++)
			if (!strcasecmp(text, words[value][i])) {
				*ret_value = value;
				return 0;
			}
	return -EINVAL;
}

static int
parse_number(const char *text, unsigned *ret_value)
{
	unsigned long v;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v > INT_MAX)
		return -EINVAL;
	*ret_value = (unsigned)v;
	return 0;
}

/* True when word is one of the words of choices ("text|json"). */
static bool
choice_has(const char *choices, const char *word, size_t len)
{
	for (const char *p = choices;; p++) {
		size_t n = strcspn(p, "|");

		if (n == len && !memcmp(p, word, len))
			return true;
		p += n;
		if (!*p)
			return false;
	}
}

/* Room doubles whenever the length is a power of two. */
static void
list_append(struct arena *a, struct option_list *list, const char *item)
{
	if (!(list->n & (list->n - 1))) {
		size_t size = list->n * sizeof(*list->items);

		list->items = arena_grow(a, list->items, size, size ? 2 * size : sizeof(*list->items));
	}
	list->items[list->n++] = item;
}

/* text NULL: a flag without a value. */
static int
set_value(const struct cursor *cursor, const struct match *match, const char *text)
{
	const char *name = match->row->name;

	switch (match->row->kind) {
	case OPTION_FLAG:
		if (!text)
			*(bool *)match->value = true;
		else if (parse_flag(text, match->value) < 0)
			return err_plain(cursor->err, "option '--%s': expected true or false, found '%s'", name, text);
		return 0;
	case OPTION_CHOICE:
		if (!choice_has(match->row->argument, text, strlen(text)))
			return err_plain(cursor->err, "option '--%s': expected %s, found '%s'", name,
					 match->row->argument, text);
		*(const char **)match->value = text;
		return 0;
	case OPTION_TEXT:
		*(const char **)match->value = text;
		return 0;
	case OPTION_NUMBER:
		if (parse_number(text, match->value) < 0)
			return err_plain(cursor->err, "option '--%s': expected a number from 0 to %d, found '%s'", name,
					 INT_MAX, text);
		return 0;
	case OPTION_LIST:
		list_append(cursor->arena, match->value, text);
		return 0;
	case OPTION_REFUSED:
		return err_plain(cursor->err, "option '--%s' is %s", name, match->row->help);
	}
	return 0;
}

/* The value that follows as an argument of its own. */
static int
take_value(struct cursor *cursor, const struct match *match)
{
	if (cursor->next == cursor->n)
		return err_plain(cursor->err, "option '--%s' needs a value: --%s %s", match->row->name,
				 match->row->name, match->row->argument);
	return set_value(cursor, match, cursor->args[cursor->next++]);
}

/* ---- forms ------------------------------------------------------------- */

/* "--name" or "--name=value"; arg is what follows the dashes. */
static int
parse_long(struct cursor *cursor, const char *arg)
{
	size_t len = strcspn(arg, "=");
	struct match m;

	if (!find_row(cursor, arg, len, 0, &m))
		return complain_unknown(cursor, arg, len);
	if (arg[len] == '=')
		return set_value(cursor, &m, arg + len + 1);
	return m.row->kind == OPTION_FLAG ? set_value(cursor, &m, NULL) : take_value(cursor, &m);
}

/* "-abVALUE"; letters is what follows the dash. */
static int
parse_letters(struct cursor *cursor, const char *letters)
{
	for (; *letters; letters++) {
		struct match m;
		int r;

		if (!find_row(cursor, NULL, 0, *letters, &m) && !find_row(cursor, NULL, 0, known_letter(*letters), &m))
			return err_plain(cursor->err, "unknown option '-%c'%s", *letters, see_help(cursor));
		if (m.row->kind != OPTION_FLAG)
			return letters[1] ? set_value(cursor, &m, letters + 1) : take_value(cursor, &m);
		r = set_value(cursor, &m, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

int
options_parse(const struct option_set *sets, size_t n_sets, const char *const *args, size_t n,
	      size_t operands_before_end, struct arena *a, struct err *err, struct option_list *ret_operands)
{
	struct cursor c = { .sets = sets, .n_sets = n_sets, .args = args, .n = n, .arena = a, .err = err };
	struct option_list operands = { 0 };
	bool ended = false;

	while (c.next < n) {
		const char *arg = args[c.next++];
		int r = 0;

		if (ended || arg[0] != '-' || !arg[1]) {
			list_append(a, &operands, arg);
			ended = ended || operands.n >= operands_before_end;
		} else if (!strcmp(arg, "--")) {
			ended = true;
		} else if (arg[1] == '-') {
			r = parse_long(&c, arg + 2);
		} else {
			r = parse_letters(&c, arg + 1);
		}
		if (r < 0)
			return r;
	}
	*ret_operands = operands;
	return 0;
}
