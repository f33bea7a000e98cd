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

struct annotation_row {
	const char *name; /* ends with a dot: all that begin so */
	const char *effect;
};

/* All of them, for people and for the features document (potentiallyUnsafeConfigAnnotations);
 * ends with a row without name. */
extern const struct annotation_row annotation_rows[];

/* The names alone, ending with NULL; memory from a. */
const char *const *annotation_names(struct arena *a);

/* The value of an annotation; NULL: it is not there. */
const char *annotation_get(const struct spec_pairs *annotations, const char *name);

#endif
