/* Theory of operation: see annotations.h. What each does is done where its property is
 * compiled; the table says which there are. */
#include "oci-spec/annotations.h"

#include <string.h>

static const char *const names[] = {
	ANNOTATION_CRIU_CONFIG,	   ANNOTATION_STOP_SIGNAL,	ANNOTATION_SYSTEMD_PROPERTY, ANNOTATION_DELEGATE_CGROUP,
	ANNOTATION_HOOKS_STDERR,   ANNOTATION_HOOKS_STDOUT,	ANNOTATION_KEEP_GROUPS,	     ANNOTATION_MOUNT_CONTEXT,
	ANNOTATION_PIDFD_RECEIVER, ANNOTATION_SECCOMP_RECEIVER, ANNOTATION_SYSTEMD_SUBGROUP, NULL,
};

const char *const *
annotation_names(void)
{
	return names;
}

const char *
annotation_get(const struct spec_pairs *annotations, const char *name)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (!strcmp(annotations->items[i].key, name))
			return annotations->items[i].value;
	return NULL;
}
