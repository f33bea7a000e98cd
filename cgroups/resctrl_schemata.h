/* Lines of resctrl's schemata files: "L3:0=7f0;1=1f". Internal to resctrl. */
#ifndef KNARR_CGROUPS_RESCTRL_SCHEMATA_H
#define KNARR_CGROUPS_RESCTRL_SCHEMATA_H

#include <stddef.h>

#include "base/err.h"
#include "oci-spec/spec.h"

/* The nth line that rdt asks for, in the order in which they are written; NULL:
 * there are no more. *ret_property: its property, for messages. */
const char *resctrl_schema_line(const struct spec_intel_rdt *rdt, size_t n, const char **ret_property);

/* 0 when the text of a schemata file holds all that rdt asks for; else -EINVAL with
 * err. Numbers are compared and not their writing; domains that rdt does not name
 * do not count. */
int resctrl_schemata_compare(const struct spec_intel_rdt *rdt, const char *text, const char *group, struct err *err);

#endif
