/* What the completion scripts of all shells have in common. What completes where follows
 * from the names of values and operands in the tables: DIR, FILE, ID, a choice. */
#include "runtime/completion.h"

#include <string.h>

enum completion_kind
completion_of_option(const struct option_row *row)
{
	static const struct {
		const char *argument;
		enum completion_kind kind;
	} kinds[] = {
		{ "DIR", COMPLETE_DIRS },
		{ "DIR|tmpfs", COMPLETE_DIRS },
		{ "FILE", COMPLETE_FILES },
		{ "SOCKET", COMPLETE_FILES },
	};

	if (row->kind == OPTION_CHOICE)
		return COMPLETE_WORDS;
	for (size_t i = 0; row->argument && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(row->argument, kinds[i].argument))
			return kinds[i].kind;
	return COMPLETE_NOTHING;
}

/* The id of a container that does not exist yet cannot be completed. */
static bool
makes_container(const struct command *command)
{
	return command == &command_create || command == &command_run || command == &command_restore;
}

static enum completion_kind
kind_of_operand(const struct command *command, const char *name)
{
	if (strchr(name, '|'))
		return COMPLETE_WORDS;
	if (!strcmp(name, "ID"))
		return makes_container(command) ? COMPLETE_NOTHING : COMPLETE_IDS;
	if (!strcmp(name, "BUNDLE"))
		return COMPLETE_DIRS;
	if (!strcmp(name, "FILE"))
		return COMPLETE_FILES;
	return command == &command_help ? COMPLETE_COMMANDS : COMPLETE_NOTHING;
}

size_t
completion_operands(struct arena *a, const struct command *command,
		    struct completion_operand ret_operands[COMPLETION_MAX_OPERANDS])
{
	char *rest = command->operands ? arena_strdup(a, command->operands) : NULL, *word;
	size_t n = 0;

	while (n < COMPLETION_MAX_OPERANDS && rest && (word = strsep(&rest, " "))) {
		struct completion_operand *o = &ret_operands[n++];

		word += *word == '[';
		o->repeats = strstr(word, "...") != NULL;
		word[strcspn(word, "].")] = '\0';
		o->name = word;
		o->kind = kind_of_operand(command, word);
	}
	return n;
}

char *
completion_words(struct arena *a, const char *choices)
{
	char *words = arena_strdup(a, choices);

	for (char *p = words; (p = strchr(p, '|'));)
		*p = ' ';
	return words;
}

const char *
completion_commands(struct arena *a)
{
	struct text t = { .arena = a };

	for (const struct command *const *c = commands; *c; c++)
		text_add(&t, "%s%s", t.len ? " " : "", (*c)->name);
	return text_get(&t);
}
