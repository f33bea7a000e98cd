/* linux.resources compiled into a flat list of file writes: what cgroup_check()
 * looks through for controllers and cgroup_apply() executes. */
#ifndef KNARR_CGROUPS_SETTINGS_H
#define KNARR_CGROUPS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroups/controllers.h"
#include "oci-spec/spec.h"

/* A file that takes any of its words and says in the next read what came of it. */
#define SETTINGS_PARTITION "cpuset.cpus.partition"

struct setting {
	const char *property; /* "linux.resources.memory.limit" */
	const char *file;     /* NULL: nothing to write, `value` is a warning for people */
	const char *value;    /* each line of it is one write(2) */
	const char *alt_file; /* when `file` does not exist; NULL: none */
	const char *alt_value;
	enum controller needs;	  /* NONE: asks for nothing that must be there */
	bool optional;		  /* a missing file is not an error */
	bool soft;		  /* a missing controller is a warning only */
	bool check_usage;	  /* refuse when memory.current is above `limit` */
	unsigned long long limit; /* bytes */
};

struct settings {
	struct arena *arena;
	struct setting *items;
	size_t n, cap;
};

/* Fills *settings from resources (NULL: nothing), memory from settings->arena. Checks what can be
 * known without the cgroup: -EINVAL with err naming the property. */
int settings_compile(struct settings *settings, const struct spec_resources *resources, struct err *err);

/* The first one that cannot do without a cgroup; NULL: none. */
const struct setting *settings_first_needed(const struct settings *settings);

#endif
