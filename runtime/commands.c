/* The table of commands and the rows of the global options. */
#include <stdint.h>
#include <string.h>

#include "oci-spec/names.h"
#include "runtime/command.h"

const struct command *const commands[] = {
	&command_create, &command_start, &command_run,	      &command_state,	 &command_kill,	      &command_wait,
	&command_delete, &command_exec,	 &command_ps,	      &command_pause,	 &command_resume,     &command_update,
	&command_events, &command_stats, &command_checkpoint, &command_restore,	 &command_mounts,     &command_list,
	&command_spec,	 &command_check, &command_plan,	      &command_features, &command_completion, &command_version,
	&command_help,	 NULL,
};

#define GLOBAL(member) offsetof(struct global_options, member)

const struct option_row global_option_rows[] = {
	{ "root", 'r', OPTION_TEXT, "DIR", GLOBAL(root),
	  "folder that keeps the state of containers (default: /run/knarr, or $XDG_RUNTIME_DIR/knarr for others than "
	  "root)" },
	{ "log", 'l', OPTION_TEXT, "FILE", GLOBAL(log),
	  "append messages to FILE too; journald:ID or syslog:ID: send them to the journal or to syslog under the name "
	  "ID" },
	{ "systemd-log", 0, OPTION_FLAG, NULL, GLOBAL(systemd_log), "the same as --log journald:knarr" },
	{ "log-format", 0, OPTION_CHOICE, "text|json", GLOBAL(log_format), "form of the lines in that file" },
	{ "log-level", 0, OPTION_CHOICE, "error|warning|info|debug", GLOBAL(log_level),
	  "least important messages to log (default: warning)" },
	{ "debug", 0, OPTION_FLAG, NULL, GLOBAL(debug), "the same as --log-level debug" },
	{ "cgroup-manager", 0, OPTION_CHOICE, "cgroupfs|systemd|disabled", GLOBAL(cgroup_manager),
	  "who makes cgroups (default: cgroupfs)" },
	{ "systemd-cgroup", 's', OPTION_FLAG, NULL, GLOBAL(systemd_cgroup), "the same as --cgroup-manager systemd" },
	{ "rootless", 0, OPTION_CHOICE, "auto|true|false", GLOBAL(rootless),
	  "choose the default --root for an ordinary user (true), for root (false) or by asking the kernel (auto)" },
	{ "help", 'h', OPTION_FLAG, NULL, GLOBAL(help), "print help, after a command that of the command" },
	{ "version", 'v', OPTION_FLAG, NULL, GLOBAL(version), "print the version" },
	{ 0 },
};

static const struct command *
find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

int
command_lookup(const char *name, struct err *err, const struct command **ret_command)
{
	const struct command *found = find(name);
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	if (found) {
		*ret_command = found;
		return 0;
	}
	for (const struct command *const *c = commands; *c; c++) {
		size_t distance = name_distance(name, (*c)->name);

		if (distance < best) {
			best = distance;
			nearest = (*c)->name;
		}
	}
	if (nearest)
		return err_plain(err, "unknown command '%s', did you mean '%s'?", name, nearest);
	return err_plain(err, "unknown command '%s' (see knarr help)", name);
}
