/* Theory of operation: annotations carry values of D-Bus as text, in the form
 * that GLib gives to GVariant and that busctl's users know. Each value is parsed
 * with the type that is expected of it, if any: a number in "[uint64 1, 2]" takes
 * its type from its neighbour, one after "@t" from there, and a lone one is an
 * int32, or a double when it has a point. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/systemd/systemd.h"

#define MAX_DEPTH 16

struct parser {
	const char *text, *p;
	struct arena *arena;
	struct err *err;
	unsigned depth;
};

static int parse_value(struct parser *ps, const char *type, struct systemd_value *ret);

static int
fail(const struct parser *ps, const char *what)
{
	return err_plain(ps->err, "%s at character %zu of '%s'", what, (size_t)(ps->p - ps->text) + 1, ps->text);
}

static void
skip_space(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\n");
}

static bool
accept(struct parser *ps, char ch)
{
	skip_space(ps);
	if (*ps->p != ch)
		return false;
	ps->p++;
	return true;
}

/* ---- types ------------------------------------------------------------- */

/* Bytes of the complete type at t, or 0. */
static size_t
type_length(const char *text, unsigned depth)
{
	size_t n = 1, item;

	if (depth > MAX_DEPTH || !*text)
		return 0;
	if (strchr("bynqiuxtdsogv", *text))
		return 1;
	if (*text == 'a') {
		item = type_length(text + 1, depth + 1);
		return item ? 1 + item : 0;
	}
	if (*text != '(' || text[1] == ')')
		return 0;
	while (text[n] != ')') {
		item = type_length(text + n, depth + 1);
		if (!item)
			return 0;
		n += item;
	}
	return n + 1;
}

static const struct {
	const char *word, *type;
} type_words[] = {
	{ "boolean", "b" }, { "byte", "y" },   { "int16", "n" },      { "uint16", "q" },
	{ "int32", "i" },   { "uint32", "u" }, { "int64", "x" },      { "uint64", "t" },
	{ "double", "d" },  { "string", "s" }, { "objectpath", "o" }, { "signature", "g" },
};

/* Reads "@as" or "uint64" in front of a value. *ret_type stays where none is. */
static int
parse_prefix(struct parser *ps, const char **ret_type)
{
	size_t n;

	skip_space(ps);
	if (*ps->p == '@') {
		n = type_length(ps->p + 1, 0);
		if (!n)
			return fail(ps, "an unknown type");
		*ret_type = arena_strndup(ps->arena, ps->p + 1, n);
		ps->p += 1 + n;
		return 0;
	}
	n = strspn(ps->p, "abcdefghijklmnopqrstuvwxyz0123456789");
	for (size_t i = 0; i < sizeof(type_words) / sizeof(type_words[0]); i++)
		if (strlen(type_words[i].word) == n && !strncmp(ps->p, type_words[i].word, n)) {
			*ret_type = type_words[i].type;
			ps->p += n;
		}
	return 0;
}

/* ---- simple values ----------------------------------------------------- */

static int
parse_bool(struct parser *ps, const char *type, struct systemd_value *ret)
{
	bool yes = !strncmp(ps->p, "true", 4);

	if (!yes && strncmp(ps->p, "false", 5) != 0)
		return fail(ps, "no value");
	if (type && strcmp(type, "b") != 0)
		return fail(ps, "an unexpected boolean");
	ps->p += yes ? 4 : 5;
	ret->type = "b";
	ret->v.b = yes;
	return 0;
}

static int
parse_string(struct parser *ps, const char *type, struct systemd_value *ret)
{
	char quote = *ps->p, *out;

	if (type && !strchr("sog", *type))
		return fail(ps, "an unexpected string");
	ret->type = type ? type : "s";
	ret->v.s = out = arena_alloc(ps->arena, strlen(ps->p));
	for (ps->p++; *ps->p != quote; ps->p++) {
		static const char letters[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
		const char *letter;

		if (!*ps->p)
			return fail(ps, "an unterminated string");
		if (*ps->p != '\\') {
			*out++ = *ps->p;
			continue;
		}
		ps->p++;
		if (!*ps->p || *ps->p == 'u' || *ps->p == 'U')
			return fail(ps, "an unknown escape");
		letter = strchr(letters, *ps->p);
		*out++ = letter ? codes[letter - letters] : *ps->p;
	}
	ps->p++;
	return 0;
}

static const struct {
	char type;
	int64_t min;
	uint64_t max;
} ranges[] = {
	{ 'y', 0, UINT8_MAX },	{ 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX }, { 'i', INT32_MIN, INT32_MAX },
	{ 'u', 0, UINT32_MAX }, { 'x', INT64_MIN, INT64_MAX }, { 't', 0, UINT64_MAX },
};

static int
store_integer(struct parser *ps, const char *text, struct systemd_value *ret)
{
	bool negative = *text == '-';
	char *end;

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (ranges[i].type != *ret->type)
			continue;
		errno = 0;
		if (negative) {
			ret->v.i = strtoll(text, &end, 0);
			return errno || end == text || *end || ret->v.i < ranges[i].min
				       ? fail(ps, "a number out of range")
				       : 0;
		}
		ret->v.u = strtoull(text, &end, 0);
		return errno || end == text || *end || ret->v.u > ranges[i].max ? fail(ps, "a number out of range") : 0;
	}
	return fail(ps, "an unexpected number");
}

