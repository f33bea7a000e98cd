/* Theory of operation: _arguments specs, one per option, for the global options
 * and again for each command. */
#include "runtime/completion.h"

/* The help text inside '…[…]…': quotes, brackets and colons mean something there. */
static const char *
escape(struct arena *a, const char *s)
{
	struct text t = { .arena = a };

	for (; *s; s++)
		if (*s == '\'')
			text_add(&t, "'\\''");
		else
			text_add(&t, "%s%c", *s == '[' || *s == ']' || *s == ':' ? "\\" : "", *s);
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
add_specs(struct text *t, const char *indent, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		const char *once = row->kind == OPTION_LIST ? "*" : "", *value = row->kind == OPTION_FLAG ? "" : "=";

		if (row->letter)
			text_add(t, "%s'(-%c --%s)'{-%c%s,--%s%s}'", indent, row->letter, row->name, row->letter,
				 *value ? "+" : "", row->name, value);
		else
			text_add(t, "%s'%s--%s%s", indent, once, row->name, value);
		text_add(t, "[%s]", escape(t->arena, row->help));
		if (row->kind != OPTION_FLAG)
			text_add(t, ":%s:%s", row->argument,
				 action(t->arena, completion_of_option(row), row->argument));
		text_add(t, "'\n");
	}
}

/* One that cannot be known is left out: its message would keep zsh from inserting the
 * only option that fits. */
static void
add_operands(struct text *t, const struct command *c)
{
	struct completion_operand operands[COMPLETION_MAX_OPERANDS];
	size_t n = completion_operands(t->arena, c, operands);

	if (c->arguments_follow)
		n = c->min_operands;
	for (size_t i = 0; i < n; i++) {
		if (operands[i].kind == COMPLETE_NOTHING)
			continue;
		text_add(t, "\t\t\t\t'%s:%s:%s'\n", operands[i].repeats ? "*" : arena_printf(t->arena, "%zu", i + 1),
			 escape(t->arena, operands[i].name), action(t->arena, operands[i].kind, operands[i].name));
	}
}

/* -A: what follows the operands of exec and ps is not ours. */
static void
add_command(struct text *t, const struct command *c)
{
	text_add(t, "\t\t%s)\n\t\t\targs=(\n", c->name);
	add_specs(t, "\t\t\t\t", c->options);
	add_operands(t, c);
	text_add(t, "\t\t\t)\n\t\t\t_arguments %s$args $global ;;\n", c->arguments_follow ? "-A '-*' " : "");
}

void
completion_zsh(struct text *t)
{
	text_add(t, "#compdef knarr\n"
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
	add_specs(t, "\t\t", global_option_rows);
	text_add(t, "\t)\n\tnames=(\n");
	for (const struct command *const *c = commands; *c; c++)
		text_add(t, "\t\t'%s:%s'\n", (*c)->name, escape(t->arena, (*c)->summary));
	text_add(t, "\t)\n"
		    "\t_arguments -C -A '-*' $global '1:command:->command' '*::argument:->argument'\n"
		    "\t[[ -z $opt_args[--root] ]] || root=(--root ${(Q)opt_args[--root]})\n"
		    "\tcase $state in\n"
		    "\tcommand) _describe command names ;;\n"
		    "\targument)\n"
		    "\t\tcase $words[1] in\n");
	for (const struct command *const *c = commands; *c; c++)
		add_command(t, *c);
	text_add(t, "\t\tesac ;;\n\tesac\n}\n_knarr \"$@\"\n");
}
