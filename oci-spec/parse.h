/* Object types and rules that more than one parse_*.c uses. */
#ifndef KNARR_OCI_SPEC_PARSE_H
#define KNARR_OCI_SPEC_PARSE_H

#include <stdbool.h>

#include "oci-spec/fields.h"

extern const struct object_type type_process;	 /* struct spec_process */
extern const struct object_type type_hooks;	 /* struct spec_hooks */
extern const struct object_type type_mount;	 /* struct spec_mount */
extern const struct object_type type_id_mapping; /* struct spec_id_mapping */
extern const struct object_type type_linux;	 /* struct spec_linux */
extern const struct object_type type_resources;	 /* struct spec_resources */
extern const struct object_type type_seccomp;	 /* struct spec_seccomp */

/* Does the parser read the property "linux.intelRdt.schemata"? Elements of arrays
 * need no brackets: "mounts.options". */
bool parse_knows_property(const char *path);

/* Rules between properties of different objects. config: the root of the text. */
void check_config(struct parser *parser, const struct json_value *config, const struct spec *spec);

/* sysctl names against the namespaces of the container. */
void check_sysctls(struct parser *parser, const struct json_value *config, const struct spec_linux *section);

/* Id mappings of the array `value`: no empty range, no overflow, no overlap, as the
 * kernel wants them (user_namespaces(7)). */
void check_id_mappings(struct parser *parser, const struct json_value *value, const struct spec_id_mappings *maps);

/* ociVersion: SemVer, major 1; warns of a newer minor. */
void check_version(struct parser *parser, const struct json_value *value);

/* linux.seccomp `value`: who notifies needs a listener, which may have come by annotation. */
void parse_check_listener(struct parser *parser, const struct json_value *value, const struct spec_seccomp *profile);

/* Is this valid version older than 1.`minor`? */
bool check_version_is_before(const char *version, unsigned minor);

/* "0-3,7": numbers and ranges with commas; "" is allowed. An error at value if not. */
void check_number_list(struct parser *parser, const struct json_value *value);

#endif
