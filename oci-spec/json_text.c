/* Theory of operation: yajl lexes and checks the grammar; its callbacks append
 * to the tree. Inside a callback yajl_get_bytes_consumed() is the end of the
 * token. Between two tokens stand only white space, ':' and ',', so the start
 * of a token is found by skipping those from the end of the token before.
 *
 * yajl leaves four holes that are closed here: overlong UTF-8 and surrogates
 * pass its check, so the text is checked as a whole before; "\u0000" and a
 * lone "\ud800" decode to something else silently; keys may repeat. */
#include "oci-spec/json_text.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/utf8.h"

struct builder {
	struct arena *arena;
	struct issues *issues;
	yajl_handle yajl;
	const char *text;
	size_t len;
	size_t token_end; /* of the last token */
	enum json_event event;
	bool stopped; /* a callback has reported why it cancelled */
	unsigned depth;
	struct json_value *root;
	struct json_value *open;		 /* innermost open object or array */
	struct json_value *last[SPEC_MAX_DEPTH]; /* last child of each open one */
	char *key;				 /* key waiting for its value */
	size_t key_offset;
	bool key_broken;
};

/* ---- memory for yajl ------------------------------------------------- */

static void *
yajl_get(void *ctx, size_t size)
{
	size_t *block = arena_alloc(ctx, size + sizeof(max_align_t));

	*block = size;
	return (char *)block + sizeof(max_align_t);
}

static void *
yajl_regrow(void *ctx, void *old, size_t size)
{
	void *p = yajl_get(ctx, size);

	if (old) {
		size_t old_size = *(size_t *)(void *)((char *)old - sizeof(max_align_t));

		memcpy(p, old, old_size < size ? old_size : size);
	}
	return p;
}

static void
yajl_forget(void *ctx, void *pointer)
{
	(void)ctx;
	(void)pointer;
}

/* ---- tokens ---------------------------------------------------------- */

static size_t
token_start(const struct builder *builder)
{
	return builder->token_end + strspn(builder->text + builder->token_end, " \t\r\n,:");
}

/* Start of the token of the present callback; remembers its end. */
static size_t
take_token(struct builder *builder, enum json_event event)
{
	size_t start = token_start(builder);
	size_t end = yajl_get_bytes_consumed(builder->yajl);

	/* a lone number is only delivered at the end, when yajl's count is of its own space */
	builder->token_end = end > start ? end : builder->len;
	builder->event = event;
	return start;
}

static struct json_value *
add_value(struct builder *builder, enum json_type type, enum json_event event)
{
	struct json_value *v = arena_alloc(builder->arena, sizeof(*v));

	v->type = type;
	v->offset = (uint32_t)take_token(builder, event);
	v->parent = builder->open;
	if (!builder->open) {
		builder->root = v;
		return v;
	}
	v->index = builder->open->n++;
	v->key = builder->key;
	v->key_offset = (uint32_t)builder->key_offset;
	builder->key = NULL;
	if (builder->last[builder->depth - 1])
		builder->last[builder->depth - 1]->next = v;
	else
		builder->open->first = v;
	builder->last[builder->depth - 1] = v;
	return v;
}

/* Value of four hex digits (yajl has checked that they are). */
static unsigned
hex4(const char *text)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(text[i] <= '9' ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10);
	return v;
}

/* What makes a quoted string (from its opening quote) unusable, or NULL. yajl
 * accepted it, so every escape is complete. */
static const char *
string_fault(const char *text, const char *end, const char **ret_at)
{
	while ((text = memchr(text, '\\', (size_t)(end - text)))) {
		unsigned c;

		*ret_at = text;
		if (text[1] != 'u') {
			text += 2;
			continue;
		}
		c = hex4(text + 2);
		if (c == 0)
			return "the NUL character is not allowed in strings";
		text += 6;
		if (c < 0xd800 || c > 0xdfff)
			continue;
		if (c >= 0xdc00 || text[0] != '\\' || text[1] != 'u' || hex4(text + 2) < 0xdc00 ||
		    hex4(text + 2) > 0xdfff)
			return "half of a surrogate pair is not a character";
		text += 6;
	}
	return NULL;
}

/* Reports a string that cannot be used; true when it was one. */
static bool
check_string(struct builder *builder, size_t start, const struct json_value *value)
{
	const char *at, *fault = string_fault(builder->text + start, builder->text + builder->token_end, &at);

	if (!fault)
		return false;
	issues_add(builder->issues, SPEC_ERROR, (size_t)(at - builder->text),
		   value ? json_path(builder->arena, value) : "", "%s", fault);
	return true;
}

/* ---- callbacks ------------------------------------------------------- */

static int
on_null(void *ctx)
{
	add_value(ctx, JSON_NULL, JSON_AFTER_VALUE);
	return 1;
}

static int
on_boolean(void *ctx, int value)
{
	add_value(ctx, JSON_BOOL, JSON_AFTER_VALUE)->boolean = value != 0;
	return 1;
}

static int
on_number(void *ctx, const char *text, size_t n)
{
	struct builder *b = ctx;
	struct json_value *v = add_value(b, JSON_NUMBER, JSON_AFTER_VALUE);

	v->text = arena_strndup(b->arena, text, n);
	v->n = (uint32_t)n;
	return 1;
}

static int
on_string(void *ctx, const unsigned char *text, size_t n)
{
	struct builder *b = ctx;
	struct json_value *v = add_value(b, JSON_STRING, JSON_AFTER_VALUE);

	v->text = arena_strndup(b->arena, (const char *)text, n);
	v->n = (uint32_t)n;
	v->broken = check_string(b, v->offset, v);
	return 1;
}

