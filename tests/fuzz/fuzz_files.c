/* Fuzzes the parsers of files that an image, a checkpoint, the administrator or another program
 * wrote. See fuzz.h and README.md. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "libcontainer/checkpoint/criu_rpc.h"
#include "libcontainer/checkpoint/criu_stdio.h"
#include "libcontainer/process/home.h"
#include "libcontainer/state/state_json.h"
#include "namespaces/user/idmap_subid.h"

/* First line: the uid; then /etc/passwd of the image. */
static void
fuzz_passwd(char *text, size_t len)
{
	const char *end = text + len;
	uint32_t uid = (uint32_t)strtoul(fuzz_line(&text), NULL, 10);
	int fd = fuzz_file(text, (size_t)(end - text));
	char *home = malloc(HOME_MAX);
	struct err err;

	FUZZ_MUST(home);
	if (home_find_in(fd, uid, home, &err) == 0)
		FUZZ_MUST(!strncmp(home, "HOME=/", 6) && !strchr(home, '\n') && strlen(home) < HOME_MAX);
	free(home);
	close(fd);
}

static void
fuzz_subid(char *text, size_t len)
{
	static const char *const names[] = { "passwd", "subuid", "nsswitch.conf", NULL };
	const struct plan_id_map maps[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
	struct err err;
	bool delegated;
	int r;

	(void)len;
	fuzz_fill(names, text);
	err_clear(&err);
	r = idmap_check_owned(&idmap_uids, fuzz_directory_path(), 1000, 1000, maps, 2, &err, &delegated);
	FUZZ_MUST(r == 0 || err.msg[0]);
}

/* What was read is written and read again: the same. Behind a blank the text means the same, too, which keeps
 * the scanner from reading it. */
static void
fuzz_state(char *text, size_t len)
{
	auto_arena struct arena a = { 0 };
	struct state first = { 0 }, second = { 0 }, parsed = { 0 };
	char *with_blank = arena_printf(&a, " %s", text);
	const char *written, *again;
	struct err err;
	size_t n, m;

	err_clear(&err);
	if (state_json_read("state.json", text, len, "c1", &a, &err, &first) < 0) {
		FUZZ_MUST(err.msg[0]);
		return;
	}
	FUZZ_MUST(strlen(text) == len);
	FUZZ_MUST(state_json_read("state.json", with_blank, len + 1, "c1", &a, &err, &parsed) == 0);
	n = state_json_write(&first, &a, &written);
	m = state_json_write(&parsed, &a, &again);
	FUZZ_MUST(n == m && !memcmp(written, again, n));
	FUZZ_MUST(first.pid >= 0 && !strcmp(first.id, "c1"));
	n = state_json_write(&first, &a, &written);
	FUZZ_MUST(state_json_read("state.json", written, n, "c1", &a, &err, &second) == 0);
	m = state_json_write(&second, &a, &again);
	FUZZ_MUST(n == m && !memcmp(written, again, n));
}

static void
fuzz_descriptors(char *text, size_t len)
{
	static const char *const names[] = { "descriptors.json", NULL };
	auto_arena struct arena a = { 0 };
	struct protobuf options = { .arena = &a };
	struct spec spec = { 0 };
	int dir = fuzz_directory();
	struct err err;

	(void)len;
	fuzz_fill(names, text);
	err_clear(&err);
	if (criu_stdio_restore(dir, &spec, &err, &options) < 0)
		FUZZ_MUST(err.msg[0]);
	close(dir);
}

static void
fuzz_criu_log(char *text, size_t len)
{
	static const char *const names[] = { "dump.log", NULL };
	auto_arena struct arena a = { 0 };
	struct err err;

	(void)len;
	fuzz_fill(names, text);
	err_plain(&err, "criu failed");
	criu_log_add_errors(&a, fuzz_directory_path(), "dump.log", "it says", &err);
	FUZZ_MUST(!strncmp(err.msg, "criu failed", 11) && !strchr(err.msg, '\n'));
}

static const struct fuzz_parser parsers[] = {
	{ 'p', fuzz_passwd },	   { 'u', fuzz_subid },	   { 's', fuzz_state },
	{ 'd', fuzz_descriptors }, { 'l', fuzz_criu_log },
};

FUZZ_TARGET(parsers, "files")
