/* seccomp profiles: compiled in the parent into a classic BPF program that the
 * child only loads. config-linux.md#seccomp, seccomp(2). */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci-spec/spec.h"

struct seccomp_filter {
	const void *program; /* struct sock_filter[], in the arena */
	size_t len;	     /* bytes */
	uint32_t flags;	     /* SECCOMP_FILTER_FLAG_* for seccomp(2), without NEW_LISTENER */
	bool notify;	     /* has SCMP_ACT_NOTIFY: load with NEW_LISTENER */
};

/* Refuses a profile that cannot work: it denies execve (the last call that the
 * runtime must make, and the only one under the filter) without condition, a
 * flag or an action that this kernel lacks, an architecture that libseccomp
 * lacks, an errno where the action takes none, NOTIFY without listenerPath.
 * NOTIFY may be used for any call: the listener is taken out of the process,
 * not sent by it. Pure but for asking the kernel. 0, or -errno with err. */
int seccomp_check(const struct spec_seccomp *profile, struct err *err);

/* Compiles profile, which has passed seccomp_check(). Unknown system calls are left out (with a
 * warning where the rule was stricter than the default, else a debug line). Memory from a. 0, or
 * -errno with err: rules that contradict each other, or more of them than a program can hold. */
int seccomp_compile(const struct spec_seccomp *profile, struct arena *a, struct err *err,
		    struct seccomp_filter *ret_filter);

/* What this build can do, for the features document; NULL-terminated lists. */
const char *const *seccomp_known_archs(void);
const char *const *seccomp_known_flags(void);

#endif
