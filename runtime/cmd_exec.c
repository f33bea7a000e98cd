/* knarr exec: another process in a running container. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "oci-spec/names.h"
#include "runtime/command.h"
#include "runtime/config_report.h"
#include "runtime/number.h"

/* What runc exits with when exec itself failed: callers tell it apart from a
 * program that exits with 1. */
#define EXIT_NO_EXEC 255

struct values {
	const char *process, *cwd, *user, *process_label, *apparmor, *cgroup, *pid_file, *console_socket, *pidfd_socket;
	struct option_list env, caps, gids;
	unsigned preserve_fds;
	bool tty, detach, no_new_privs, ignore_paused, no_subreaper;
};

#define VALUE(member) offsetof(struct values, member)

static const struct option_row rows[] = {
	{ "process", 'p', OPTION_TEXT, "FILE", VALUE(process),
	  "JSON file with the process object to run, instead of COMMAND (-: standard input)" },
	{ "cwd", 0, OPTION_TEXT, "DIR", VALUE(cwd), "working directory in the container" },
	{ "env", 'e', OPTION_LIST, "NAME=VALUE", VALUE(env), "set an environment variable (may be repeated)" },
	{ "user", 'u', OPTION_TEXT, "UID[:GID]", VALUE(user), "numeric user and group to run as" },
	{ "additional-gids", 'g', OPTION_LIST, "GID", VALUE(gids),
	  "additional group of the process (may be repeated)" },
	{ "cap", 'c', OPTION_LIST, "CAP", VALUE(caps),
	  "capability to add to the bounding, effective and permitted sets (may be repeated)" },
	{ "tty", 't', OPTION_FLAG, NULL, VALUE(tty), "give the process a terminal" },
	{ "console-socket", 0, OPTION_TEXT, "SOCKET", VALUE(console_socket),
	  "Unix socket that receives the master end of the terminal (with --detach)" },
	{ "pidfd-socket", 0, OPTION_TEXT, "SOCKET", VALUE(pidfd_socket),
	  "Unix socket that receives a pidfd of the process before its program runs" },
	{ "detach", 'd', OPTION_FLAG, NULL, VALUE(detach),
	  "run in the background: return once the program has started" },
	{ "pid-file", 0, OPTION_TEXT, "FILE", VALUE(pid_file), "write the pid of the process to FILE" },
	{ "preserve-fds", 0, OPTION_NUMBER, "N", VALUE(preserve_fds),
	  "pass N file descriptors beyond stdin, stdout and stderr to the program" },
	{ "no-new-privs", 0, OPTION_FLAG, NULL, VALUE(no_new_privs), "set no_new_privs for the process" },
	{ "ignore-paused", 0, OPTION_FLAG, NULL, VALUE(ignore_paused),
	  "allow a paused container: the process starts when the container is resumed" },
	{ "cgroup", 0, OPTION_TEXT, "PATH", VALUE(cgroup), "run in this existing cgroup below the container's" },
	{ "process-label", 0, OPTION_TEXT, "LABEL", VALUE(process_label), "SELinux label of the process" },
	{ "apparmor", 0, OPTION_TEXT, "PROFILE", VALUE(apparmor), "AppArmor profile of the process" },
	{ "no-subreaper", 0, OPTION_FLAG, NULL, VALUE(no_subreaper),
	  "accepted for compatibility with runc, without effect: knarr never becomes a subreaper" },
	{ "exec-wait-fifo", 0, OPTION_REFUSED, "FIFO", 0,
	  "refused: proposed for runc, but not in a release; use create and start, or make the program wait" },
	{ 0 },
};

/* ---- values -------------------------------------------------------------- */

