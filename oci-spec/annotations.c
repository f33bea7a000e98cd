/* Theory of operation: see annotations.h. What each does stands where it does it; the
 * table says which there are. */
#include "oci-spec/annotations.h"

#include <string.h>

/* Each with its effect. */
static const char *const names[] = {
	ANNOTATION_CRIU_CONFIG,	     /* configuration file of CRIU for checkpoint and restore */
	ANNOTATION_STOP_SIGNAL,	     /* signal of `kill` without a signal */
	ANNOTATION_SYSTEMD_PROPERTY, /* property of the systemd unit */
	ANNOTATION_DELEGATE_CGROUP,  /* name of a cgroup below the container's, where its processes are; limits stay
					above */
	ANNOTATION_HOOKS_STDERR,     /* file that the standard error of hooks is appended to */
	ANNOTATION_HOOKS_STDOUT,     /* file that the standard output of hooks is appended to */
	ANNOTATION_KEEP_GROUPS,	     /* keep the caller's additional groups; no setgroups(2) */
	ANNOTATION_MOUNT_CONTEXT,    /* context, fscontext, defcontext or rootcontext: how linux.mountLabel is given */
	ANNOTATION_PIDFD_RECEIVER,   /* socket that is sent a pidfd of the first process, as by --pidfd-socket */
	ANNOTATION_SECCOMP_RECEIVER, /* socket of the seccomp agent, when there is no linux.seccomp.listenerPath */
	ANNOTATION_SYSTEMD_SUBGROUP, /* name of the cgroup below the systemd unit */
	NULL,
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