static int
parse_number(struct parser *ps, const char *type, struct systemd_value *ret)
{
	size_t n = strspn(ps->p, "+-.0123456789abcdefABCDEFxX");
	char *text = arena_strndup(ps->arena, ps->p + (*ps->p == '+'), n - (*ps->p == '+')), *end;
	bool is_hex = strpbrk(text, "xX") != NULL;

	ret->type = type ? type : !is_hex && strpbrk(text, ".eE") ? "d" : "i";
	if (*ret->type == 'd') {
		ret->v.d = strtod(text, &end);
		if (end == text || *end)
			return fail(ps, "no number");
	} else if (store_integer(ps, text, ret) < 0) {
		return -EINVAL;
	}
	ps->p += n;
	return 0;
}

/* ---- arrays, tuples, variants ------------------------------------------ */

static struct systemd_value *
add_item(struct parser *ps, struct systemd_value *list, size_t *cap)
{
	if (list->n == *cap) {
		size_t more = *cap ? 2 * *cap : 8;

		list->items =
			arena_grow(ps->arena, list->items, *cap * sizeof(*list->items), more * sizeof(*list->items));
		*cap = more;
	}
	return &list->items[list->n++];
}

static int
parse_array(struct parser *ps, const char *type, struct systemd_value *ret)
{
	const char *item_type = type ? type + 1 : NULL;
	size_t cap = 0;

	if (type && *type != 'a')
		return fail(ps, "an unexpected array");
	ps->p++;
	while (!accept(ps, ']')) {
		int r = ret->n && !accept(ps, ',') ? fail(ps, "no comma") : 0;

		if (r == 0)
			r = parse_value(ps, item_type, add_item(ps, ret, &cap));
		if (r < 0)
			return r;
		item_type = ret->items[0].type;
	}
	if (!item_type)
		return fail(ps, "an empty array without a type (as \"@as []\")");
	ret->type = arena_printf(ps->arena, "a%s", item_type);
	return 0;
}

static int
parse_tuple(struct parser *ps, const char *type, struct systemd_value *ret)
{
	const char *next = type ? type + 1 : NULL;
	char *inferred = arena_strdup(ps->arena, "(");
	size_t cap = 0;

	if (type && *type != '(')
		return fail(ps, "an unexpected tuple");
	ps->p++;
	while (!accept(ps, ')')) {
		const char *item_type = NULL;
		struct systemd_value *item;

		if (ret->n && !accept(ps, ','))
			return fail(ps, "no comma");
		if (ret->n && accept(ps, ')')) /* "(1,)" */
			break;
		if (next && *next == ')')
			return fail(ps, "too many values");
		if (next)
			item_type = arena_strndup(ps->arena, next, type_length(next, 0));
		item = add_item(ps, ret, &cap);
		if (parse_value(ps, item_type, item) < 0)
			return -EINVAL;
		next = next ? next + strlen(item_type) : NULL;
		inferred = arena_printf(ps->arena, "%s%s", inferred, item->type);
	}
	if (!ret->n || (next && *next != ')'))
		return fail(ps, "too few values");
	ret->type = arena_printf(ps->arena, "%s)", inferred);
	return 0;
}

static int
parse_variant(struct parser *ps, const char *type, struct systemd_value *ret)
{
	if (type && strcmp(type, "v") != 0)
		return fail(ps, "an unexpected variant");
	ps->p++;
	ret->type = "v";
	ret->items = arena_alloc(ps->arena, sizeof(*ret->items));
	ret->n = 1;
	if (parse_value(ps, NULL, ret->items) < 0)
		return -EINVAL;
	return accept(ps, '>') ? 0 : fail(ps, "an unterminated variant");
}

/* ---- all --------------------------------------------------------------- */

static int
parse_value(struct parser *ps, const char *type, struct systemd_value *ret)
{
	const char *own = NULL;
	int r;

	*ret = (struct systemd_value){ 0 };
	if (ps->depth >= MAX_DEPTH)
		return fail(ps, "too deep");
	if (parse_prefix(ps, &own) < 0)
		return -EINVAL;
	if (own && type && strcmp(own, type) != 0)
		return fail(ps, "an unexpected type");
	type = own ? own : type;
	skip_space(ps);
	ps->depth++;
	switch (*ps->p) {
	case '\'':
	case '"':
		r = parse_string(ps, type, ret);
		break;
	case '[':
		r = parse_array(ps, type, ret);
		break;
	case '(':
		r = parse_tuple(ps, type, ret);
		break;
	case '<':
		r = parse_variant(ps, type, ret);
		break;
	default:
		r = *ps->p && strchr("+-.0123456789", *ps->p) ? parse_number(ps, type, ret) : parse_bool(ps, type, ret);
	}
	ps->depth--;
	return r;
}

int
systemd_value_parse(const char *text, struct arena *a, struct err *err, struct systemd_value *ret_value)
{
	struct parser ps = { text, text, a, err, 0 };
	struct systemd_value value;

	if (parse_value(&ps, NULL, &value) < 0)
		return -EINVAL;
	skip_space(&ps);
	if (*ps.p)
		return fail(&ps, "trailing characters after the value");
	*ret_value = value;
	return 0;
}
