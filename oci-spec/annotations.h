/* Annotations of the config that change what the runtime does. Their names are those of
 * crun and runc, whose users have them in their configs. */
#ifndef KNARR_OCI_SPEC_ANNOTATIONS_H
#define KNARR_OCI_SPEC_ANNOTATIONS_H

#include "oci-spec/spec.h"

/* Configuration file of CRIU for checkpoint and restore. */
#define ANNOTATION_CRIU_CONFIG "org.criu.config"
/* Signal of `kill` without a signal. */
#define ANNOTATION_STOP_SIGNAL "org.opencontainers.image.stopSignal"
/* And a name: a property of the scope of systemd. */
#define ANNOTATION_SYSTEMD_PROPERTY "org.systemd.property."
/* Name of a cgroup below the scope of systemd, where the processes are. */
#define ANNOTATION_SYSTEMD_SUBGROUP "run.oci.systemd.subgroup"
/* Socket of the seccomp agent, when there is no linux.seccomp.listenerPath. */
#define ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"
/* Socket that is sent a pidfd of the first process, as by --pidfd-socket. */
#define ANNOTATION_PIDFD_RECEIVER "run.oci.pidfd_receiver"
/* Keep the caller's additional groups: no setgroups(2). */
#define ANNOTATION_KEEP_GROUPS "run.oci.keep_original_groups"
/* Files that the output and the errors of hooks are appended to. */
#define ANNOTATION_HOOKS_STDOUT "run.oci.hooks.stdout"
#define ANNOTATION_HOOKS_STDERR "run.oci.hooks.stderr"
/* Name of a cgroup below the container's, where its processes are; limits stay above. */
#define ANNOTATION_DELEGATE_CGROUP "run.oci.delegate-cgroup"
/* "context", "fscontext", "defcontext" or "rootcontext": how linux.mountLabel is given. */
#define ANNOTATION_MOUNT_CONTEXT "run.oci.mount_context_type"

/* The names of all, for the features document (potentiallyUnsafeConfigAnnotations). One
 * that ends with a dot stands for all that begin so. Static; ends with NULL. */
const char *const *annotation_names(void);

/* The value of an annotation, the config's; NULL: it is not there. */
const char *annotation_get(const struct spec_pairs *annotations, const char *name);

#endif