static int
parse_user(const char *text, struct container_exec_options *options, struct err *err)
{
	size_t len = strcspn(text, ":");

	options->uid.set = number_parse_id(text, len, &options->uid.v);
	options->gid.set = text[len] && number_parse_id(text + len + 1, strlen(text + len + 1), &options->gid.v);
	if (!options->uid.set || (text[len] && !options->gid.set))
		return err_plain(err,
				 "option '--user': expected UID or UID:GID, numbers from 0 to 4294967294, found '%s'",
				 text);
	return 0;
}

static int
parse_groups(const struct cli *cli, const struct option_list *list, struct container_exec_options *options)
{
	uint32_t *gids = arena_array(cli->arena, list->n + 1, sizeof(*gids));

	for (size_t i = 0; i < list->n; i++)
		if (!number_parse_id(list->items[i], strlen(list->items[i]), &gids[i]))
			return err_plain(
				cli->err,
				"option '--additional-gids': expected a number from 0 to 4294967294, found '%s'",
				list->items[i]);
	options->gids = gids;
	options->n_gids = list->n;
	return 0;
}

static void
parse_capabilities(const struct option_list *list, struct container_exec_options *options)
{
	for (size_t i = 0; i < list->n; i++) {
		int number = name_to_capability(list->items[i]);

		/* As in the config: what cannot be granted is warned of. */
		if (number < 0)
			log_warning("option '--cap': unknown capability '%s' is left out", list->items[i]);
		else
			options->capabilities |= (uint64_t)1 << number;
	}
}

static int
fill(const struct cli *cli, const struct values *values, const struct option_list *operands,
     struct container_exec_options *options)
{
	int r = values->user ? parse_user(values->user, options, cli->err) : 0;

	if (r == 0)
		r = parse_groups(cli, &values->gids, options);
	parse_capabilities(&values->caps, options);
	if (r < 0)
		return r;
	if (values->process && operands->n > 1)
		return err_plain(cli->err, "exec: give either a command or --process, not both");
	if (!values->process && operands->n < 2)
		return err_plain(cli->err, "exec: missing command (or --process FILE)");
	options->id = operands->items[0];
	options->args = operands->items + 1;
	options->n_args = operands->n - 1;
	options->process = values->process;
	options->cwd = values->cwd;
	options->env = values->env.items;
	options->n_env = values->env.n;
	options->selinux_label = values->process_label;
	options->apparmor_profile = values->apparmor;
	options->terminal = values->tty;
	options->no_new_privileges = values->no_new_privs;
	options->cgroup = values->cgroup;
	options->pid_file = values->pid_file;
	options->console_socket = values->console_socket;
	options->pidfd_socket = values->pidfd_socket;
	options->preserve_fds = values->preserve_fds;
	options->detach = values->detach;
	options->ignore_paused = values->ignore_paused;
	return 0;
}

/* ---- the command --------------------------------------------------------- */

static void
report_failure(const struct cli *cli, const struct container_exec_options *options, const char *prefix)
{
	char text[ERR_MSG_MAX + 256];

	if (options->report->n_errors > 0)
		log_error_lines(config_report_text(cli->arena, options->process, options->report, SPEC_WARNING));
	else
		log_error("%s%s", prefix, err_format(cli->err, text, sizeof(text)));
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	struct spec_report report = { 0 };
	struct container_exec_options o = { .report = &report };
	int status = 0;

	if (fill(cli, options, operands, &o) < 0)
		report_failure(cli, &o, "");
	else if (container_exec(&cli->env, &o, cli->err, &status) < 0)
		report_failure(cli, &o, "exec failed: ");
	else
		return status;
	return EXIT_NO_EXEC;
}

const struct command command_exec = {
	.name = "exec",
	.operands = "ID [COMMAND [ARGUMENT]...]",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.arguments_follow = true,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "run another process in a container",
	.text = "Runs COMMAND in the running container ID with the environment, user, limits,\n"
		"capabilities and seccomp profile of the container's config, as changed by the\n"
		"options. Options go before ID. In the foreground the exit status is that of the\n"
		"program, or 128+N if signal N killed it; 255 means that exec itself failed.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
