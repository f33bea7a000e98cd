/* knarr help: prints the overview, or the help of one command. */
#include "runtime/command.h"
#include "runtime/help.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct command *command = NULL;

	(void)options;
	if (operands->n > 0) {
		int r = command_lookup(operands->items[0], cli->err, &command);

		if (r < 0)
			return r;
	}
	return cmd_print(cli, help_text(cli->arena, command));
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.max_operands = 1,
	.summary = "print help, in general or for a command",
	.run = run,
};
