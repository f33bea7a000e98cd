/* knarr version: the first line is parsed by Podman and containerd, the others
 * have the format of runc. */
#include <seccomp.h>

#include "oci-spec/documents.h"
#include "runtime/command.h"

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct scmp_version *seccomp = seccomp_version();

	(void)options, (void)operands;
	return cmd_print(cli,
			 arena_printf(cli->arena, "knarr version %s\nspec: %s\nlibseccomp: %u.%u.%u\n", PACKAGE_VERSION,
				      OCI_VERSION, seccomp->major, seccomp->minor, seccomp->micro));
}

const struct command command_version = {
	.name = "version",
	.summary = "print the version",
	.text = "Same as --version.\n",
	.run = run,
};
