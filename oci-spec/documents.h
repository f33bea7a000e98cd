/* Documents that knarr writes: the state, the default config of `knarr spec`
 * and the features document. Each is UTF-8 JSON made in an arena. */
#ifndef KNARR_OCI_SPEC_DOCUMENTS_H
#define KNARR_OCI_SPEC_DOCUMENTS_H

#include <sys/types.h>

#include "base/arena.h"
#include "oci-spec/spec.h"

#define OCI_VERSION	"1.3.0" /* highest version that knarr implements */
#define OCI_VERSION_MIN "1.0.0" /* lowest that it takes, for features.md */

/* The `state` of runtime.md#state. */
struct state_document {
	const char *id, *status, *bundle;
	pid_t pid; /* left out when <= 0 */
	const struct spec_pairs *annotations;
};

/* pretty: two-space indentation and a final newline; else one line, none. */
char *document_state(struct arena *a, const struct state_document *document, bool pretty);

/* A config.json that runs `sh` in "rootfs"; ends with a newline. rootless: with a user
 * namespace that maps uid and gid to container root, the host's network, and without
 * linux.resources. Else uid and gid do not count. */
char *document_default_config(struct arena *a, bool rootless, uid_t uid, gid_t gid);

/* What the parser's tables do not say; runtime/ fills it from those of the directories
 * that execute it. Lists end with NULL; a list that is NULL itself is left out
 * (= unknown). */
struct features_lists {
	const char *const *mount_options;
	const char *const *seccomp_archs;
	const char *const *seccomp_flags;
	const char *const *unsafe_annotations; /* potentiallyUnsafeConfigAnnotations */
	const struct spec_pairs *annotations;  /* of the document itself: versions of libraries */
	bool cgroup_v1, cgroup_v2, cgroup_systemd, cgroup_systemd_user;
};

/* features.md and features-linux.md: the names and properties that the parser knows,
 * all of which are executed, and what `lists` says. Ends with a newline. */
char *features_document(struct arena *a, const struct features_lists *lists);

#endif
