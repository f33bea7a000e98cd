/* A help text is the usage line, the command's own paragraphs, and its options in
 * two columns, 80 bytes wide. The man pages (docs/gen-man.sh) and docs/options.md
 * take commands and options from here, so the titles, which contain "ommands" or
 * "ptions", and the form of the rows
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
append_row(struct text *text, const char *left, const char *right)
{
	size_t column = strlen(left);

	text_add(text, "%s", left);
	if (column + 2 > TEXT_COLUMN) {
		text_add(text, "\n");
		column = 0;
	}
	text_add(text, "%*s", (int)(TEXT_COLUMN - column), "");
	column = TEXT_COLUMN;
	for (const char *word = right; *word;) {
		size_t n = strcspn(word, " ");

		if (column > TEXT_COLUMN && column + 1 + n > WIDTH) {
			text_add(text, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column > TEXT_COLUMN) {
			text_add(text, " ");
			column++;
		}
		text_add(text, "%.*s", (int)n, word);
		column += n;
		word += n;
		word += strspn(word, " ");
	}
	text_add(text, "\n");
}

static void
append_options(struct text *text, const char *title, const struct option_row *rows)
{
	if (!rows || !rows->name)
		return;
	text_add(text, "\n%s:\n", title);
	for (const struct option_row *row = rows; row->name; row++) {
		char letter[] = "    ";
		const char *argument = row->argument ? row->argument : "";

		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		append_row(text,
			   arena_printf(text->arena, "  %s--%s%s%s", letter, row->name, *argument ? " " : "", argument),
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
append_command(struct text *text, const struct command *command)
{
	text_add(text, "Usage: %s\n\nknarr %s: %s.\n", help_usage(text->arena, command), command->name,
		 command->summary);
	if (command->text)
		text_add(text, "\n%s", command->text);
	append_options(text, "Options", command->options);
	text_add(text, "\nGlobal options (see knarr help) may also follow the command.\n");
}

/* The title above a command that is the first of its group; else NULL. */
static const char *
title_of(const struct command *command)
{
	static const struct {
		const struct command *first;
		const char *title;
	} groups[] = {
		{ &command_run, "Commands for containers" },
		{ &command_exec, "Commands inside a container" },
		{ &command_list, "Commands to inspect containers" },
		{ &command_spec, "Commands for bundles" },
		{ &command_features, "Other commands" },
	};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].first == command)
			return groups[i].title;
	return NULL;
}

static void
append_overview(struct text *text)
{
	text_add(text, "Usage: knarr [GLOBAL OPTION]... COMMAND [ARGUMENT]...\n\n"
		       "knarr runs containers from OCI bundles.\n");
	for (const struct command *const *c = commands; *c; c++) {
		const char *title = title_of(*c);

		if (title)
			text_add(text, "\n%s:\n", title);
		append_row(text, arena_printf(text->arena, "  %s", (*c)->name), (*c)->summary);
	}
	append_options(text, "Global options", global_option_rows);
	text_add(text, "\nExample (as root, with busybox-static):\n"
		       "  mkdir -p web/rootfs/bin && cp /bin/busybox web/rootfs/bin/sh\n"
		       "  knarr spec --bundle web       # writes web/config.json\n"
		       "  knarr run --bundle web web1   # a shell in the container web1\n"
		       "\nExit status: 1 for errors, including errors in the command line; 255 if exec\n"
		       "fails. `run`, `restore` and `exec` in the foreground exit with the status of\n"
		       "the program, or 128+N if signal N killed it.\n"
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
