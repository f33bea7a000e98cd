/* Annotations of the config that change what the runtime does. Their names are those of
 * crun and runc, whose users have them in their configs. */
#ifndef KNARR_OCI_SPEC_ANNOTATIONS_H
#define KNARR_OCI_SPEC_ANNOTATIONS_H

#include "oci-spec/spec.h"

#define ANNOTATION_CRIU_CONFIG	    "org.criu.config"			  /* checkpoint, restore */
#define ANNOTATION_STOP_SIGNAL	    "org.opencontainers.image.stopSignal" /* kill without a signal */
#define ANNOTATION_SYSTEMD_PROPERTY "org.systemd.property."		  /* and a name: of the scope */
#define ANNOTATION_SYSTEMD_SUBGROUP "run.oci.systemd.subgroup"		  /* a folder below the scope */
#define ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"
#define ANNOTATION_PIDFD_RECEIVER   "run.oci.pidfd_receiver"
#define ANNOTATION_KEEP_GROUPS	    "run.oci.keep_original_groups"
#define ANNOTATION_HOOKS_STDOUT	    "run.oci.hooks.stdout"
#define ANNOTATION_HOOKS_STDERR	    "run.oci.hooks.stderr"
#define ANNOTATION_DELEGATE_CGROUP  "run.oci.delegate-cgroup"
#define ANNOTATION_MOUNT_CONTEXT    "run.oci.mount_context_type"

/* The names of all, for the features document (potentiallyUnsafeConfigAnnotations). One
 * that ends with a dot stands for all that begin so. Static; ends with NULL. */
const char *const *annotation_names(void);

/* The value of an annotation; NULL: it is not there. */
const char *annotation_get(const struct spec_pairs *annotations, const char *name);

#endif
