/* The rules of a profile, by the number of the call. Internal to seccomp. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_RULES_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "libcontainer/seccomp/bpf_graph.h"
#include "libcontainer/seccomp/seccomp_calls.h"
#include "oci-spec/spec.h"

/* For each number that a call may have there is a slot; slots are in the order of numbers. */
#define SECCOMP_SLOTS 656

struct seccomp_rules;

/* Looks up what the profile names. default_action: as a filter returns it. Names that nobody knows
 * are left out, with a warning or a debug line. Memory from the graph's arena. */
struct seccomp_rules *seccomp_rules_find(const struct spec_seccomp *profile, struct bpf_graph *graph,
					 uint32_t default_action);

/* Makes the slots those of an architecture. Returns the highest number that the profile
 * names there; 0: none. */
uint32_t seccomp_rules_collect(struct seccomp_rules *rules, const struct seccomp_arch *arch);

/* Number of the slot. */
uint32_t seccomp_rules_number(const struct seccomp_arch *arch, size_t slot);

/* Whether there is a rule for the slot. */
bool seccomp_rules_has(const struct seccomp_rules *rules, size_t slot);

/* The decision for a slot that has a rule; `otherwise` where no rule matches. 0, or -EINVAL with err. */
int seccomp_rules_decide(struct seccomp_rules *rules, size_t slot, bool wide, bpf_node otherwise, struct err *err,
			 bpf_node *ret_node);

#endif
