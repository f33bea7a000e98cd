/* Theory of operation: one `complete` line per command, option and operand. */
#include "runtime/completion.h"

static const char *
quote(struct arena *a, const char *s)
{
	struct text t = { .arena = a };

	for (; *s; s++)
		text_add(&t, "%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
	return text_get(&t);
}

static const char *
action(struct arena *a, enum completion_kind kind, const char *choices)
{
	switch (kind) {
	case COMPLETE_DIRS:
		return "(__fish_complete_directories)";
	case COMPLETE_FILES:
		return "(__fish_complete_path)";
	case COMPLETE_WORDS:
		return completion_words(a, choices);
	case COMPLETE_COMMANDS:
		return completion_commands(a);
	case COMPLETE_IDS:
		return "(knarr list --quiet 2>/dev/null)";
	case COMPLETE_NOTHING:
		break;
	}
	return NULL;
}

/* command NULL: a global option. */
static void
add_options(struct text *t, const char *command, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		const char *words =
			row->kind == OPTION_FLAG ? NULL : action(t->arena, completion_of_option(row), row->argument);

		text_add(t, "complete -c knarr");
		if (command)
			text_add(t, " -n '__fish_seen_subcommand_from %s'", command);
		if (row->letter)
			text_add(t, " -s %c", row->letter);
		text_add(t, " -l %s%s", row->name, row->kind == OPTION_FLAG ? "" : " -x");
		if (words)
			text_add(t, " -a '%s'", words);
		text_add(t, " -d '%s'\n", quote(t->arena, row->help));
	}
}

void
completion_fish(struct text *t)
{
	const char *names = completion_commands(t->arena);

	text_add(t, "# fish completion for knarr\ncomplete -c knarr -f\n");
	add_options(t, NULL, global_option_rows);
	for (const struct command *const *c = commands; *c; c++) {
		const char *words = action(t->arena, completion_of_operand(*c), (*c)->operands);

		text_add(t, "complete -c knarr -n 'not __fish_seen_subcommand_from %s' -a %s -d '%s'\n", names,
			 (*c)->name, quote(t->arena, (*c)->summary));
		add_options(t, (*c)->name, (*c)->options);
		if (words)
			text_add(t, "complete -c knarr -n '__fish_seen_subcommand_from %s' -a '%s'\n", (*c)->name,
				 words);
	}
}
