/* knarr exec: another process in a running container. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "oci-spec/names.h"
#include "runtime/command.h"
#include "runtime/config_report.h"

/* What runc exits with when it is exec itself that failed: callers tell it from a
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
	{ "cwd", 0, OPTION_TEXT, "DIR", VALUE(cwd), "working folder in the container" },
	{ "env", 'e', OPTION_LIST, "NAME=VALUE", VALUE(env), "set an environment variable (may be repeated)" },
	{ "user", 'u', OPTION_TEXT, "UID[:GID]", VALUE(user), "numeric user and group to run as" },
	{ "additional-gids", 'g', OPTION_LIST, "GID", VALUE(gids),
	  "additional group of the process (may be repeated)" },
	{ "cap", 'c', OPTION_LIST, "CAP", VALUE(caps),
	  "capability to add to the bounding, effective and permitted sets (may be repeated)" },
	{ "tty", 't', OPTION_FLAG, NULL, VALUE(tty), "give the process a terminal" },
	{ "console-socket", 0, OPTION_TEXT, "SOCKET", VALUE(console_socket),
	  "AF_UNIX socket that is sent the master end of the terminal (with --detach)" },
	{ "pidfd-socket", 0, OPTION_TEXT, "SOCKET", VALUE(pidfd_socket),
	  "AF_UNIX socket that is sent a pidfd of the process before its program runs" },
	{ "detach", 'd', OPTION_FLAG, NULL, VALUE(detach), "do not wait: return when the program runs" },
	{ "pid-file", 0, OPTION_TEXT, "FILE", VALUE(pid_file), "write the pid of the process to FILE" },
	{ "preserve-fds", 0, OPTION_NUMBER, "N", VALUE(preserve_fds),
	  "pass N file descriptors beyond stdin, stdout and stderr to the program" },
	{ "no-new-privs", 0, OPTION_FLAG, NULL, VALUE(no_new_privs), "set no_new_privs for the process" },
	{ "ignore-paused", 0, OPTION_FLAG, NULL, VALUE(ignore_paused),
	  "allow a paused container: the process is made when the container is resumed" },
	{ "cgroup", 0, OPTION_TEXT, "PATH", VALUE(cgroup), "run in this existing cgroup below that of the container" },
	{ "process-label", 0, OPTION_TEXT, "LABEL", VALUE(process_label), "SELinux label of the process" },
	{ "apparmor", 0, OPTION_TEXT, "PROFILE", VALUE(apparmor), "AppArmor profile of the process" },
	{ "no-subreaper", 0, OPTION_FLAG, NULL, VALUE(no_subreaper),
	  "accepted for callers of runc, changes nothing: knarr never makes itself a subreaper" },
	{ "exec-wait-fifo", 0, OPTION_REFUSED, "FIFO", 0,
	  "refused: a proposal for runc that is in no release; use create and start, or let the program itself wait" },
	{ 0 },
};

/* ---- values -------------------------------------------------------------- */

/* The len bytes of text: a decimal number below 2^32-1, which is "no id" to the
 * kernel; what strtoul(3) makes of "", "-1", " 1" or 2^32 would be root or another. */
static bool
parse_id(const char *text, size_t len, uint32_t *ret_id)
{
	uint64_t id = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		id = id * 10 + (uint64_t)(text[i] - '0');
	}
	if (id >= UINT32_MAX)
		return false;
	*ret_id = (uint32_t)id;
	return true;
}

static int
parse_user(const char *text, struct container_exec_options *o, struct err *err)
{
	size_t len = strcspn(text, ":");

	o->uid.set = parse_id(text, len, &o->uid.v);
	o->gid.set = text[len] && parse_id(text + len + 1, strlen(text + len + 1), &o->gid.v);
	if (!o->uid.set || (text[len] && !o->gid.set))
		return err_plain(err,
				 "option '--user': expected UID or UID:GID, numbers from 0 to 4294967294, found '%s'",
				 text);
	return 0;
}

static int
parse_groups(const struct cli *c, const struct option_list *list, struct container_exec_options *o)
{
	uint32_t *gids = arena_array(c->arena, list->n + 1, sizeof(*gids));

	for (size_t i = 0; i < list->n; i++)
		if (!parse_id(list->items[i], strlen(list->items[i]), &gids[i]))
			return err_plain(
				c->err,
				"option '--additional-gids': expected a number from 0 to 4294967294, found '%s'",
				list->items[i]);
	o->gids = gids;
	o->n_gids = list->n;
	return 0;
}

static void
parse_capabilities(const struct option_list *list, struct container_exec_options *o)
{
	for (size_t i = 0; i < list->n; i++) {
		int number = capability_number(list->items[i]);

		/* As in the config: what cannot be granted is warned of. */
		if (number < 0)
			log_warning("option '--cap': unknown capability '%s' is left out", list->items[i]);
		else
			o->capabilities |= (uint64_t)1 << number;
	}
}

static int
fill(const struct cli *c, const struct values *v, const struct option_list *operands, struct container_exec_options *o)
{
	int r = v->user ? parse_user(v->user, o, c->err) : 0;

	if (r == 0)
		r = parse_groups(c, &v->gids, o);
	parse_capabilities(&v->caps, o);
	if (r < 0)
		return r;
	if (v->process && operands->n > 1)
		return err_plain(c->err, "exec: a command and --process exclude each other");
	if (!v->process && operands->n < 2)
		return err_plain(c->err, "exec: missing command (or --process FILE)");
	o->id = operands->items[0];
	o->args = operands->items + 1;
	o->n_args = operands->n - 1;
	o->process = v->process;
	o->cwd = v->cwd;
	o->env = v->env.items;
	o->n_env = v->env.n;
	o->selinux_label = v->process_label;
	o->apparmor_profile = v->apparmor;
	o->terminal = v->tty;
	o->no_new_privileges = v->no_new_privs;
	o->cgroup = v->cgroup;
	o->pid_file = v->pid_file;
	o->console_socket = v->console_socket;
	o->pidfd_socket = v->pidfd_socket;
	o->preserve_fds = v->preserve_fds;
	o->detach = v->detach;
	o->ignore_paused = v->ignore_paused;
	return 0;
}

/* ---- the command --------------------------------------------------------- */

static void
report_failure(const struct cli *c, const struct container_exec_options *o)
{
	char text[ERR_MSG_MAX + 256];

	if (o->report->n_errors > 0)
		log_error("%s", config_report_text(c->arena, o->process, o->report, SPEC_WARNING));
	else
		log_error("exec failed: %s", err_format(c->err, text, sizeof(text)));
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	struct spec_report report = { 0 };
	struct container_exec_options o = { .report = &report };
	int status = 0, r = fill(c, options, operands, &o);

	if (r == 0)
		r = container_exec(&c->env, &o, c->err, &status);
	if (r == 0)
		return status;
	report_failure(c, &o);
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
	.text = "Runs COMMAND in the running container ID, with the environment, user, limits,\n"
		"capabilities and seccomp profile of the container's config, changed by the\n"
		"options. Options stand before ID. In the foreground the exit status is that of\n"
		"the program, or 128+N when signal N ended it; 255 means that exec failed.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