static int
on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct builder *b = ctx;

	b->key_offset = take_token(b, JSON_AFTER_KEY);
	b->key = arena_strndup(b->arena, (const char *)text, n);
	check_string(b, b->key_offset, b->open);
	return 1;
}

static int
open_container(struct builder *builder, enum json_type type)
{
	struct json_value *v = add_value(builder, type, JSON_AFTER_OPEN);

	if (builder->depth == SPEC_MAX_DEPTH) {
		issues_add(builder->issues, SPEC_ERROR, v->offset, "",
			   "objects and arrays are nested deeper than %d levels", SPEC_MAX_DEPTH);
		builder->stopped = true;
		return 0;
	}
	builder->last[builder->depth++] = NULL;
	builder->open = v;
	return 1;
}

static int
on_open_object(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int
on_open_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int
on_close(void *ctx)
{
	struct builder *b = ctx;

	take_token(b, JSON_AFTER_VALUE);
	b->open = b->open->parent;
	b->depth--;
	return 1;
}

/* ---- duplicate keys -------------------------------------------------- */

static int
by_key(const void *left, const void *right)
{
	const struct json_value *x = *(const struct json_value *const *)left,
				*y = *(const struct json_value *const *)right;
	int r = strcmp(x->key, y->key);

	if (r != 0)
		return r;
	return x->key_offset < y->key_offset ? -1 : 1;
}

static void
mark_duplicate(struct builder *builder, struct json_value *value, const struct json_value *original)
{
	value->duplicate = true;
	if (issues_full(builder->issues, SPEC_ERROR)) {
		issues_count(builder->issues, SPEC_ERROR);
		return;
	}
	issues_add(builder->issues, SPEC_ERROR, value->key_offset, json_path(builder->arena, value),
		   "duplicate property, first given on line %u", issues_line(builder->issues, original->key_offset));
}

/* Sorts the members by key, so that equals are neighbours. Returns how many. */
static size_t
find_duplicates_sorted(struct builder *builder, struct json_value *object)
{
	struct json_value **members = arena_array(builder->arena, object->n, sizeof(struct json_value *));
	size_t n = 0, first = 0, found = 0;

	for (struct json_value *v = object->first; v; v = v->next)
		members[n++] = v;
	qsort(members, n, sizeof(*members), by_key);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(members[i]->key, members[first]->key) != 0) {
			first = i;
			continue;
		}
		mark_duplicate(builder, members[i], members[first]);
		found++;
	}
	return found;
}

static size_t
find_duplicates_small(struct builder *builder, struct json_value *object)
{
	size_t found = 0;

	for (struct json_value *v = object->first; v; v = v->next)
		for (struct json_value *w = object->first; w != v; w = w->next)
			if (!w->duplicate && strcmp(v->key, w->key) == 0) {
				mark_duplicate(builder, v, w);
				found++;
				break;
			}
	return found;
}

/* Leaves only the first of equal members in the tree. */
static void
drop_duplicates(struct builder *builder, struct json_value *object)
{
	struct json_value **link = &object->first;

	if ((object->n <= 16 ? find_duplicates_small(builder, object) : find_duplicates_sorted(builder, object)) == 0)
		return;
	while (*link)
		if ((*link)->duplicate)
			*link = (*link)->next;
		else
			link = &(*link)->next;
}

static int
on_close_object(void *ctx)
{
	struct builder *b = ctx;

	drop_duplicates(b, b->open);
	return on_close(b);
}

/* ---- the whole text -------------------------------------------------- */

/* What must hold before yajl sees the text. */
static bool
check_encoding(const char *text, size_t len, struct issues *is)
{
	size_t fault;

	if (len > SPEC_MAX_SIZE) {
		issues_add(is, SPEC_ERROR, SPEC_MAX_SIZE, "", "the file is larger than %zu bytes", SPEC_MAX_SIZE);
		return false;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		issues_add(is, SPEC_ERROR, 0, "", "the file begins with a byte order mark, JSON has none");
		return false;
	}
	fault = utf8_first_fault(text, len);
	if (fault < len) {
		issues_add(is, SPEC_ERROR, fault, "", "byte 0x%02x is not valid UTF-8 here",
			   (unsigned char)text[fault]);
		return false;
	}
	return true;
}

struct json_value *
json_parse(const char *text, size_t len, struct arena *a, struct issues *is)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_open_object,
		.yajl_map_key = on_key,
		.yajl_end_map = on_close_object,
		.yajl_start_array = on_open_array,
		.yajl_end_array = on_close,
	};
	yajl_alloc_funcs memory = { yajl_get, yajl_regrow, yajl_forget, a };
	struct builder b = { .arena = a, .issues = is, .text = text, .len = len };
	yajl_status status;
	unsigned char *message;

	if (!check_encoding(text, len, is))
		return NULL;
	if (text[strspn(text, " \t\r\n")] == '\0' && strlen(text) == len) {
		issues_add(is, SPEC_ERROR, 0, "", "the file is empty");
		return NULL;
	}
	b.yajl = yajl_alloc(&callbacks, &memory, &b);
	yajl_config(b.yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(b.yajl, (const unsigned char *)text, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(b.yajl);
	if (status == yajl_status_ok)
		return b.root;
	if (!b.stopped) {
		message = yajl_get_error(b.yajl, 0, (const unsigned char *)text, len);
		json_syntax_error(is, (const char *)message, b.token_end, b.event, b.open);
	}
	return NULL;
}
