/* knarr features: what this build supports, as JSON. The names come from the
 * tables of the modules that implement them; what has no table is listed here. */
#include <seccomp.h>

#include "libcontainer/seccomp/seccomp.h"
#include "namespaces/mount/mount_options.h"
#include "oci-spec/annotations.h"
#include "oci-spec/documents.h"
#include "runtime/command.h"

static const char *const *
list_mount_options(struct arena *a)
{
	const char **names;
	size_t n = 0;

	while (mount_options_known(n))
		n++;
	names = arena_array(a, n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = mount_options_known(i);
	return names;
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct scmp_version *version = seccomp_version();
	char key[] = "io.github.seccomp.libseccomp.version";
	struct spec_pair libseccomp = { key, arena_printf(cli->arena, "%u.%u.%u", version->major, version->minor,
							  version->micro) };
	struct spec_pairs annotations = { &libseccomp, 1 };
	struct features_lists lists = {
		.mount_options = list_mount_options(cli->arena),
		.seccomp_archs = seccomp_known_archs(),
		.seccomp_flags = seccomp_known_flags(),
		.unsafe_annotations = annotation_names(),
		.annotations = &annotations,
		.cgroup_v2 = true,
		.cgroup_systemd = true,
		.cgroup_systemd_user = true,
	};

	(void)options, (void)operands;
	return cmd_print(cli, features_document(cli->arena, &lists));
}

const struct command command_features = {
	.name = "features",
	.summary = "print the features document as JSON",
	.text = "Prints what this build supports, in the format of the OCI runtime specification\n"
		"(features.md). Nothing in it depends on the host.\n",
	.run = run,
};
