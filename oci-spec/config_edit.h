/* Changes to the text of a config.json that leave everything else in it as it is:
 * also what knarr does not know. For the copy that a container's state has. */
#ifndef KNARR_OCI_SPEC_CONFIG_EDIT_H
#define KNARR_OCI_SPEC_CONFIG_EDIT_H

#include <stdbool.h>

#include "oci-spec/spec.h"

/* The config `json` of len bytes, one that spec_parse() takes, with these resources
 * above its linux.resources: members that are set win, elements of arrays replace
 * those for the same device or page size. A number that means "as it is" (0 in
 * memory, cpu and blockIO.weight) and device rules, which an update ignores, are
 * left out. rdt (NULL: none): the two schemas of linux.intelRdt, which count as well.
 * NULL: nothing to change, or json is none. NUL-terminated, in a. */
char *config_edit_resources(struct arena *a, const char *json, size_t len, const struct spec_resources *resources,
			    const struct spec_intel_rdt *rdt);

/* The same with n mounts more at the end of `mounts`; or without the last entry for
 * each of their destinations. */
char *config_edit_mounts(struct arena *a, const char *json, size_t len, const struct spec_mount *mounts, size_t n,
			 bool add);

#endif
