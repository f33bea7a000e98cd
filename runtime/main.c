/* Theory of operation: main() parses the global options up to the command's
 * name, then the command's own (global ones are allowed there too), opens the log and
 * runs the command. Every failure comes back here as a struct err and is
 * printed in one place; the exit status of every error is 1.
 *
 * The log is opened even if the command line is wrong, as long as --log could be
 * read: callers show their users the last error in that file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/host.h"
#include "base/log.h"
#include "base/phases.h"
#include "base/process.h"
#include "runtime/command.h"
#include "runtime/help.h"

struct invocation {
	struct global_options global;
	const struct command *command; /* NULL: none was named */
	void *options;
	struct option_list operands;
	bool stdout_was_closed;
};

int
cmd_print(const struct cli *cli, const char *text)
{
	int r;

	/* Only commands that print come here; none of them starts a program that
	 * could inherit this. */
	signal(SIGPIPE, SIG_IGN);
	if (cli->stdout_was_closed)
		return err_set(cli->err, EBADF, "write to standard output");
	r = fd_write_all(STDOUT_FILENO, text, strlen(text));
	return r < 0 ? err_set(cli->err, -r, "write to standard output") : 0;
}

/* A closed fd 0, 1 or 2 would be given to the next file that is opened, and the
 * container would read or write it. It becomes the null device, as in other runtimes:
 * programs that find their standard output closed fail in ways of their own. */
static int
fill_standard_fds(struct err *err, bool *ret_stdout_was_closed)
{
	bool stdout_was_closed = false;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return err_set(err, errno, "open '/dev/null' in place of closed file descriptor %d", fd);
		stdout_was_closed |= fd == STDOUT_FILENO;
	}
	*ret_stdout_was_closed = stdout_was_closed;
	return 0;
}

static int
check_operands(const struct command *command, size_t n, struct arena *a, struct err *err)
{
	if (n < command->min_operands)
		return err_plain(err, "%s: missing argument, usage: %s", command->name, help_usage(a, command));
	if (n > command->max_operands)
		return err_plain(err, "%s: too many arguments, usage: %s", command->name, help_usage(a, command));
	return 0;
}

/* Fills as much of inv as can be understood, also when it fails. */
static int
parse_command_line(const char *const *args, size_t n, struct arena *a, struct err *err, struct invocation *inv)
{
	struct option_set sets[2] = { { global_option_rows, &inv->global, "knarr help" } };
	struct option_list words;
	int r = options_parse(sets, 1, args, n, /* operands_before_end= */ 1, a, err, &words);

	if (r < 0 || inv->global.version || words.n == 0)
		return r;
	r = command_lookup(words.items[0], err, &inv->command);
	if (r < 0)
		return r;
	inv->options = arena_alloc(a, inv->command->options_size + 1);
	sets[0] = (struct option_set){ inv->command->options, inv->options,
				       arena_printf(a, "knarr help %s", inv->command->name) };
	sets[1] = (struct option_set){ global_option_rows, &inv->global, NULL };
	r = options_parse(sets, 2, words.items + 1, words.n - 1,
			  inv->command->arguments_follow ? inv->command->min_operands : OPTIONS_EVERYWHERE, a, err,
			  &inv->operands);
	if (r < 0 || inv->global.help || inv->global.version)
		return r;
	return check_operands(inv->command, inv->operands.n, a, err);
}

/* ---- global options ------------------------------------------------------ */

static int
apply_log_options(const struct global_options *globals, struct err *err)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "error", LOG_LEVEL_ERROR },
		{ "warning", LOG_LEVEL_WARNING },
		{ "info", LOG_LEVEL_INFO },
		{ "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; globals->log_level && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcmp(globals->log_level, levels[i].name))
			log_set_level(levels[i].level);
	if (globals->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (globals->systemd_log && !globals->log)
		return log_open("journald:knarr", /* format_json= */ false, err);
	if (!globals->log || !*globals->log)
		return 0;
	return log_open(globals->log, globals->log_format && !strcmp(globals->log_format, "json"), err);
}

static enum cgroup_manager
choose_cgroup_manager(const struct global_options *globals)
{
	if (globals->cgroup_manager && !strcmp(globals->cgroup_manager, "disabled"))
		return CGROUP_DISABLED;
	if (globals->cgroup_manager ? !strcmp(globals->cgroup_manager, "systemd") : globals->systemd_cgroup)
		return CGROUP_SYSTEMD;
	return CGROUP_CGROUPFS;
}

static int
choose_root(const struct global_options *globals, struct arena *a, struct err *err, const char **ret_root)
{
	const char *rootless = globals->rootless ? globals->rootless : "auto";
	char *root, *cwd;
	int r;

	if (!globals->root) {
		r = state_default_root(a, !strcmp(rootless, "auto") ? host_in_userns() : !strcmp(rootless, "true"), err,
				       &root);
		if (r == 0)
			*ret_root = root;
		return r;
	}
	if (!*globals->root)
		return err_plain(err, "option '--root': the directory name is empty");
	if (*globals->root == '/') {
		*ret_root = globals->root;
		return 0;
	}
	cwd = get_current_dir_name();
	if (!cwd)
		return err_set(err, errno, "resolve --root '%s' against the current directory", globals->root);
	*ret_root = arena_printf(a, "%s/%s", cwd, globals->root);
	free(cwd);
	return 0;
}

static int
run_command(const struct invocation *inv, struct arena *a, struct err *err)
{
	struct cli c = { .env = { .cgroup_manager = choose_cgroup_manager(&inv->global),
				  .allow_annotations = inv->global.allow_annotations &&
						       !strcmp(inv->global.allow_annotations, "all"),
				  .arena = a },
			 .arena = a,
			 .err = err,
			 .stdout_was_closed = inv->stdout_was_closed };
	int r;

	if (inv->global.version)
		return command_version.run(&c, NULL, &inv->operands);
	/* Without a command, as runc does: whoever calls a program bare wants to know what it does. */
	if (inv->global.help || !inv->command)
		return cmd_print(&c, help_text(a, inv->command));
	phases_enter("look whether the kernel has what is needed");
	r = kernel_check(inv->command->needs, err);
	if (r == 0 && inv->command->uses_root)
		r = choose_root(&inv->global, a, err, &c.env.root);
	if (r < 0)
		return r;
	phases_enter(inv->command->name);
	return inv->command->run(&c, inv->options, &inv->operands);
}

int
main(int argc, char **argv)
{
	auto_arena struct arena a = { 0 };
	struct invocation inv = { 0 };
	struct err err;
	char text[ERR_MSG_MAX + 256];
	uint64_t began = phases_clock();
	int r, parsed;

	/* A caller that ignores it would take every child's exit status away. */
	signal(SIGCHLD, SIG_DFL);
	process_remember_arguments(argv);
	err_clear(&err);
	r = fill_standard_fds(&err, &inv.stdout_was_closed);
	if (r == 0) {
		struct err log_err;

		parsed = parse_command_line((const char *const *)argv + (argc > 0), argc > 0 ? (size_t)argc - 1 : 0, &a,
					    &err, &inv);
		err_clear(&log_err);
		r = apply_log_options(&inv.global, &log_err);
		if (parsed == 0 && r == 0 && inv.global.trace_phases)
			r = phases_begin(began, &log_err);
		if (parsed < 0)
			r = parsed;
		else if (r < 0)
			err = log_err;
		else
			r = run_command(&inv, &a, &err);
	}
	if (r < 0)
		log_error("%s", err_format(&err, text, sizeof(text)));
	phases_print();
	log_close();
	return r < 0 ? 1 : r;
}
