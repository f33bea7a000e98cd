/* Options that belong to a file system: its data for fsconfig(2). Which names are
 * known to be some, so that libmount need not be opened to ask whether they are
 * options of mount(8), and how their values are spelled. */
#ifndef KNARR_NAMESPACES_MOUNT_DATA_H
#define KNARR_NAMESPACES_MOUNT_DATA_H

#include <stdbool.h>

#include "base/arena.h"

/* Whether "key" or "key=value" is known as an option of the file system type, or of
 * any (the security labels). type may be NULL. */
bool mount_data_is_known(const char *type, const char *option);

/* mount(2) wants a label with commas in quotes; fsconfig(2) takes the value as it is,
 * so the quotes go. Returns option itself, or a copy from a. */
const char *mount_data_without_quotes(struct arena *a, const char *option);

#endif
