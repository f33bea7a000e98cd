/* A file system in the making: fsopen(2), fsconfig(2), fsmount(2). Each
 * function returns 0, or leaves one clear message in err, with the kernel's own words
 * when it has any, and returns -errno. Allocates nothing. */
#ifndef KNARR_NAMESPACES_MOUNT_FS_CONTEXT_H
#define KNARR_NAMESPACES_MOUNT_FS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "plan/plan.h"

/* fsconfig(2) takes strings of at most this many bytes. */
#define FS_CONTEXT_VALUE_MAX 255

struct fs_context {
	int fd; /* close it with fs_context_close() */
	struct err *err;
	const char *type, *dest; /* for messages: "mount 'type' on 'dest'" */
};
#define auto_fs_context __attribute__((cleanup(fs_context_close)))

/* Fills *context; err, type and dest must stay as long as it. */
int fs_context_open(struct fs_context *context, struct err *err, const char *type, const char *dest);
void fs_context_close(struct fs_context *context);

/* One option; value NULL: a flag. */
int fs_context_set(struct fs_context *context, const char *key, const char *value);

/* Options as in a config: "key=value" or "flag". */
int fs_context_set_all(struct fs_context *context, const struct plan *plan, struct plan_strv options);

/* Makes the superblock, then a detached mount with those MOUNT_ATTR_*: *ret_mount_fd,
 * the caller's. */
int fs_context_mount(struct fs_context *context, uint64_t attrs, int *ret_mount_fd);

/* Fills err with "mount 'type' on 'dest'", the option if not NULL, what the
 * kernel said, and a hint where one is known. Returns -code. */
int fs_context_fail(const struct fs_context *context, int code, const char *option);

#endif
