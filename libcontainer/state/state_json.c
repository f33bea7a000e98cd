/* Theory of operation: state.json is one flat object; one table says how each
 * member is stored, and writing and reading both walk it. docs/state.md
 * documents the members for readers outside knarr: keep the two together. The files are
 * state_file.c's.
 *
 * Reading is forgiving towards other versions (unknown members are skipped,
 * missing ones stay zero) but not towards damage: the file is replaced
 * atomically, so a member of a wrong type means that somebody else wrote it.
 *
 * Every command reads one, `list` hundreds, and nearly all of them are as this version writes them:
 * the members in the table's order, no blanks between them, plain ASCII. Those are scanned in one
 * go, into a copy of the text. Whatever is not as expected, the scanner leaves to
 * the parser, which has the last word: it accepts nothing that the parser would refuse. */
#include "libcontainer/state/state_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "oci-spec/json_text.h"

enum field_kind { FIELD_STRING, FIELD_BOOL, FIELD_PID, FIELD_U32, FIELD_U64, FIELD_PAIRS };

static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
} fields[] = {
	{ "ociVersion", FIELD_STRING, offsetof(struct state, oci_version) },
	{ "id", FIELD_STRING, offsetof(struct state, id) },
	{ "pid", FIELD_PID, offsetof(struct state, pid) },
	{ "pidStartTime", FIELD_U64, offsetof(struct state, pid_start_time) },
	{ "joining", FIELD_BOOL, offsetof(struct state, joining) },
	{ "bootId", FIELD_STRING, offsetof(struct state, boot_id) },
	{ "started", FIELD_BOOL, offsetof(struct state, started) },
	{ "bundle", FIELD_STRING, offsetof(struct state, bundle) },
	{ "rootfs", FIELD_STRING, offsetof(struct state, rootfs) },
	{ "created", FIELD_STRING, offsetof(struct state, created) },
	{ "owner", FIELD_U32, offsetof(struct state, owner) },
	{ "rootless", FIELD_BOOL, offsetof(struct state, rootless) },
	{ "noNewKeyring", FIELD_BOOL, offsetof(struct state, no_new_keyring) },
	{ "cgroupMount", FIELD_STRING, offsetof(struct state, cgroup_mount) },
	{ "cgroupPath", FIELD_STRING, offsetof(struct state, cgroup_path) },
	{ "cgroupMade", FIELD_U32, offsetof(struct state, cgroup_made) },
	{ "cgroupOwner", FIELD_STRING, offsetof(struct state, cgroup_owner) },
	{ "cgroupMarked", FIELD_BOOL, offsetof(struct state, cgroup_marked) },
	{ "resctrlGroup", FIELD_STRING, offsetof(struct state, resctrl_group) },
	{ "resctrlOwn", FIELD_BOOL, offsetof(struct state, resctrl_own) },
	{ "resctrlMonitor", FIELD_BOOL, offsetof(struct state, resctrl_monitor) },
	{ "systemdUnit", FIELD_STRING, offsetof(struct state, systemd_unit) },
	{ "systemdUser", FIELD_BOOL, offsetof(struct state, systemd_user) },
	{ "hasPoststart", FIELD_BOOL, offsetof(struct state, has_poststart) },
	{ "hasPoststop", FIELD_BOOL, offsetof(struct state, has_poststop) },
	{ "hasListener", FIELD_BOOL, offsetof(struct state, has_listener) },
	{ "hasExitStatus", FIELD_BOOL, offsetof(struct state, has_exit_status) },
	{ "exitStatus", FIELD_U32, offsetof(struct state, exit_status) },
	{ "exitReason", FIELD_STRING, offsetof(struct state, exit_reason) },
	{ "annotations", FIELD_PAIRS, offsetof(struct state, annotations) },
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

_Static_assert(sizeof(pid_t) == 4 && sizeof(uid_t) == 4 && sizeof(unsigned) == 4, "FIELD_U32 is used for these");

/* ---- writing --------------------------------------------------------------- */

static void
write_pairs(struct json_out *j, const struct spec_pairs *pairs)
{
	json_out_open(j, '{');
	for (size_t i = 0; i < pairs->n; i++)
		json_out_member(j, pairs->items[i].key, pairs->items[i].value);
	json_out_close(j, '}');
}

static void
write_field(struct json_out *j, const struct field *field, const void *value)
{
	/* Absent and not null: a reader need not know both. */
	if (field->kind == FIELD_STRING && !*(char *const *)value)
		return;
	json_out_key(j, field->name);
	switch (field->kind) {
	case FIELD_STRING:
		json_out_string(j, *(char *const *)value);
		break;
	case FIELD_BOOL:
		json_out_bool(j, *(const bool *)value);
		break;
	case FIELD_PID:
	case FIELD_U32:
		json_out_uint(j, *(const uint32_t *)value);
		break;
	case FIELD_U64:
		json_out_uint(j, *(const uint64_t *)value);
		break;
	case FIELD_PAIRS:
		write_pairs(j, value);
		break;
	}
}

size_t
state_json_write(const struct state *state, struct arena *a, const char **ret_text)
{
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ false);
	json_out_open(&j, '{');
	for (size_t i = 0; i < N_FIELDS; i++)
		write_field(&j, &fields[i], (const char *)state + fields[i].offset);
	json_out_close(&j, '}');
	*ret_text = j.text;
	return j.len;
}

