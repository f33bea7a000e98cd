/* Completion scripts for shells, made from the tables of commands and options. */
#ifndef KNARR_RUNTIME_COMPLETION_H
#define KNARR_RUNTIME_COMPLETION_H

#include "runtime/command.h"
#include "runtime/text.h"

#define COMPLETION_SHELLS "bash|zsh|fish"

/* Append the script for a shell; the functions below are what they share. */
void completion_bash(struct text *text);
void completion_zsh(struct text *text);
void completion_fish(struct text *text);

/* What can stand in a place of the command line. */
enum completion_kind {
	COMPLETE_NOTHING,
	COMPLETE_WORDS, /* the words of a choice */
	COMPLETE_DIRS,
	COMPLETE_FILES,
	COMPLETE_IDS, /* containers */
	COMPLETE_COMMANDS,
};

/* What the value of an option can be, by the name that help gives it ("DIR", "FILE");
 * COMPLETE_NOTHING for flags. */
enum completion_kind completion_of_option(const struct option_row *row);

#define COMPLETION_MAX_OPERANDS 4

struct completion_operand {
	const char *name; /* as in the usage line, without brackets */
	enum completion_kind kind;
	bool repeats; /* stands for all that follow, too */
};

/* The operands of a command, from its usage line; returns how many. */
size_t completion_operands(struct arena *a, const struct command *command,
			   struct completion_operand ret_operands[COMPLETION_MAX_OPERANDS]);

/* Words of a choice ("text|json") with blanks in between, in a. */
char *completion_words(struct arena *a, const char *choices);

/* The names of all commands with blanks in between, in a. */
const char *completion_commands(struct arena *a);

#endif
