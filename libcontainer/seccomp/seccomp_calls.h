/* Names of system calls, and what they mean on each architecture. Internal to seccomp. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_CALLS_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* One architecture, as a filter sees it. */
struct seccomp_arch {
	const char *name; /* "SCMP_ARCH_X86" */
	uint32_t base;	  /* added to all numbers in the table */
	uint8_t column;	  /* of the table */
	bool wide;	  /* arguments have 64 bits */
	bool multiplexes; /* has socketcall(2) and ipc(2) */
};

/* NULL: not known. token is libseccomp's SCMP_ARCH_*. */
const struct seccomp_arch *seccomp_arch_find(uint32_t token);

struct seccomp_call_row;

/* What a name stands for. */
struct seccomp_call {
	const char *name;
	const struct seccomp_call_row *row; /* NULL: only libseccomp knows it */
};

/* False: nobody knows a call of this name. */
bool seccomp_call_find(const char *name, struct seccomp_call *ret_call);

/* The same, sooner if the name follows closely on that of before (NULL: none) in the alphabet. */
bool seccomp_call_find_after(const char *name, const struct seccomp_call *before, struct seccomp_call *ret_call);

/* Number of the call, as struct seccomp_data has it; -1 if the architecture has no such call. */
int64_t seccomp_call_number(const struct seccomp_call *call, const struct seccomp_arch *arch);

/* Number of the call that the architecture also offers as one of socketcall(2) or
 * ipc(2), with what their first argument is then; -1 if it does not. */
int64_t seccomp_call_multiplexer(const struct seccomp_call *call, const struct seccomp_arch *arch,
				 uint32_t *ret_argument);

/* Row number index of the table, for tests; false after the last. */
bool seccomp_call_nth(unsigned index, struct seccomp_call *ret_call);

#endif
