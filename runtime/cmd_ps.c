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
 * an answer. Why the program could not be executed, as a number, is written to report. */
static int
spawn_ps(const char *program, char *const *argv, int output, int report, pid_t *ret_pid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int code;

		if (dup2(output, STDOUT_FILENO) >= 0)
			execv(program, argv);
		code = errno;
		fd_write_all(report, &code, sizeof(code));
		_exit(1);
	}
	*ret_pid = pid;
	return 0;
}

/* The caller frees *ret_text. */
static int
read_ps(const struct cli *cli, int output, int report, pid_t pid, char **ret_text)
{
	int code = 0, status, waited;
	size_t len;
	ssize_t n = read(report, &code, sizeof(code)); /* nothing: ps runs */
	int r = n < 0 ? -errno : fd_read_all(output, OUTPUT_MAX, ret_text, &len);

	waited = process_wait(pid, &status);
	if (r < 0)
		return err_set(cli->err, -r, "read the output of ps");
	if (n == 0 && waited == 0 && status == 0)
		return 0;
	free(*ret_text);
	if (n > 0)
		return err_set(cli->err, code, "run ps");
	if (waited < 0)
		return err_set(cli->err, -waited, "wait for ps");
	return err_plain(cli->err, "ps failed with wait status %#x", (unsigned)status);
}

static int
run_ps(const struct cli *cli, const char *program, char *const *argv, char **ret_text)
{
	auto_close int output_read = -1, output_write = -1, report_read = -1, report_write = -1;
	int output[2], report[2], r;
	pid_t pid = 0;

	if (pipe2(output, O_CLOEXEC) < 0)
		return err_set(cli->err, errno, "make a pipe to ps");
	output_read = output[0];
	output_write = output[1];
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(cli->err, errno, "make a pipe to ps");
	report_read = report[0];
	report_write = report[1];
	r = spawn_ps(program, argv, output_write, report_write, &pid);
	if (r < 0)
		return err_set(cli->err, -r, "run ps");
	output_write = fd_close(output_write);
	report_write = fd_close(report_write);
	return read_ps(cli, output_read, report_read, pid, ret_text);
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
