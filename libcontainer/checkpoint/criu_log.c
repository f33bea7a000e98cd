/* Theory of operation: CRIU's answer to a failed request is a number, mostly none
 * that helps; the reason is in its log, among thousands of lines:
 *
 *   (00.012345) Error (criu/tty.c:1000): tty: Found slave peer index 0 without …
 *   (00.012350)      1: Error (criu/mount.c:33): …
 *
 * The first error is mostly the cause and the last ones say what failed by it, so
 * a message has the first and the last two. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "libcontainer/checkpoint/criu_rpc.h"

#define LOG_MAX	   ((size_t)256 * 1024 * 1024)
#define N_SHOWN	   3
#define LINE_SHOWN 240

struct errors {
	const char *lines[N_SHOWN];
	size_t lens[N_SHOWN];
	size_t n;
};

static bool
is_same(const struct errors *errors, size_t i, const char *text, size_t len)
{
	return errors->lens[i] == len && !memcmp(errors->lines[i], text, len);
}

static void
add(struct errors *errors, const char *text, size_t len)
{
	if (len > LINE_SHOWN)
		len = LINE_SHOWN;
	if (errors->n && is_same(errors, errors->n - 1, text, len))
		return;
	if (errors->n == N_SHOWN) {
		memmove(&errors->lines[1], &errors->lines[2], (N_SHOWN - 2) * sizeof(*errors->lines));
		memmove(&errors->lens[1], &errors->lens[2], (N_SHOWN - 2) * sizeof(*errors->lens));
		errors->n--;
	}
	errors->lines[errors->n] = text;
	errors->lens[errors->n++] = len;
}

static void
find_errors(const char *log, struct errors *errors)
{
	while (*log) {
		size_t len = strcspn(log, "\n");
		const char *found = memmem(log, len, "Error (", 7), *text;

		/* "Error (criu/mount.c:33): text": what follows the second colon. */
		text = found ? memmem(found, (size_t)(log + len - found), "): ", 3) : NULL;
		if (text)
			add(errors, text + 3, (size_t)(log + len - text - 3));
		log += len + (log[len] == '\n');
	}
}

static void
append(struct err *err, const char *separator, const char *text, size_t len)
{
	size_t used = strlen(err->msg);

	snprintf(err->msg + used, sizeof(err->msg) - used, "%s%.*s", separator, (int)len, text);
}

void
criu_log_add_errors(struct arena *a, const char *dir, const char *file, const char *message, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", dir, file);
	struct errors e = { .n = 0 };
	char *log = NULL;
	size_t len;
	bool has_log = fd_read_file_at(AT_FDCWD, path, LOG_MAX, &log, &len) == 0;

	if (has_log)
		find_errors(log, &e);
	for (size_t i = 0; i < e.n; i++)
		append(err, i ? "; " : ": ", e.lines[i], e.lens[i]);
	if (e.n == 0 && message)
		append(err, ": ", message, strcspn(message, "\n"));
	if (has_log) {
		append(err, " (see ", path, strlen(path));
		append(err, ")", "", 0);
	}
	free(log);
}
