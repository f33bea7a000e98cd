/* The names of mount options that the runtime itself acts on, and what each of them does.
 * config.md#linux-mount-options. */
#ifndef KNARR_NAMESPACES_MOUNT_MOUNT_OPTION_TABLE_H
#define KNARR_NAMESPACES_MOUNT_MOUNT_OPTION_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum mount_option_action {
	MOUNT_OPTION_NO_EFFECT, /* a flag of mount(2) without an effect with the mount API */
	MOUNT_OPTION_SET,	/* value: MOUNT_ATTR_* */
	MOUNT_OPTION_CLEAR,	/* value: MOUNT_ATTR_* */
	MOUNT_OPTION_ATIME,	/* value: mode to choose */
	MOUNT_OPTION_NO_ATIME,	/* value: mode not to use */
	MOUNT_OPTION_SB_SET,	/* value: enum mount_superblock */
	MOUNT_OPTION_SB_CLEAR,	/* value: enum mount_superblock */
	MOUNT_OPTION_READ_ONLY, /* mount(2) applies ro to the mount and to the superblock */
	MOUNT_OPTION_READ_WRITE,
	MOUNT_OPTION_LAST_FLAG = MOUNT_OPTION_READ_WRITE, /* up to here: flags of mount(2) */
	MOUNT_OPTION_NOTHING,				  /* accepted, and nothing is done */
	MOUNT_OPTION_PROPAGATION,			  /* value: MS_* */
	MOUNT_OPTION_BIND,
	MOUNT_OPTION_RBIND,
	MOUNT_OPTION_REMOUNT,
	MOUNT_OPTION_COPY_UP,
	MOUNT_OPTION_SOURCE_NOFOLLOW,
	MOUNT_OPTION_DEST_NOFOLLOW,
	MOUNT_OPTION_IDMAP, /* value: 1 for the mounts below too */
};

struct mount_option {
	const char *name;
	enum mount_option_action action;
	uint64_t value;
	bool recursive; /* SET…NO_ATIME: of the mounts below, too */
};

/* The option of that name; NULL: it is not in the table. */
const struct mount_option *mount_option_find(const char *name);

#endif
