/* What the files that fill struct settings share. For settings.c and settings_io.c only. */
#ifndef KNARR_CGROUPS_SETTINGS_LIST_H
#define KNARR_CGROUPS_SETTINGS_LIST_H

#include "cgroups/settings.h"

/* Adds a write, for the caller to complete. */
struct setting *settings_add(struct settings *settings, enum controller needs, const char *property, const char *file,
			     const char *value);

/* "No limit": needs no controller, and no file. */
void settings_add_unlimited(struct settings *settings, const char *property, const char *file, const char *value);

/* Of a controller that v2 does not have at all. */
void settings_add_warning(struct settings *settings, const char *property);

/* Of a controller that v2 has, but not this: what cannot be converted is an error
 * (config-linux.md#unified). */
int settings_refuse_if(bool asked, const char *property, struct err *err);

/* A file of a cgroup, and nothing else: the config names it or a part of it. */
bool settings_is_file_name(const char *name);

/* One group of linux.resources each. */
int settings_block_io(struct settings *settings, const struct spec_resources *resources, struct err *err);
int settings_hugepages(struct settings *settings, const struct spec_resources *resources, struct err *err);
int settings_rdma(struct settings *settings, const struct spec_resources *resources, struct err *err);
int settings_network(struct settings *settings, const struct spec_resources *resources, struct err *err);

#endif
