/* knarr completion: prints a completion script. */
#include <string.h>

#include "runtime/completion.h"

struct values {
	const char *shell;
};

static const struct option_row rows[] = {
	{ "shell", 's', OPTION_CHOICE, COMPLETION_SHELLS, offsetof(struct values, shell),
	  "the shell, as an option instead of an operand" },
	{ 0 },
};

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	static const struct {
		const char *shell;
		void (*write)(struct text *t);
	} shells[] = { { "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish } };
	const char *name = operands->n ? operands->items[0] : ((const struct values *)options)->shell;
	struct text t = { .arena = cli->arena };

	for (size_t i = 0; name && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(name, shells[i].shell)) {
			shells[i].write(&t);
			return cmd_print(cli, text_get(&t));
		}
	return err_plain(cli->err, "completion: expected %s, found '%s'", COMPLETION_SHELLS, name ? name : "");
}

const struct command command_completion = {
	.name = "completion",
	.operands = "[" COMPLETION_SHELLS "]",
	.max_operands = 1,
	.summary = "print a completion script for a shell",
	.text = "bash: source <(knarr completion bash)\n"
		"zsh:  knarr completion zsh > \"${fpath[1]}/_knarr\"\n"
		"fish: knarr completion fish > ~/.config/fish/completions/knarr.fish\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
