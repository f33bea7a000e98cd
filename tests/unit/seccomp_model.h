/* What a seccomp profile must mean, told by others: by the program that libseccomp makes of
 * it, and by a plain reading of its rules. For test_seccomp_model.c and the fuzzer. */
#ifndef KNARR_TESTS_UNIT_SECCOMP_MODEL_H
#define KNARR_TESTS_UNIT_SECCOMP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci-spec/spec.h"

/* libseccomp is right about this profile; else it is only where no rule confuses it. */
#define SECCOMP_MODEL_TRUST 1u
/* Only the calls that the profile names and their neighbours, not all numbers. */
#define SECCOMP_MODEL_NAMED 2u

/* Compiles s in both ways and compares them: for the numbers of calls, on each architecture,
 * and with arguments at the boundaries of the conditions (`vectors` for each call that has
 * some, chosen by seed). Prints the first difference and gives false. Names that
 * libseccomp does not know must not be in s. */
bool seccomp_model_check(const struct spec_seccomp *s, uint32_t seed, unsigned vectors, unsigned flags);

/* Prints s as JSON. */
void seccomp_model_print(const struct spec_seccomp *s);

/* How often, since the start. */
struct seccomp_model_counts {
	unsigned long compared;	 /* programs */
	unsigned long alone;	 /* of them without libseccomp, which the rules would confuse */
	unsigned long partly;	 /* with it for some architectures only */
	unsigned long refused;	 /* profiles, by both */
	unsigned long accepted;	 /* that only libseccomp refuses */
	unsigned long decisions; /* compared */
	unsigned long wrong;	 /* decisions of libseccomp's tree that no rule asks for */
	unsigned long confused;	 /* decisions of its program that its tree does not ask for */
};
extern struct seccomp_model_counts seccomp_model_counts;

#endif
