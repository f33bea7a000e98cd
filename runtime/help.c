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

#define WIDTH	    80
#define TEXT_COLUMN 30

/* Text that grows in the arena. */
struct text {
	struct arena *arena;
	char *s;
};

static void append(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
append(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *more;

	va_start(ap, fmt);
	more = arena_vprintf(t->arena, fmt, ap);
	va_end(ap);
	t->s = arena_printf(t->arena, "%s%s", t->s, more);
}

/* A line of two columns; words that do not fit go on below the second. */
static void
append_row(struct text *t, const char *left, const char *right)
{
	size_t column = strlen(left);

	append(t, "%s", left);
	if (column + 2 > TEXT_COLUMN) {
		append(t, "\n");
		column = 0;
	}
	append(t, "%*s", (int)(TEXT_COLUMN - column), "");
	column = TEXT_COLUMN;
	for (const char *word = right; *word;) {
		size_t n = strcspn(word, " ");

		if (column > TEXT_COLUMN && column + 1 + n > WIDTH) {
			append(t, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column > TEXT_COLUMN) {
			append(t, " ");
			column++;
		}
		append(t, "%.*s", (int)n, word);
		column += n;
		word += n;
		word += strspn(word, " ");
	}
	append(t, "\n");
}

static void
append_options(struct text *t, const char *title, const struct option_row *rows)
{
	if (!rows || !rows->name)
		return;
	append(t, "\n%s:\n", title);
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

static char *
command_help_text(struct arena *a, const struct command *command)
{
	struct text t = { a, arena_printf(a, "Usage: %s\n\nknarr %s: %s.\n", help_usage(a, command), command->name,
					  command->summary) };

	if (command->text)
		append(&t, "\n%s", command->text);
	append_options(&t, "Options", command->options);
	append(&t, "\nThe global options (knarr help) may also stand after the command.\n");
	return t.s;
}

char *
help_text(struct arena *a, const struct command *command)
{
	struct text t = { a, arena_strdup(a, "Usage: knarr [GLOBAL OPTION]... COMMAND [ARGUMENT]...\n\n"
					     "knarr runs containers from OCI bundles.\n\nCommands:\n") };

	if (command)
		return command_help_text(a, command);
	for (const struct command *const *c = commands; *c; c++)
		append_row(&t, arena_printf(a, "  %s", (*c)->name), (*c)->summary);
	append_options(&t, "Global options", global_option_rows);
	append(&t, "\nExit status: 1 for every error, also in the command line; `run` in the\n"
		   "foreground: that of the program, or 128+N when signal N ended it.\n"
		   "`knarr help COMMAND` tells more.\n");
	return t.s;
}
