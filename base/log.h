/* Log lines: to stderr and, when --log was given, to that file as text or as
 * one JSON object per line ({"level","msg","time"}, what containerd and Docker
 * read). Libraries log warnings and debug lines; errors are logged once, by
 * runtime/. The level and where lines go are the only global state of knarr. */
#ifndef KNARR_BASE_LOG_H
#define KNARR_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* What is less important than level is dropped. LOG_LEVEL_WARNING to begin with. */
void log_set_level(enum log_level level);

/* Sends log lines to the file too (appended, made 0644 when missing, opened
 * close-on-exec). format_json: JSON lines. path "file:FILE" is FILE, "journald:ID" and
 * "syslog:ID" are the sockets of these two, where ID is the program's name; they have a
 * format of their own, and path must stay until log_close(). 0, or -errno with err when
 * it cannot be opened: then the one before it stays. */
int log_open(const char *path, bool format_json, struct err *err);

/* Closes that file or socket, if there is one. */
void log_close(void);

/* Warnings go to take, with arg, and nowhere else. NULL: back to where they were. */
void log_divert_warnings(void (*take)(void *arg, const char *msg), void *arg);

/* One line: what a terminal would act on, newlines too, is escaped on stderr. Parent only;
 * errno is kept, and what cannot be written is lost. Without a log file everything goes to stderr ("knarr: warning:
 * …"); with one, stderr gets errors only. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)

/* An error of several lines. */
void log_error_lines(const char *text);

/* A warning for the log file alone: other runtimes say nothing, and callers show their
 * users what is on stderr. There it stands with --log-level=info and above. */
void log_advice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
