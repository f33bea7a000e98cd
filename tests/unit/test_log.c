/* Log lines: JSON that is valid whatever the message holds, text, levels. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "tests/unit/check.h"

static char dir[] = "/tmp/knarr-test-log.XXXXXX", file[64], messages[64];

/* The file's content; empties it. */
static char *
take(const char *path)
{
	static char text[65536];

	text[0] = '\0';
	CHECK(fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) >= 0);
	CHECK(truncate(path, 0) == 0);
	return text;
}

static void
test_json(void)
{
	const char *text;

	log_error("a \"b\"\\\n%s\x01\xff\xc3\xa9", "c");
	text = take(file);
	CHECK(strstr(text,
		     "{\"level\":\"error\",\"msg\":\"a \\\"b\\\"\\\\\\nc\\u0001\xef\xbf\xbd\xc3\xa9\",\"time\":\"20") ==
	      text);
	CHECK(strlen(text) > 2 && !strcmp(text + strlen(text) - 3, "Z\"}"));
	/* 2026-11-21T10:14:49.123456789Z */
	CHECK(strlen(strstr(text, "\"time\":\"")) == strlen("\"time\":\"2026-11-21T10:14:49.123456789Z\"}"));
	CHECK(!strcmp(take(messages), "knarr: a \"b\"\\\\nc\\x01\\xff\xc3\xa9"));
	log_error_lines("FILE:1:2: error: one\nFILE:2:3: error: \033[2J");
	CHECK(!strcmp(take(messages), "knarr: FILE:1:2: error: one\nknarr: FILE:2:3: error: \\x1b[2J"));
	take(file);
}

static void
test_levels(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	log_debug("hidden");
	log_write(LOG_LEVEL_INFO, "hidden");
	CHECK(!*take(file));
	log_warning("w");
	CHECK(strstr(take(file), "\"level\":\"warning\",\"msg\":\"w\"") != NULL);
	CHECK(!*take(messages)); /* stderr may be the container's: with a log file, errors only */
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("d");
	CHECK(strstr(take(file), "\"level\":\"debug\"") != NULL);
	CHECK(!*take(messages)); /* there is a log file */
	log_close();
	log_debug("d");
	CHECK(!strcmp(take(messages), "knarr: debug: d"));
	log_warning("w");
	CHECK(!strcmp(take(messages), "knarr: warning: w"));
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("hidden");
	CHECK(!*take(messages));
}

static void
test_text(void)
{
	struct err err;

	CHECK(log_open(file, /* format_json= */ false, &err) == 0);
	log_error("a \"b\"\nc");
	CHECK(strstr(take(file), "Z\" level=error msg=\"a \\\"b\\\"\\nc\"") != NULL);
	CHECK(log_open("/proc/nowhere/log", false, &err) < 0);
	CHECK(strstr(err.msg, "'/proc/nowhere/log'") != NULL);
	/* the old one is still there */
	log_error("x");
	CHECK(strstr(take(file), "msg=\"x\"") != NULL);
	log_close();
}

/* One write per line: many lines of two processes do not mix. */
static void
test_long(void)
{
	static char text[20000];
	struct err err;

	memset(text, 'x', sizeof(text) - 1);
	take(messages);
	CHECK(log_open(file, /* format_json= */ true, &err) == 0);
	log_error("%s", text);
	CHECK(strlen(take(file)) > sizeof(text));
	log_close();
}

int
main(void)
{
	struct err err;
	int saved = dup(STDERR_FILENO), fd;

	if (!mkdtemp(dir))
		return 1;
	snprintf(file, sizeof(file), "%s/log", dir);
	snprintf(messages, sizeof(messages), "%s/messages", dir);
	fd = open(messages, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, STDERR_FILENO);
	fd_close(fd);
	CHECK(log_open(file, /* format_json= */ true, &err) == 0);
	test_json();
	test_levels();
	test_text();
	test_long();
	dup2(saved, STDERR_FILENO);
	fd_close(saved);
	unlink(file);
	unlink(messages);
	rmdir(dir);
	return failed;
}
