/* Theory of operation: one shell function. It walks the words before the cursor
 * to find the command (and --root, to list the right containers), then a case
 * over "COMMAND:PREVIOUS WORD" completes values of options, and one over
 * "COMMAND:WORD" options and operands. */
#include "runtime/completion.h"

/* Arguments of compgen for a kind. */
static const char *
action(struct arena *a, enum completion_kind kind, const char *choices)
{
	switch (kind) {
	case COMPLETE_DIRS:
		return "-d";
	case COMPLETE_FILES:
		return "-f";
	case COMPLETE_WORDS:
		return arena_printf(a, "-W '%s'", completion_words(a, choices));
	case COMPLETE_COMMANDS:
		return arena_printf(a, "-W '%s'", completion_commands(a));
	case COMPLETE_IDS:
		return "-W \"$(knarr \"${root[@]}\" list --quiet 2>/dev/null)\"";
	case COMPLETE_NOTHING:
		break;
	}
	return "-W ''";
}

/* "--bundle|-b" with a prefix before each. */
static void
add_pattern(struct text *t, const struct option_row *row, const char *prefix)
{
	text_add(t, "%s--%s", prefix, row->name);
	if (row->letter)
		text_add(t, "|%s-%c", prefix, row->letter);
}

static void
add_value_cases(struct text *t, const char *command, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		if (row->kind == OPTION_FLAG)
			continue;
		text_add(t, "\t");
		add_pattern(t, row, command);
		text_add(t, ")\n\t\t_knarr_reply %s\n\t\treturn ;;\n",
			 action(t->arena, completion_of_option(row), row->argument));
	}
}

static void
add_option_words(struct text *t, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		text_add(t, " --%s", row->name);
		if (row->letter)
			text_add(t, " -%c", row->letter);
	}
}

static void
add_scan(struct text *t)
{
	text_add(t, "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		    "\t\tcase ${COMP_WORDS[i]} in\n"
		    "\t\t--root) root=(--root \"${COMP_WORDS[i + 1]}\"); ((i++)) ;;\n\t\t");
	for (const struct option_row *row = global_option_rows, *first = row; row->name; row++)
		if (row->kind != OPTION_FLAG && row != first) {
			text_add(t, "%s", row == first + 1 ? "" : "|");
			add_pattern(t, row, "");
		}
	text_add(t, ") ((i++)) ;;\n"
		    "\t\t-*) ;;\n"
		    "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
		    "\t\tesac\n"
		    "\tdone\n");
}

static void
add_command_cases(struct text *t, const struct command *c)
{
	text_add(t, "\t%s:-*) _knarr_reply -W '", c->name);
	add_option_words(t, c->options);
	add_option_words(t, global_option_rows);
	text_add(t, "' ;;\n\t%s:*) _knarr_reply %s ;;\n", c->name,
		 action(t->arena, completion_of_operand(c), c->operands));
}

void
completion_bash(struct text *t)
{
	text_add(t, "# bash completion for knarr\n"
		    "_knarr_reply() {\n"
		    "\t[[ $1 != -[df] ]] || compopt -o filenames\n"
		    "\tmapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
		    "}\n"
		    "_knarr() {\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' root=() i\n");
	add_scan(t);
	text_add(t, "\tcase $command:$prev in\n");
	for (const struct command *const *c = commands; *c; c++)
		add_value_cases(t, arena_printf(t->arena, "%s:", (*c)->name), (*c)->options);
	add_value_cases(t, "*:", global_option_rows);
	text_add(t, "\tesac\n\tcase $command:$cur in\n");
	for (const struct command *const *c = commands; *c; c++)
		add_command_cases(t, *c);
	text_add(t, "\t*:-*) _knarr_reply -W '");
	add_option_words(t, global_option_rows);
	text_add(t, "' ;;\n\t*) _knarr_reply -W '%s' ;;\n\tesac\n}\ncomplete -F _knarr knarr\n",
		 completion_commands(t->arena));
}
