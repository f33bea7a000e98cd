/* The conditions of all rules for one system call. Internal to seccomp. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_SECCOMP_TREE_H
#define KNARR_LIBCONTAINER_SECCOMP_SECCOMP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "libcontainer/seccomp/bpf_graph.h"
#include "oci-spec/spec.h"

/* A condition on an argument: whether (argument & mask) is equal to (BPF_JEQ), above
 * (BPF_JGT), or at least (BPF_JGE) value; or, negated, is not. */
struct seccomp_condition {
	uint8_t arg, code;
	bool masked; /* by the profile */
	bool negated;
	uint8_t rank; /* which conditions on an argument are tried first: the highest */
	uint64_t mask, value;
};

/* wide: arguments have 64 bits; else a condition looks at the lower 32. False: it always
 * holds, and *ret is not filled. */
bool seccomp_condition_make(const struct spec_seccomp_arg *arg, bool wide, struct seccomp_condition *ret);

struct seccomp_tree_node;
struct seccomp_tree {
	struct arena *arena;
	bool wide;
	size_t left; /* how many more nodes there may be */
	struct seccomp_tree_node *first;
};

/* A rule whose n (> 0) conditions, in the order of their arguments, must all hold. `rule` is its
 * number in the profile. 0; -EEXIST when another rule contradicts, with its number
 * in *ret_other; -E2BIG when no program could hold all that. */
int seccomp_tree_add(struct seccomp_tree *tree, const struct seccomp_condition *conditions, size_t n, uint32_t action,
		     size_t rule, size_t *ret_other);

/* The decision; `otherwise` when no rule matches. */
bpf_node seccomp_tree_decide(const struct seccomp_tree *tree, struct bpf_graph *graph, bpf_node otherwise);

#endif
