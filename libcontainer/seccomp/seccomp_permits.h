/* Asks a compiled filter what it says to a system call that the runtime itself will make. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_PERMITS_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_PERMITS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A call of the native architecture, as far as it is known before it is made. */
struct seccomp_known_call {
	int number;	/* SYS_* */
	unsigned known; /* bit N: args[N] is what the call will have */
	uint64_t args[6];
};

/* True when the program of n instructions (seccomp_compile()) lets the call pass, whatever its other
 * arguments are: SECCOMP_RET_ALLOW or SECCOMP_RET_LOG. seccomp(2). */
bool seccomp_permits(const struct sock_filter *program, size_t n, const struct seccomp_known_call *call);

#endif
