/* knarr ps: the processes of a container. The table is that of ps(1) of the host,
 * cut down to the container's processes, as callers of runc expect it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/helper.h"
#include "base/json_out.h"
#include "base/printable.h"
#include "base/process.h"
#include "runtime/command.h"
#include "runtime/text.h"

#define OUTPUT_MAX ((size_t)256 * 1024 * 1024)

/* What the child says that could not execute it, as shells do. */
enum { NOT_EXECUTED = 126, NOT_FOUND = 127 };

struct values {
	const char *format;
};

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_CHOICE, "table|json", offsetof(struct values, format),
	  "table of ps(1), or a JSON array of pids (default: table)" },
	{ 0 },
};

/* ---- running ps ---------------------------------------------------------- */

/* fork(2), since posix_spawn(3) takes EPERM of an older seccomp profile to clone3(2) for
 * an answer. */
static int
spawn_ps(const char *program, char *const *argv, int output, pid_t *ret_pid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (dup2(output, STDOUT_FILENO) >= 0)
			execv(program, argv);
		_exit(errno == ENOENT ? NOT_FOUND : NOT_EXECUTED);
	}
	*ret_pid = pid;
	return 0;
}

/* The caller frees *ret_text. */
static int
run_ps(const struct cli *cli, const char *program, char *const *argv, char **ret_text)
{
	int fds[2], status, r, waited;
	size_t len;
	pid_t pid = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(cli->err, errno, "make a pipe to ps");
	r = spawn_ps(program, argv, fds[1], &pid);
	fd_close(fds[1]);
	if (r < 0) {
		fd_close(fds[0]);
		return err_set(cli->err, -r, "run ps");
	}
	r = fd_read_all(fds[0], OUTPUT_MAX, ret_text, &len);
	fd_close(fds[0]);
	waited = process_wait(pid, &status);
	if (r < 0)
		return err_set(cli->err, -r, "read the output of ps");
	if (waited == 0 && status == 0)
		return 0;
	free(*ret_text);
	if (waited < 0)
		return err_set(cli->err, -waited, "wait for ps");
	if (WIFEXITED(status) && (WEXITSTATUS(status) == NOT_FOUND || WEXITSTATUS(status) == NOT_EXECUTED))
		return err_set(cli->err, WEXITSTATUS(status) == NOT_FOUND ? ENOENT : EACCES, "run ps");
	return err_plain(cli->err, "ps failed with wait status %#x", (unsigned)status);
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
filter(const struct cli *cli, const char *text, const pid_t *pids, size_t n)
{
	struct text out = { .arena = cli->arena };
	size_t column = pid_column(text);

	if (column == SIZE_MAX)
		return err_plain(cli->err, "ps: its output has no PID column");
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (line == text || has_pid(pids, n, pid_of_line(line, column)))
			text_add(&out, "%s\n", printable_text(cli->arena, arena_strndup(cli->arena, line, len)));
		line += len + (line[len] == '\n');
	}
	return cmd_print(cli, text_get(&out));
}

static int
print_table(const struct cli *cli, const struct option_list *operands, const pid_t *pids, size_t n)
{
	char **argv = arena_array(cli->arena, operands->n + 3, sizeof(*argv));
	const char *program;
	size_t argc = 0;
	char *text;
	int r = helper_find("ps", cli->arena, cli->err, &program);

	if (r == -ENOENT || r == -EACCES)
		return err_set(cli->err, -r, "run ps");
	if (r < 0)
		return r;

	argv[argc++] = arena_strdup(cli->arena, "ps");
	for (size_t i = 1; i < operands->n; i++)
		argv[argc++] = arena_strdup(cli->arena, operands->items[i]);
	if (argc == 1)
		argv[argc++] = arena_strdup(cli->arena, "-ef");
	r = run_ps(cli, program, argv, &text);
	if (r < 0)
		return r;
	r = filter(cli, text, pids, n);
	free(text);
	return r;
}

/* ---- the command --------------------------------------------------------- */

static int
print_json(const struct cli *cli, const pid_t *pids, size_t n)
{
	struct json_out j;

	json_out_init(&j, cli->arena, /* pretty= */ false);
	json_out_open(&j, '[');
	for (size_t i = 0; i < n; i++)
		json_out_int(&j, pids[i]);
	json_out_close(&j, ']');
	return cmd_print(cli, arena_printf(cli->arena, "%s\n", j.text));
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	pid_t *pids;
	size_t n;
	int r = container_processes(&cli->env, operands->items[0], cli->err, &pids, &n);

	if (r < 0)
		return r;
	if (v->format && !strcmp(v->format, "json"))
		return print_json(cli, pids, n);
	return print_table(cli, operands, pids, n);
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
	.text = "Runs the host's ps with the options that follow ID (default: -ef) and prints its\n"
		"header and the lines of the container's processes. They are found by the PID\n"
		"column, which must come before columns that contain blanks. In a container\n"
		"without its own cgroup only the first process is known.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
