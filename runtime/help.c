/* Theory of operation: the help text is the usage line, the command's own
 * paragraphs, and its options in two columns, 80 bytes wide. docs/gen-man.sh
 * takes the OPTIONS sections of the man pages from here, so the form
 *
 *	  -b, --bundle DIR        what it does, wrapped
 *	                          at the second column
 *
 * is an interface: two blanks, the names, at least two blanks, the sentence. */
#include "runtime/help.h"

#include <stdio.h>
#include <string.h>

#include "runtime/text.h"

#define WIDTH	    80
#define TEXT_COLUMN 30

/* A line of two columns; words that do not fit go on below the second. */
static void
append_row(struct text *t, const char *left, const char *right)
{
	size_t column = strlen(left);

	text_add(t, "%s", left);
	if (column + 2 > TEXT_COLUMN) {
		text_add(t, "\n");
		column = 0;
	}
	text_add(t, "%*s", (int)(TEXT_COLUMN - column), "");
	column = TEXT_COLUMN;
	for (const char *word = right; *word;) {
		size_t n = strcspn(word, " ");

		if (column > TEXT_COLUMN && column + 1 + n > WIDTH) {
			text_add(t, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column > TEXT_COLUMN) {
			text_add(t, " ");
			column++;
		}
		text_add(t, "%.*s", (int)n, word);
		column += n;
		word += n;
		word += strspn(word, " ");
	}
	text_add(t, "\n");
}

static void
append_options(struct text *t, const char *title, const struct option_row *rows)
{
	if (!rows || !rows->name)
		return;
	text_add(t, "\n%s:\n", title);
	for (const struct option_row *row = rows; row->name; row++) {
		char letter[] = "    ";
		const char *argument = row->argument ? row->argument : "";

		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		append_row(t, arena_printf(t->arena, "  %s--%s%s%s", letter, row->name, *argument ? " " : "", argument),
			   row->help);
	}
}

char *
help_usage(struct arena *a, const struct command *command)
{
	return arena_printf(a, "knarr [GLOBAL OPTION]... %s%s%s%s", command->name,
			    command->options ? " [OPTION]..." : "", command->operands ? " " : "",
			    command->operands ? command->operands : "");
}

static void
append_command(struct text *t, const struct command *command)
{
	text_add(t, "Usage: %s\n\nknarr %s: %s.\n", help_usage(t->arena, command), command->name, command->summary);
	if (command->text)
		text_add(t, "\n%s", command->text);
	append_options(t, "Options", command->options);
	text_add(t, "\nThe global options (knarr help) may also stand after the command.\n");
}

static void
append_overview(struct text *t)
{
	text_add(t, "Usage: knarr [GLOBAL OPTION]... COMMAND [ARGUMENT]...\n\n"
		    "knarr runs containers from OCI bundles.\n\nCommands:\n");
	for (const struct command *const *c = commands; *c; c++)
		append_row(t, arena_printf(t->arena, "  %s", (*c)->name), (*c)->summary);
	append_options(t, "Global options", global_option_rows);
	text_add(t, "\nExit status: 1 for every error, also in the command line; `run` in the\n"
		    "foreground: that of the program, or 128+N when signal N ended it.\n"
		    "`knarr help COMMAND` tells more.\n");
}

const char *
help_text(struct arena *a, const struct command *command)
{
	struct text t = { .arena = a };

	if (command)
		append_command(&t, command);
	else
		append_overview(&t);
	return text_get(&t);
}
