/* Theory of operation: a line goes out in one write(2) per sink, so that lines
 * of several runtimes that share a log file (opened for appending) do not mix.
 *
 * The file's JSON is what containerd's shim decodes as a stream to find the
 * last {"level":"error"}: one line that is not JSON would break it, so the text
 * goes through json_out. The text format is that of logrus, which is what
 * the readers of runc's logs expect: key=value, values quoted.
 *
 * stderr is for people: no time, and a message of several lines (a config with
 * several errors) gets its prefix on each of them. Texts of configs and images are in
 * the messages, so what a terminal would act on is escaped here, for all of them. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/json_out.h"
#include "base/log_socket.h"
#include "base/printable.h"

static enum log_level log_level = LOG_LEVEL_WARNING;
static int log_fd = -1;
static bool log_json;
static const char *log_id; /* log_fd is a socket, of this kind; NULL: a file */
static enum log_socket_kind log_kind;

static void (*log_take_warning)(void *arg, const char *msg);
static void *log_take_arg;

static const struct {
	const char *name, *prefix;
	int priority; /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "knarr: ", 3 },
	[LOG_LEVEL_WARNING] = { "warning", "knarr: warning: ", 4 },
	[LOG_LEVEL_INFO] = { "info", "knarr: info: ", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", "knarr: debug: ", 7 },
};

void
log_set_level(enum log_level level)
{
	log_level = level;
}

int
log_open(const char *path, bool format_json, struct err *err)
{
	enum log_socket_kind kind;
	const char *id = NULL;
	int fd;

	if (log_socket_match(path, &kind, &id)) {
		fd = log_socket_open(kind, err);
		if (fd < 0)
			return fd;
		log_kind = kind;
	} else {
		path += strncmp(path, "file:", 5) ? 0 : 5;
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
		if (fd < 0)
			return err_set(err, errno, "open the log file '%s'", path);
	}
	log_close();
	log_fd = fd;
	log_id = id;
	log_json = format_json;
	return 0;
}

void
log_close(void)
{
	log_fd = fd_close(log_fd);
}

/* RFC 3339 with nanoseconds, UTC. */
static void
format_now(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%09ldZ", now.tv_nsec);
}

static void
write_file(struct arena *a, enum log_level level, const char *msg)
{
	struct json_out j;
	char now[64], *line;

	format_now(now, sizeof(now));
	json_out_init(&j, a, /* pretty= */ false);
	if (log_json) {
		json_out_open(&j, '{');
		json_out_member(&j, "level", levels[level].name);
		json_out_member(&j, "msg", msg);
		json_out_member(&j, "time", now);
		json_out_close(&j, '}');
		line = arena_printf(a, "%s\n", j.text);
	} else {
		json_out_string(&j, msg);
		line = arena_printf(a, "time=\"%s\" level=%s msg=%s\n", now, levels[level].name, j.text);
	}
	/* A full disk must not turn a container's success into a failure. */
	(void)fd_write_all(log_fd, line, strlen(line));
}

/* lines: a newline in msg is one; otherwise it is somebody's who wants it to look like one. */
static void
write_stderr(struct arena *a, enum log_level level, const char *msg, bool lines)
{
	const char *text = "";

	for (const char *line = msg, *end;; line = end + 1) {
		end = line + (lines ? strcspn(line, "\n") : strlen(line));
		text = arena_printf(a, "%s%s%s\n", text, levels[level].prefix,
				    printable_text(a, arena_strndup(a, line, (size_t)(end - line))));
		if (!*end)
			break;
	}
	(void)fd_write_all(STDERR_FILENO, text, strlen(text));
}

void
log_divert_warnings(void (*take)(void *arg, const char *msg), void *arg)
{
	log_take_warning = take;
	log_take_arg = arg;
}

static void
write_message(enum log_level level, bool to_stderr, bool lines, const char *msg)
{
	auto_arena struct arena a = { 0 };
	int saved = errno;

	if (level == LOG_LEVEL_WARNING && log_take_warning) {
		log_take_warning(log_take_arg, msg);
		errno = saved;
		return;
	}
	if (log_fd >= 0 && log_id)
		log_socket_write(log_fd, log_kind, log_id, levels[level].priority, msg, &a);
	else if (log_fd >= 0)
		write_file(&a, level, msg);
	if (to_stderr)
		write_stderr(&a, level, msg, lines);
	errno = saved;
}

static void __attribute__((format(printf, 3, 0)))
write_line(enum log_level level, bool to_stderr, const char *fmt, va_list ap)
{
	auto_arena struct arena a = { 0 };
	int saved = errno;
	char *msg = arena_vprintf(&a, fmt, ap);

	write_message(level, to_stderr, /* lines= */ false, msg);
	errno = saved;
}

void
log_error_lines(const char *text)
{
	write_message(LOG_LEVEL_ERROR, /* to_stderr= */ true, /* lines= */ true, text);
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_level && !(level == LOG_LEVEL_WARNING && log_take_warning))
		return;
	va_start(ap, fmt);
	/* With a log file, stderr is the container's as well (conmon keeps it with the
	 * output of the program): only what ends the command goes there too. */
	write_line(level, log_fd < 0 || level == LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_advice(const char *fmt, ...)
{
	va_list ap;

	if (LOG_LEVEL_WARNING > log_level && !log_take_warning)
		return;
	va_start(ap, fmt);
	write_line(LOG_LEVEL_WARNING, log_fd < 0 && log_level >= LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}
