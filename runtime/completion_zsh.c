/* Theory of operation: _arguments specs, one per option, for the global options
 * and again for each command. */
#include "runtime/completion.h"

/* The help text inside '…[…]…': quotes, brackets and colons mean something there. */
static const char *
escape(struct arena *a, const char *text)
{
	struct text t = { .arena = a };

	for (; *text; text++)
		if (*text == '\'')
			text_add(&t, "'\\''");
		else
			text_add(&t, "%s%c", *text == '[' || *text == ']' || *text == ':' ? "\\" : "", *text);
	return text_get(&t);
}

static const char *
action(struct arena *a, enum completion_kind kind, const char *choices)
{
	switch (kind) {
	case COMPLETE_DIRS:
		return "_files -/";
	case COMPLETE_FILES:
		return "_files";
	case COMPLETE_WORDS:
		return arena_printf(a, "(%s)", completion_words(a, choices));
	case COMPLETE_COMMANDS:
		return arena_printf(a, "(%s)", completion_commands(a));
	case COMPLETE_IDS:
		return "_knarr_ids";
	case COMPLETE_NOTHING:
		break;
	}
	return " ";
}

static void
add_specs(struct text *text, const char *indent, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		const char *once = row->kind == OPTION_LIST ? "*" : "", *value = row->kind == OPTION_FLAG ? "" : "=";

		if (row->letter)
			text_add(text, "%s'(-%c --%s)'{-%c%s,--%s%s}'", indent, row->letter, row->name, row->letter,
				 *value ? "+" : "", row->name, value);
		else
			text_add(text, "%s'%s--%s%s", indent, once, row->name, value);
		text_add(text, "[%s]", escape(text->arena, row->help));
		if (row->kind != OPTION_FLAG)
			text_add(text, ":%s:%s", row->argument,
				 action(text->arena, completion_of_option(row), row->argument));
		text_add(text, "'\n");
	}
}

/* One that cannot be known is left out: its message would keep zsh from inserting the
 * only option that fits. */
static void
add_operands(struct text *text, const struct command *command)
{
	struct completion_operand operands[COMPLETION_MAX_OPERANDS];
	size_t n = completion_operands(text->arena, command, operands);

	if (command->arguments_follow)
		n = command->min_operands;
	for (size_t i = 0; i < n; i++) {
		if (operands[i].kind == COMPLETE_NOTHING)
			continue;
		text_add(text, "\t\t\t\t'%s:%s:%s'\n",
			 operands[i].repeats ? "*" : arena_printf(text->arena, "%zu", i + 1),
			 escape(text->arena, operands[i].name),
			 action(text->arena, operands[i].kind, operands[i].name));
	}
}

/* -A: what follows the operands of exec and ps is not ours. */
static void
add_command(struct text *text, const struct command *command)
{
	text_add(text, "\t\t%s)\n\t\t\targs=(\n", command->name);
	add_specs(text, "\t\t\t\t", command->options);
	add_operands(text, command);
	text_add(text, "\t\t\t)\n\t\t\t_arguments %s$args $global ;;\n", command->arguments_follow ? "-A '-*' " : "");
}

void
completion_zsh(struct text *text)
{
	text_add(text, "#compdef knarr\n"
		       "_knarr_ids() {\n"
		       "\tlocal -a ids\n"
		       "\t[[ -z $opt_args[--root] ]] || root=(--root ${(Q)opt_args[--root]})\n"
		       "\tids=(${(f)\"$(knarr $root list --quiet 2>/dev/null)\"})\n"
		       "\t_describe container ids\n"
		       "}\n"
		       "_knarr() {\n"
		       "\tlocal context state line\n"
		       "\tlocal -a names global args root\n"
		       "\ttypeset -A opt_args\n"
		       "\tglobal=(\n");
	add_specs(text, "\t\t", global_option_rows);
	text_add(text, "\t)\n\tnames=(\n");
	for (const struct command *const *c = commands; *c; c++)
		text_add(text, "\t\t'%s:%s'\n", (*c)->name, escape(text->arena, (*c)->summary));
	text_add(text, "\t)\n"
		       "\t_arguments -C -A '-*' $global '1:command:->command' '*::argument:->argument'\n"
		       "\t[[ -z $opt_args[--root] ]] || root=(--root ${(Q)opt_args[--root]})\n"
		       "\tcase $state in\n"
		       "\tcommand) _describe command names ;;\n"
		       "\targument)\n"
		       "\t\tcase $words[1] in\n");
	for (const struct command *const *c = commands; *c; c++)
		add_command(text, *c);
	text_add(text, "\t\tesac ;;\n\tesac\n}\n_knarr \"$@\"\n");
}
