/* Theory of operation: one shell function. It walks the words before the cursor
 * to find the command, the number of its operands, and --root, to list the right
 * containers; then a case over "COMMAND:PREVIOUS WORD" completes values of options, one
 * over "COMMAND:WORD" options, and one over "COMMAND:NUMBER" operands. bash makes three
 * words of --option=value. */
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

/* "run:--bundle|run:-b", a prefix before each. */
static void
add_pattern(struct text *text, const struct option_row *row, const char *prefix)
{
	text_add(text, "%s--%s", prefix, row->name);
	if (row->letter)
		text_add(text, "|%s-%c", prefix, row->letter);
}

static void
add_value_cases(struct text *text, const char *command, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		if (row->kind == OPTION_FLAG)
			continue;
		text_add(text, "\t");
		add_pattern(text, row, command);
		text_add(text, ")\n\t\t_knarr_reply %s\n\t\treturn ;;\n",
			 action(text->arena, completion_of_option(row), row->argument));
	}
}

static void
add_option_words(struct text *text, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		text_add(text, " --%s", row->name);
		if (row->letter)
			text_add(text, " -%c", row->letter);
	}
}

/* Patterns of all options that take a value, in one line. */
static void
add_value_patterns(struct text *text, const char *prefix, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		if (row->kind == OPTION_FLAG)
			continue;
		text_add(text, "|");
		add_pattern(text, row, prefix);
	}
}

/* What follows the operands of exec and ps is not ours. */
static void
add_ends(struct text *text)
{
	text_add(text, "\t\t\tcase $command:$operand in\n");
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->arguments_follow)
			text_add(text, "\t\t\t%s:%zu) return ;;\n", (*c)->name, (*c)->min_operands);
	text_add(text, "\t\t\tesac ;;\n");
}

static void
add_scan(struct text *text)
{
	text_add(text, "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		       "\t\tcase $command:${COMP_WORDS[i]} in\n"
		       "\t\t*:=) ((i++)) ;;\n"
		       "\t\t*:--root)\n"
		       "\t\t\t[[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))\n"
		       "\t\t\troot=(--root \"${COMP_WORDS[++i]}\") ;;\n"
		       "\t\t''");
	for (const struct command *const *c = commands; *c; c++)
		add_value_patterns(text, arena_printf(text->arena, "%s:", (*c)->name), (*c)->options);
	add_value_patterns(text, "*:", global_option_rows);
	text_add(text, ")\n"
		       "\t\t\t[[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))\n"
		       "\t\t\t((i++)) ;;\n"
		       "\t\t*:-*) ;;\n"
		       "\t\t:*) command=${COMP_WORDS[i]} ;;\n"
		       "\t\t*)\n"
		       "\t\t\t((operand++))\n");
	add_ends(text);
	text_add(text, "\t\tesac\n\tdone\n");
}

static void
add_option_cases(struct text *text)
{
	text_add(text, "\tcase $command:$cur in\n");
	for (const struct command *const *c = commands; *c; c++) {
		text_add(text, "\t%s:-*) _knarr_reply -W '", (*c)->name);
		add_option_words(text, (*c)->options);
		add_option_words(text, global_option_rows);
		text_add(text, "'; return ;;\n");
	}
	text_add(text, "\t*:-*) _knarr_reply -W '");
	add_option_words(text, global_option_rows);
	text_add(text, "'; return ;;\n\tesac\n");
}

static void
add_operand_cases(struct text *text)
{
	struct completion_operand operands[COMPLETION_MAX_OPERANDS];

	text_add(text, "\tcase $command:$operand in\n");
	for (const struct command *const *c = commands; *c; c++) {
		size_t n = completion_operands(text->arena, *c, operands);

		for (size_t i = 0; i < n; i++) {
			if (operands[i].kind == COMPLETE_NOTHING)
				continue;
			text_add(text, "\t%s:%s) _knarr_reply %s ;;\n", (*c)->name,
				 operands[i].repeats ? "*" : arena_printf(text->arena, "%zu", i),
				 action(text->arena, operands[i].kind, operands[i].name));
		}
	}
	text_add(text, "\t:0) _knarr_reply -W '%s' ;;\n\tesac\n", completion_commands(text->arena));
}

void
completion_bash(struct text *text)
{
	text_add(text, "# bash completion for knarr\n"
		       "_knarr_reply() {\n"
		       "\t[[ $1 != -[df] ]] || compopt -o filenames\n"
		       "\tmapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
		       "}\n"
		       "_knarr() {\n"
		       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
		       "\tlocal command='' operand=0 root=() i\n"
		       "\tif [[ $cur == = ]]; then\n"
		       "\t\tcur=''\n"
		       "\telif [[ $prev == = ]]; then\n"
		       "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
		       "\tfi\n");
	add_scan(text);
	text_add(text, "\tcase $command:$prev in\n");
	for (const struct command *const *c = commands; *c; c++)
		add_value_cases(text, arena_printf(text->arena, "%s:", (*c)->name), (*c)->options);
	add_value_cases(text, "*:", global_option_rows);
	text_add(text, "\tesac\n");
	add_option_cases(text);
	add_operand_cases(text);
	text_add(text, "}\ncomplete -F _knarr knarr\n");
}
