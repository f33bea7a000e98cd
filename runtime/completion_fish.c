/* Theory of operation: one `complete` line per command, option and operand, each with a
 * condition that asks which words stand before the cursor. Values of options do not
 * count among them, so the functions know which options have one. */
#include "runtime/completion.h"

static const char *
quote(struct arena *a, const char *text)
{
	struct text t = { .arena = a };

	for (; *text; text++)
		text_add(&t, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
	return text_get(&t);
}

/* Options of `complete`: what is offered, and whether files are as well. */
static const char *
action(struct arena *a, enum completion_kind kind, const char *choices)
{
	switch (kind) {
	case COMPLETE_DIRS:
		return "-f -a '(__fish_complete_directories)'";
	case COMPLETE_FILES:
		return "-F";
	case COMPLETE_WORDS:
		return arena_printf(a, "-f -a '%s'", completion_words(a, choices));
	case COMPLETE_COMMANDS:
		return arena_printf(a, "-f -a '%s'", completion_commands(a));
	case COMPLETE_IDS:
		return "-f -a '(__knarr_ids)'";
	case COMPLETE_NOTHING:
		break;
	}
	return "-f";
}

/* command NULL: a global option. */
static void
add_options(struct text *text, const char *command, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		text_add(text, "complete -c knarr");
		if (command)
			text_add(text, " -n '__knarr_in %s'", command);
		if (row->letter)
			text_add(text, " -s %c", row->letter);
		text_add(text, " -l %s", row->name);
		if (row->kind != OPTION_FLAG)
			text_add(text, " -r %s", action(text->arena, completion_of_option(row), row->argument));
		text_add(text, " -d '%s'\n", quote(text->arena, row->help));
	}
}

static void
add_value_patterns(struct text *text, const char *command, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && row->name; row++) {
		if (row->kind == OPTION_FLAG)
			continue;
		text_add(text, " '%s:--%s'", command, row->name);
		if (row->letter)
			text_add(text, " '%s:-%c'", command, row->letter);
	}
}

/* __knarr_words: the command and its operands before the cursor.
 * __knarr_in COMMAND: it is the command. __knarr_at COMMAND N: it is, with N operands. */
static void
add_functions(struct text *text)
{
	text_add(text, "function __knarr_words\n"
		       "\tset -l command\n"
		       "\tset -l is_value no\n"
		       "\tfor word in (commandline -opc)[2..]\n"
		       "\t\tif test $is_value = yes\n"
		       "\t\t\tset is_value no\n"
		       "\t\t\tcontinue\n"
		       "\t\tend\n"
		       "\t\tswitch \"$command:$word\"\n"
		       "\t\t\tcase");
	add_value_patterns(text, "*", global_option_rows);
	for (const struct command *const *c = commands; *c; c++)
		add_value_patterns(text, (*c)->name, (*c)->options);
	text_add(text, "\n"
		       "\t\t\t\tset is_value yes\n"
		       "\t\t\tcase '*:-*'\n"
		       "\t\t\tcase '*'\n"
		       "\t\t\t\tset -q command[1]; or set command $word\n"
		       "\t\t\t\techo $word\n"
		       "\t\tend\n"
		       "\tend\n"
		       "end\n"
		       "function __knarr_in\n"
		       "\tset -l words (__knarr_words)\n"
		       "\ttest \"$words[1]\" = \"$argv[1]\"\n"
		       "end\n"
		       "function __knarr_at\n"
		       "\tset -l words (__knarr_words)\n"
		       "\ttest \"$words[1]\" = \"$argv[1]\" -a (count $words) = (math $argv[2] + 1)\n"
		       "end\n"
		       "function __knarr_ids\n"
		       "\tset -l words (commandline -opc)\n"
		       "\tset -l root (string match -r -- '^--root=.*' $words)\n"
		       "\tif set -l i (contains -i -- --root $words)\n"
		       "\t\tset root --root $words[(math $i + 1)]\n"
		       "\tend\n"
		       "\tknarr $root list --quiet 2>/dev/null\n"
		       "end\n");
}

static void
add_operands(struct text *text, const struct command *command)
{
	struct completion_operand operands[COMPLETION_MAX_OPERANDS];
	size_t n = completion_operands(text->arena, command, operands);

	for (size_t i = 0; i < n; i++) {
		if (operands[i].kind == COMPLETE_NOTHING)
			continue;
		if (operands[i].repeats)
			text_add(text, "complete -c knarr -n '__knarr_in %s'", command->name);
		else
			text_add(text, "complete -c knarr -n '__knarr_at %s %zu'", command->name, i);
		text_add(text, " %s\n", action(text->arena, operands[i].kind, operands[i].name));
	}
}

void
completion_fish(struct text *text)
{
	text_add(text, "# fish completion for knarr\n");
	add_functions(text);
	text_add(text, "complete -c knarr -f\n");
	add_options(text, NULL, global_option_rows);
	for (const struct command *const *c = commands; *c; c++) {
		text_add(text, "complete -c knarr -n '__knarr_in \"\"' -a %s -d '%s'\n", (*c)->name,
			 quote(text->arena, (*c)->summary));
		add_options(text, (*c)->name, (*c)->options);
		add_operands(text, *c);
	}
}
