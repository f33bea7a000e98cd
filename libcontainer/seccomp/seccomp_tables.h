/* The words of a seccomp profile and what they mean to libseccomp and to the
 * kernel. Internal to the seccomp_*.c files. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_TABLES_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_TABLES_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "oci-spec/spec.h"

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH /* Linux 5.7 */
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 6.0 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

struct seccomp_action {
	const char *name;
	uint32_t ret;	   /* SECCOMP_RET_*, which SCMP_ACT_* equals */
	uint32_t max_data; /* highest errnoRet; 0: the action takes none */
	bool denies;	   /* the call does not happen when nobody traces the process */
	bool newer;	   /* not in every kernel with filters: ask */
};

/* Indexed by the enum of the spec. */
extern const struct seccomp_action seccomp_actions[SPEC_ACT_COUNT];

#define SECCOMP_MAX_ARGS 6

/* The action with its errno (EPERM when not given) in it, as a filter returns it. */
uint32_t seccomp_action_value(enum spec_seccomp_action action, struct opt_u32 errno_ret);

/* True if the default or a rule is that action. */
bool seccomp_uses_action(const struct spec_seccomp *profile, enum spec_seccomp_action action);

/* Rule number i alone: errno and argument numbers. Part of seccomp_check(): 0, or -EINVAL
 * with err. */
int seccomp_check_rule(const struct spec_seccomp_rule *rule, size_t i, struct err *err);

/* SCMP_CMP_* of an operator. */
int seccomp_operator_number(enum spec_seccomp_op op);

/* Token of libseccomp for "SCMP_ARCH_…"; 0 when this build's libseccomp does
 * not know the architecture. */
uint32_t seccomp_arch_token(const char *name);

/* SECCOMP_FILTER_FLAG_* bit of a name; 0: unknown. */
uint32_t seccomp_flag_bit(const char *name);

#endif
