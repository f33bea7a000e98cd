/* Blocks are told by their indentation, two spaces each:
 *
 *   # filter for arch x86_64 (3221225534)
 *   if ($arch == 3221225534)
 *     if ($syscall == 0)
 *       if ($a0.hi32 & 0x00000001 == 0)
 *         action ERRNO(1);
 *       else
 *         ...
 *     action ALLOW;
 *
 * Where a block says nothing, what follows it is next. */
#include "tests/unit/seccomp_pfc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP 2

struct reader {
	const char *line;
	const struct seccomp_data *data;
	bool broken; /* has something that is not known here */
	uint32_t value;
};

static size_t
depth_of(const char *line)
{
	return strspn(line, " ");
}

/* The next line that is not a comment. */
static void
next_line(struct reader *r)
{
	do {
		const char *end = strchr(r->line, '\n');

		r->line = end ? end + 1 : "";
	} while (r->line[depth_of(r->line)] == '#');
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* "$arch", "$syscall", "$a0", "$a0.hi32" */
static bool
find_word(const struct seccomp_data *d, const char *name, uint32_t *ret_word)
{
	unsigned arg = 0;
	char rest[16] = "";

	if (strcmp(name, "$syscall") == 0) {
		*ret_word = (uint32_t)d->nr;
		return true;
	}
	if (strcmp(name, "$arch") == 0) {
		*ret_word = d->arch;
		return true;
	}
	if (sscanf(name, "$a%u%15s", &arg, rest) < 1 || arg > 5)
		return false;
	*ret_word = (uint32_t)(d->args[arg] >> (strcmp(rest, ".hi32") == 0 ? 32 : 0));
	return !*rest || strcmp(rest, ".hi32") == 0 || strcmp(rest, ".lo32") == 0;
}

/* "if ($a0.hi32 & 0x00000001 == 0)" */
static bool
holds(struct reader *r, const char *text)
{
	char name[32], op[4];
	uint32_t word = 0, mask = UINT32_MAX;
	unsigned value;

	if (sscanf(text, "if (%31s & %x %3s %u)", name, &mask, op, &value) != 4) {
		mask = UINT32_MAX;
		if (sscanf(text, "if (%31s %3s %u)", name, op, &value) != 3)
			r->broken = true;
	}
	if (r->broken || !find_word(r->data, name, &word)) {
		r->broken = true;
		return false;
	}
	word &= mask;
	if (strcmp(op, "==") == 0)
		return word == value;
	if (strcmp(op, ">") == 0)
		return word > value;
	if (strcmp(op, ">=") == 0)
		return word >= value;
	r->broken = true;
	return false;
}

/* "action ERRNO(1);"; one that this libseccomp has no word for is a number. */
static void
read_action(struct reader *r, const char *text)
{
	static const struct {
		const char *name;
		uint32_t value;
	} rows[] = { { "ALLOW", SECCOMP_RET_ALLOW },
		     { "LOG", SECCOMP_RET_LOG },
		     { "TRAP", SECCOMP_RET_TRAP },
		     { "KILL", SECCOMP_RET_KILL_THREAD },
		     { "KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
		     { "NOTIFY", SECCOMP_RET_USER_NOTIF },
		     { "USER_NOTIF", SECCOMP_RET_USER_NOTIF } };
	char name[32] = "";
	unsigned data;

	if (sscanf(text, "action ERRNO(%u);", &data) == 1)
		r->value = SECCOMP_RET_ERRNO | data;
	else if (sscanf(text, "action TRACE(%u);", &data) == 1)
		r->value = SECCOMP_RET_TRACE | data;
	else if (sscanf(text, "action 0x%x;", &data) == 1)
		r->value = data;
	else if (sscanf(text, "action %31[^;];", name) == 1)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (strcmp(name, rows[i].name) == 0) {
				r->value = rows[i].value;
				return;
			}
	r->broken |= *name != '\0';
}

/* Reads the block that is this deep. True: it has come to an action, when it counts. */
static bool
run_block(struct reader *r, size_t depth, bool counts)
{
	while (*r->line && depth_of(r->line) >= depth && !r->broken) {
		const char *text = r->line + depth;
		bool is;

		if (begins(text, "action ")) {
			if (counts)
				read_action(r, text);
			next_line(r);
			if (counts)
				return true;
			continue;
		}
		is = holds(r, text);
		next_line(r);
		if (run_block(r, depth + STEP, counts && is))
			return true;
		if (depth_of(r->line) != depth || !begins(r->line + depth, "else\n"))
			continue;
		next_line(r);
		if (run_block(r, depth + STEP, counts && !is))
			return true;
	}
	return false;
}

bool
seccomp_pfc_run(const char *text, bool is_x32, const struct seccomp_data *data, uint32_t *ret_value)
{
	struct reader r = { .data = data };
	const char *head = "# filter for arch ";

	for (text = strstr(text, head); text; text = strstr(text + 1, head)) {
		if (begins(text + strlen(head), "x32 ") != is_x32)
			continue;
		r.line = text;
		next_line(&r);
		if (!holds(&r, r.line) || r.broken)
			continue;
		next_line(&r);
		if (!run_block(&r, STEP, true) || r.broken)
			return false;
		*ret_value = r.value;
		return true;
	}
	return false;
}
