/* Annotations of the config that change what the runtime does. Their names are those of
 * crun and runc, whose users have them in their configs. */
#ifndef KNARR_OCI_SPEC_ANNOTATIONS_H
#define KNARR_OCI_SPEC_ANNOTATIONS_H

#include "oci-spec/spec.h"

/* All of them, sorted by their texts: X(name, text, reaches), where reaches says that it
 * reaches beyond the container: files and sockets of the host that the runtime opens with its
 * privileges, groups of its caller, properties of a unit (one can stop another unit). The rest is
 * about the container's own signals, cgroup and labels. A text that ends with a dot stands for all
 * that begin so. */
#define ANNOTATIONS(X)                                                                                                 \
	/* Configuration file of CRIU for checkpoint and restore. */                                                   \
	X(CRIU_CONFIG, "org.criu.config", true)                                                                        \
	/* Signal of `kill` without a signal. */                                                                       \
	X(STOP_SIGNAL, "org.opencontainers.image.stopSignal", false)                                                   \
	/* And a name: a property of the scope of systemd. */                                                          \
	X(SYSTEMD_PROPERTY, "org.systemd.property.", true)                                                             \
	/* Name of a cgroup below the container's, where its processes are; limits stay above. */                      \
	X(DELEGATE_CGROUP, "run.oci.delegate-cgroup", false)                                                           \
	/* Files that the errors and the output of hooks are appended to. */                                           \
	X(HOOKS_STDERR, "run.oci.hooks.stderr", true)                                                                  \
	X(HOOKS_STDOUT, "run.oci.hooks.stdout", true)                                                                  \
	/* Keep the caller's additional groups: no setgroups(2). */                                                    \
	X(KEEP_GROUPS, "run.oci.keep_original_groups", true)                                                           \
	/* "context", "fscontext", "defcontext" or "rootcontext": how linux.mountLabel is given. */                    \
	X(MOUNT_CONTEXT, "run.oci.mount_context_type", false)                                                          \
	/* Socket that is sent a pidfd of the first process, as by --pidfd-socket. */                                  \
	X(PIDFD_RECEIVER, "run.oci.pidfd_receiver", true)                                                              \
	/* Socket of the seccomp agent, when there is no linux.seccomp.listenerPath. */                                \
	X(SECCOMP_RECEIVER, "run.oci.seccomp.receiver", true)                                                          \
	/* Name of a cgroup below the scope of systemd, where the processes are. */                                    \
	X(SYSTEMD_SUBGROUP, "run.oci.systemd.subgroup", false)

#define ANNOTATION_OF(name, text, reaches) ANNOTATION_##name,
enum annotation { ANNOTATIONS(ANNOTATION_OF) ANNOTATION_COUNT };
#undef ANNOTATION_OF

/* Its text in a config. Static. */
const char *annotation_name(enum annotation annotation);

/* The names of all, for the features document (potentiallyUnsafeConfigAnnotations). Static; ends
 * with NULL. */
const char *const *annotation_names(void);

/* The value of an annotation, the config's; NULL: it is not there. */
const char *annotation_get(const struct spec_pairs *annotations, enum annotation annotation);

/* The name of the first annotation that lets whoever wrote it reach beyond the container, as far
 * as the runtime's privileges go; NULL: none does. */
const char *annotation_first_reaching(const struct spec_pairs *annotations);

/* Of a yes or no: absent (NULL), "", "0", "false", "no" and "off" are no. */
bool annotation_is_true(const char *value);

#endif
