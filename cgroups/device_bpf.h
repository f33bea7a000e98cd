/* Device rules compiled to eBPF (BPF_PROG_TYPE_CGROUP_DEVICE). Pure. */
#ifndef KNARR_CGROUPS_DEVICE_BPF_H
#define KNARR_CGROUPS_DEVICE_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* The bits of `access` are the kernel's BPF_DEVCG_ACC_MKNOD, _READ, _WRITE. */
#define DEVICE_ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define DEVICE_ANY	  (-1)

struct device_rule {
	bool allow;
	char type;	      /* 'c', 'b' or 'a' for both */
	int64_t major, minor; /* DEVICE_ANY: all */
	unsigned access;
};

/* Compiles n rules into instructions, with memory from a. Each access bit follows the
 * last rule that names it and matches the device, and is denied without one; a request is
 * allowed when all of its bits are. 0, or -E2BIG: more than one program can hold, which is
 * about 8,000 rules for numbers that lie apart. */
int device_bpf_compile(const struct device_rule *rules, size_t n, struct arena *a, struct bpf_insn **ret_insns,
		       size_t *ret_n);

/* True for a rule without an access, or for numbers that no device has: the kernel's have
 * 12 and 20 bits. */
bool device_rule_matches_nothing(const struct device_rule *rule);

/* True when the rules allow everything. */
bool device_bpf_allows_all(const struct device_rule *rules, size_t n);

#endif
