/* The option strings of one mount, sorted into what the kernel wants where:
 * per-mount attributes, superblock flags, propagation, file system data.
 * config.md#linux-mount-options, mount(8). */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_OPTIONS_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* Superblock flags that fsconfig(2) knows by name. */
enum mount_superblock {
	MOUNT_SB_RDONLY = 1 << 0,
	MOUNT_SB_SYNC = 1 << 1,
	MOUNT_SB_DIRSYNC = 1 << 2,
	MOUNT_SB_LAZYTIME = 1 << 3,
	MOUNT_SB_MANDLOCK = 1 << 4,
};
#define MOUNT_SB_COUNT 5

/* "slave" and then "shared" on one mount means both, in that order. */
#define MOUNT_MAX_PROPAGATION 4

struct mount_options {
	struct plan_attrs attrs;		     /* of the mount itself */
	struct plan_attrs rec_attrs;		     /* of it and all mounts below ("rro") */
	unsigned sb_set, sb_clear;		     /* enum mount_superblock */
	uint32_t propagation[MOUNT_MAX_PROPAGATION]; /* MS_SHARED… with MS_REC or not */
	size_t n_propagation;
	bool bind, recursive; /* rbind: both */
	bool names_flags;     /* some flag of mount(2) was set or cleared by name, */
	bool names_atime;     /* an access time mode among them */
	bool remount;
	bool copy_up;		     /* tmpcopyup */
	bool idmap, idmap_recursive; /* idmap; ridmap: both */
	const char *idmap_maps;	     /* what "idmap=" and "ridmap=" say; NULL: they say nothing */
	bool source_nofollow, dest_nofollow;
	const char **data; /* "key=value" or "flag", for the file system */
	size_t n_data;
};

/* Of a bind mount: makes the flags of the mount exactly those that the options name,
 * when they name any. With locked, what the source may not do stays so: the flags that the
 * kernel would lock in a new user namespace are not cleared. symfollow: this kernel can clear
 * nosymfollow, too. */
void mount_options_name_all_flags(struct mount_options *options, bool locked, bool symfollow);

/* Parses list. property ("mounts[3]") names the mount in errors. Strings come from a.
 * 0 or -errno with err; *ret is filled on success only. */
int mount_options_parse(struct arena *a, const char *property, const struct spec_strings *list, struct err *err,
			struct mount_options *ret);

/* Names of the superblock flags for fsconfig(2). with_cleared: also those that
 * are taken away ("rw", "async"), for a remount. names has room for MOUNT_SB_COUNT;
 * they are static. Returns how many were filled. */
size_t mount_options_superblock(const struct mount_options *options, bool with_cleared, const char **names);

/* Name number i of the options that knarr implements, for the features
 * document; NULL after the last. Static. */
const char *mount_options_known(size_t i);

#endif
