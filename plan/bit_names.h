/* Names of kernel bits for people, in the words of the OCI spec and mount(8). */
#ifndef KNARR_PLAN_BIT_NAMES_H
#define KNARR_PLAN_BIT_NAMES_H

#include <stdint.h>

/* Lists end with a NULL name. The first row whose bits are all set gives the name. */
struct bit_name {
	uint64_t bits;
	const char *name;
};

extern const struct bit_name mount_attr_names[];  /* MOUNT_ATTR_*, without the access time field */
extern const struct bit_name propagation_names[]; /* MS_SHARED … and MS_REC */
extern const struct bit_name namespace_names[];	  /* CLONE_NEW* */
extern const struct bit_name plan_errno_names[];  /* enum plan_errnos */

#endif
