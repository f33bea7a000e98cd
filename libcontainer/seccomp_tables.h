/* The words of a seccomp profile and what they mean to libseccomp and to the
 * kernel. Internal to the seccomp_*.c files. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_TABLES_H
#define KNARR_LIBCONTAINER_SECCOMP_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "oci-spec/spec.h"

struct seccomp_action {
	const char *name;
	uint32_t ret;	   /* SECCOMP_RET_*, which SCMP_ACT_* equals */
	uint32_t max_data; /* highest errnoRet; 0: the action takes none */
	bool denies;	   /* the call does not happen when nobody traces the process */
	bool newer;	   /* not in every kernel with filters: ask */
};

/* Indexed by the enum of the spec. */
extern const struct seccomp_action seccomp_actions[SPEC_ACT_COUNT];

/* SCMP_CMP_* of an operator. */
int seccomp_operator_number(enum spec_seccomp_op op);

/* Token of libseccomp for "SCMP_ARCH_…"; 0 when this build's libseccomp does
 * not know the architecture. */
uint32_t seccomp_arch_token(const char *name);

/* SECCOMP_FILTER_FLAG_* bit of a name; 0: unknown. */
uint32_t seccomp_flag_bit(const char *name);

#endif