/* ---- what this version has written ------------------------------------------ */

/* Text that is overwritten with what its strings say; a NUL follows it, which ends each scan. */
struct scan {
	char *at;
	struct arena *arena;
};

static bool
take(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

/* The character that an escape sequence of one letter means; 0: another one. */
static char
unescape(char letter)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *p = letter ? strchr(letters, letter) : NULL;

	return p ? meant[p - letters] : '\0';
}

static bool
is_plain(unsigned char letter)
{
	return letter >= ' ' && letter < 0x80 && letter != '"' && letter != '\\';
}

static bool
take_string(struct scan *scan, char **ret_string)
{
	char *from = scan->at + 1, *to = from;

	if (*scan->at != '"')
		return false;
	*ret_string = to;
	for (;; from += 2) {
		char *run = from;

		while (is_plain((unsigned char)*from))
			from++;
		if (to != run)
			memmove(to, run, (size_t)(from - run));
		to += from - run;
		if (*from != '\\')
			break;
		*to = unescape(from[1]);
		if (!*to++)
			return false;
	}
	if (*from != '"')
		return false;
	*to = '\0';
	scan->at = from + 1;
	return true;
}

static bool
take_number(struct scan *scan, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *start = scan->at;

	for (; *scan->at >= '0' && *scan->at <= '9'; scan->at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*scan->at - '0'), &number))
			return false;
	*ret_number = number;
	return scan->at > start && number <= max && (*start != '0' || scan->at == start + 1);
}

static bool
take_pair(struct scan *scan, struct spec_pair *pair)
{
	return take_string(scan, &pair->key) && take(scan, ":") && take_string(scan, &pair->value);
}

static int
by_key(const void *left, const void *right)
{
	return strcmp((*(const struct spec_pair *const *)left)->key, (*(const struct spec_pair *const *)right)->key);
}

/* Whether each key is there once. */
static bool
are_different(const struct spec_pairs *pairs, struct arena *a)
{
	const struct spec_pair **sorted = arena_array(a, pairs->n, sizeof(*sorted));

	for (size_t i = 0; i < pairs->n; i++)
		sorted[i] = &pairs->items[i];
	qsort(sorted, pairs->n, sizeof(*sorted), by_key);
	for (size_t i = 1; i < pairs->n; i++)
		if (by_key(&sorted[i - 1], &sorted[i]) == 0)
			return false;
	return true;
}

static bool
take_pairs(struct scan *scan, struct spec_pairs *pairs)
{
	size_t cap = 8;

	if (!take(scan, "{"))
		return false;
	*pairs = (struct spec_pairs){ .items = arena_array(scan->arena, cap, sizeof(*pairs->items)) };
	while (!take(scan, "}")) {
		if (pairs->n == cap) {
			size_t size = cap * sizeof(*pairs->items);

			pairs->items = arena_grow(scan->arena, pairs->items, size, 2 * size);
			cap *= 2;
		}
		if ((pairs->n > 0 && !take(scan, ",")) || !take_pair(scan, &pairs->items[pairs->n]))
			return false;
		pairs->n++;
	}
	return pairs->n < 2 || are_different(pairs, scan->arena);
}

static bool
take_value(struct scan *scan, const struct field *field, void *value)
{
	uint64_t number;

	switch (field->kind) {
	case FIELD_STRING:
		return take_string(scan, value);
	case FIELD_BOOL:
		*(bool *)value = *scan->at == 't';
		return take(scan, *scan->at == 't' ? "true" : "false");
	case FIELD_PID:
	case FIELD_U32:
		if (!take_number(scan, field->kind == FIELD_PID ? INT32_MAX : UINT32_MAX, &number))
			return false;
		*(uint32_t *)value = (uint32_t)number;
		return true;
	case FIELD_U64:
		return take_number(scan, UINT64_MAX, value);
	case FIELD_PAIRS:
		return take_pairs(scan, value);
	}
	return false;
}

