/* A command of knarr: a row that says how it is called and what runs it. The
 * rows are gathered in commands.c; the dispatcher is main.c. */
#ifndef KNARR_RUNTIME_COMMAND_H
#define KNARR_RUNTIME_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/kernel.h"
#include "libcontainer/container.h"
#include "runtime/options.h"

/* Values of the global options. */
struct global_options {
	const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless, *allow_annotations;
	bool debug, systemd_cgroup, systemd_log, trace_phases, help, version;
};

/* What every command is given. */
struct cli {
	struct container_env env; /* root only for commands with uses_root */
	struct arena *arena;	  /* = env.arena */
	struct err *err;
	bool stdout_was_closed; /* now it is the null device: what is printed would be lost */
};

struct command {
	const char *name;
	const char *operands; /* for the usage line: "ID [SIGNAL]"; NULL: none */
	size_t min_operands, max_operands;
	bool arguments_follow;		  /* what follows the operands that must be there is not parsed (exec) */
	bool uses_root;			  /* works on the state root */
	enum kernel_need needs;		  /* what the kernel must have */
	const char *summary;		  /* for the list of commands: no capital, no full stop */
	const char *text;		  /* paragraphs of `help`, lines of at most 78; NULL: none */
	const struct option_row *options; /* NULL: none */
	size_t options_size;		  /* bytes of the struct that holds the values */

	/* options: the struct, zeroed and then filled. Returns the exit status,
	 * or -errno with c->err: main prints it and exits with 1. */
	int (*run)(const struct cli *c, const void *options, const struct option_list *operands);
};

extern const struct command command_checkpoint, command_restore;
extern const struct command command_pause, command_ps, command_resume, command_update, command_check,
	command_completion, command_create, command_delete, command_events, command_exec, command_features,
	command_help, command_kill, command_list, command_plan, command_run, command_spec, command_start, command_state,
	command_stats, command_version, command_wait, command_mounts;

/* All commands in the order of the help text; ends with NULL. */
extern const struct command *const commands[];
extern const struct option_row global_option_rows[];

/* The command of that name. 0, or -EINVAL with err, which names the nearest one. */
int command_lookup(const char *name, struct err *err, const struct command **ret_command);

/* Writes to stdout. 0, or -errno with cli->err: a full disk or a closed pipe is an error,
 * not a signal. */
int cmd_print(const struct cli *cli, const char *text);

#endif
