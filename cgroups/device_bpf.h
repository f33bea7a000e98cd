/* Device rules compiled to eBPF (BPF_PROG_TYPE_CGROUP_DEVICE). Pure. */
#ifndef KNARR_CGROUPS_DEVICE_BPF_H
#define KNARR_CGROUPS_DEVICE_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bits of `access` are the kernel's BPF_DEVCG_ACC_MKNOD, _READ, _WRITE. */
#define DEVICE_ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define DEVICE_ANY	  (-1)

struct device_rule {
	bool allow;
	char type;	      /* 'c', 'b' or 'a' for both */
	int64_t major, minor; /* DEVICE_ANY: all */
	unsigned access;
};

/* Instructions that n rules need at most. */
#define DEVICE_BPF_ROOM(n) (8 + 7 * (n))

/* Compiles n rules into insns, which has DEVICE_BPF_ROOM(n) elements; returns
 * how many were used. Each access bit follows the last rule that names it and
 * matches the device, and is denied without one; a request is allowed when all
 * of its bits are. */
size_t device_bpf_compile(const struct device_rule *rules, size_t n, struct bpf_insn *insns);

/* True when the rules allow everything. */
bool device_bpf_allows_all(const struct device_rule *rules, size_t n);

#endif