/* Of the fields from *next on the one with the name that is here. */
static const struct field *
take_name(struct scan *scan, size_t *next)
{
	while (*scan->at == '"' && *next < N_FIELDS) {
		const struct field *field = &fields[(*next)++];
		size_t len = strlen(field->name);

		if (!strncmp(scan->at + 1, field->name, len) && scan->at[len + 1] == '"' && scan->at[len + 2] == ':') {
			scan->at += len + 3;
			return field;
		}
	}
	return NULL;
}

static bool
scan_members(struct scan *scan, struct state *state)
{
	size_t next = 0;

	if (!take(scan, "{"))
		return false;
	do {
		const struct field *field = take_name(scan, &next);

		if (!field || !take_value(scan, field, (char *)state + field->offset))
			return false;
	} while (take(scan, ","));
	return take(scan, "}") && !*scan->at;
}

/* Nothing, or what state_file.c pads a state with: blanks and a line end. */
static bool
is_padding(const char *text, size_t len)
{
	if (len == 0)
		return true;
	return text[len - 1] == '\n' && (len == 1 || (text[0] == ' ' && !memcmp(text, text + 1, len - 2)));
}

static bool
scan_state(const char *text, size_t len, const char *id, struct arena *a, struct state *state)
{
	const char *last = memrchr(text, '}', len);
	size_t bare = last ? (size_t)(last + 1 - text) : 0;
	struct state found = { 0 };
	struct scan scan;

	/* The scan ends at a NUL: the text has none itself. */
	if (len > SPEC_MAX_SIZE || !is_padding(text + bare, len - bare) || memchr(text, '\0', bare))
		return false;
	scan = (struct scan){ arena_strndup(a, text, bare), a };
	if (!scan_members(&scan, &found) || !found.id || strcmp(found.id, id))
		return false;
	*state = found;
	return true;
}

/* ---- reading --------------------------------------------------------------- */

static int
read_number(const struct json_value *value, uint64_t max, uint64_t *ret_number)
{
	unsigned long long number;
	char *end;

	if (value->type != JSON_NUMBER || value->text[0] == '-')
		return -EINVAL;
	errno = 0;
	number = strtoull(value->text, &end, 10);
	if (errno || *end || number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static int
read_pairs(const struct json_value *value, struct arena *a, struct spec_pairs *pairs)
{
	if (value->type != JSON_OBJECT)
		return -EINVAL;
	pairs->items = arena_array(a, value->n, sizeof(*pairs->items));
	pairs->n = 0;
	for (const struct json_value *m = value->first; m; m = m->next) {
		if (m->type != JSON_STRING)
			return -EINVAL;
		pairs->items[pairs->n++] = (struct spec_pair){ m->key, m->text };
	}
	return 0;
}

static int
read_field(const struct json_value *val, const struct field *field, struct arena *a, void *value)
{
	uint64_t number;

	switch (field->kind) {
	case FIELD_STRING:
		if (val->type != JSON_STRING)
			return -EINVAL;
		*(char **)value = val->text;
		return 0;
	case FIELD_BOOL:
		if (val->type != JSON_BOOL)
			return -EINVAL;
		*(bool *)value = val->boolean;
		return 0;
	case FIELD_PID:
	case FIELD_U32:
		if (read_number(val, field->kind == FIELD_PID ? INT32_MAX : UINT32_MAX, &number) < 0)
			return -EINVAL;
		*(uint32_t *)value = (uint32_t)number;
		return 0;
	case FIELD_U64:
		return read_number(val, UINT64_MAX, value);
	case FIELD_PAIRS:
		return read_pairs(val, a, value);
	}
	return 0;
}

int
state_json_read(const char *path, const char *text, size_t len, const char *id, struct arena *a, struct err *err,
		struct state *state)
{
	struct spec_report report = { 0 };
	const struct json_value *root;
	struct issues is;

	if (scan_state(text, len, id, a, state))
		return 0;
	issues_init(&is, a, text, len);
	root = json_parse(text, len, a, &is);
	issues_report(&is, &report);
	if (!root || report.n_errors > 0 || root->type != JSON_OBJECT)
		return err_plain(err, "'%s' is damaged: %s", path,
				 report.n > 0 ? report.items[0].text : "not an object");
	for (size_t i = 0; i < N_FIELDS; i++) {
		const struct json_value *v = json_get(root, fields[i].name);

		if (v && read_field(v, &fields[i], a, (char *)state + fields[i].offset) < 0)
			return err_plain(err, "'%s' is damaged: %s: found %s", path, fields[i].name,
					 json_describe(a, v));
	}
	if (!state->id)
		return err_plain(err, "'%s' is damaged: it has no member 'id'", path);
	if (strcmp(state->id, id))
		return err_plain(err, "'%s' is damaged: it is the state of '%s'", path, state->id);
	return 0;
}
