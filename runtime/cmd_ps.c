/* knarr ps: the processes of a container. The table is that of ps(1) of the host,
 * cut down to the container's processes, as the callers of runc have it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_out.h"
#include "runtime/command.h"
#include "runtime/text.h"

#define OUTPUT_MAX ((size_t)256 * 1024 * 1024)

extern char **environ;

struct values {
	const char *format;
};

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_CHOICE, "table|json", offsetof(struct values, format),
	  "table of ps(1), or a JSON array of pids (default: table)" },
	{ 0 },
};

/* ---- running ps ---------------------------------------------------------- */

static int
spawn_ps(char *const *argv, int output, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* The caller frees *ret_text. */
static int
run_ps(const struct cli *c, char *const *argv, char **ret_text)
{
	int fds[2], status, r;
	size_t len;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(c->err, errno, "make a pipe to ps");
	r = spawn_ps(argv, fds[1], &pid);
	fd_close(fds[1]);
	if (r < 0) {
		fd_close(fds[0]);
		return err_set(c->err, -r, "run ps");
	}
	r = fd_read_all(fds[0], OUTPUT_MAX, ret_text, &len);
	fd_close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_set(c->err, -r, "read the output of ps");
	if (status == 0)
		return 0;
	free(*ret_text);
	return err_plain(c->err, "ps failed with wait status %#x", (unsigned)status);
}

/* ---- the table ----------------------------------------------------------- */

/* Number of the column PID in the head, from 0; SIZE_MAX: there is none. */
static size_t
pid_column(const char *head)
{
	for (size_t column = 0;; column++) {
		size_t len;

		head += strspn(head, " ");
		len = strcspn(head, " \n");
		if (len == 0)
			return SIZE_MAX;
		if (len == 3 && !strncmp(head, "PID", 3))
			return column;
		head += len;
	}
}

static long
pid_of_line(const char *line, size_t column)
{
	line += strspn(line, " ");
	for (; column > 0; column--) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	return strtol(line, NULL, 10);
}

static bool
has_pid(const pid_t *pids, size_t n, long pid)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static int
filter(const struct cli *c, const char *text, const pid_t *pids, size_t n)
{
	struct text out = { .arena = c->arena };
	size_t column = pid_column(text);

	if (column == SIZE_MAX)
		return err_plain(c->err, "ps: its output has no column PID");
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (line == text || has_pid(pids, n, pid_of_line(line, column)))
			text_add(&out, "%.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	return cli_print(c, text_get(&out));
}

static int
print_table(const struct cli *c, const struct option_list *operands, const pid_t *pids, size_t n)
{
	char **argv = arena_array(c->arena, operands->n + 3, sizeof(*argv));
	size_t argc = 0;
	char *text;
	int r;

	argv[argc++] = arena_strdup(c->arena, "ps");
	for (size_t i = 1; i < operands->n; i++)
		argv[argc++] = arena_strdup(c->arena, operands->items[i]);
	if (argc == 1)
		argv[argc++] = arena_strdup(c->arena, "-ef");
	r = run_ps(c, argv, &text);
	if (r < 0)
		return r;
	r = filter(c, text, pids, n);
	free(text);
	return r;
}

/* ---- the command --------------------------------------------------------- */

static int
print_json(const struct cli *c, const pid_t *pids, size_t n)
{
	struct json_out j;

	json_out_init(&j, c->arena, /* pretty= */ false);
	json_out_open(&j, '[');
	for (size_t i = 0; i < n; i++)
		json_out_int(&j, pids[i]);
	json_out_close(&j, ']');
	return cli_print(c, arena_printf(c->arena, "%s\n", j.text));
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	pid_t *pids;
	size_t n;
	int r = container_processes(&c->env, operands->items[0], c->err, &pids, &n);

	if (r < 0)
		return r;
	if (v->format && !strcmp(v->format, "json"))
		return print_json(c, pids, n);
	return print_table(c, operands, pids, n);
}

const struct command command_ps = {
	.name = "ps",
	.operands = "ID [PS-OPTION]...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.arguments_follow = true,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "list the processes of a container",
	.text = "Runs ps of the host with the options that follow ID (default: -ef) and prints\n"
		"its head and the lines of the container's processes, which it finds by the\n"
		"column PID; put that before columns with blanks in them. Without a cgroup of\n"
		"its own only the container's first process is known.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
