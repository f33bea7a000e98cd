/* knarr version: the first line is parsed by Podman and containerd, the others
 * have the form of runc's. */
#include <seccomp.h>

#include "oci-spec/documents.h"
#include "runtime/command.h"

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct scmp_version *seccomp = seccomp_version();

	(void)options, (void)operands;
	return cli_print(c, arena_printf(c->arena, "knarr version %s\nspec: %s\nlibseccomp: %u.%u.%u\n",
					 PACKAGE_VERSION, OCI_VERSION, seccomp->major, seccomp->minor, seccomp->micro));
}

const struct command command_version = {
	.name = "version",
	.summary = "print the version",
	.text = "The same as --version.\n",
	.run = run,
};
