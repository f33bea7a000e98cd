/* Tables that turn the names of a config into numbers, and the search for the
 * name that was probably meant. Inside oci-spec only. */
#ifndef KNARR_OCI_SPEC_NAMES_H
#define KNARR_OCI_SPEC_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct name {
	const char *name;
	uint64_t value;
};
struct name_table {
	const char *what; /* "namespace type" */
	const struct name *names;
	size_t n;
};

/* Added to the values of names_propagation for the forms with "r" ("rshared"). */
#define NAMES_RECURSIVE 0x100

extern const struct name_table names_namespace, names_rlimit, names_sched_policy, names_sched_flag, names_io_class,
	names_mpol_mode, names_mpol_flag, names_personality, names_propagation, names_seccomp_action, names_seccomp_op,
	names_seccomp_arch, names_seccomp_flag;

/* False when the table has no such name. */
bool name_find(const struct name_table *table, const char *name, uint64_t *ret_value);

/* The first name of a value, or NULL. Static. */
const char *name_of(const struct name_table *table, uint64_t value);

/* How unlike the two are: 0 = the same but for case, SIZE_MAX = not worth a
 * suggestion. Smaller is nearer. */
size_t name_distance(const char *given, const char *candidate);

/* `unknown <what> "x", did you mean "y"?`, or all names when none is near and
 * they are few. */
char *name_complaint(struct arena *a, const struct name_table *table, const char *given);

/* Capability number of a name like "CAP_CHOWN"; -1: unknown to libcap, which also knows
 * those that the running kernel lacks. */
int name_to_capability(const char *name);

/* Name of a capability in capital letters, in a; NULL: no such number. */
const char *name_of_capability(struct arena *a, unsigned number);

#endif
