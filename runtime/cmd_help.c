/* knarr help: see help.h. */
#include "runtime/command.h"
#include "runtime/help.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct command *command = NULL;

	(void)options;
	if (operands->n > 0) {
		int r = command_lookup(operands->items[0], c->err, &command);

		if (r < 0)
			return r;
	}
	return cli_print(c, help_text(c->arena, command));
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.max_operands = 1,
	.summary = "print help, in general or for a command",
	.run = run,
};
