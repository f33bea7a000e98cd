/* Runs a seccomp program outside of the kernel. */
#ifndef KNARR_TESTS_UNIT_BPF_RUN_H
#define KNARR_TESTS_UNIT_BPF_RUN_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Result of the n instructions of prog for one system call, as the kernel
 * computes it (seccomp(2)). False when the program does what is not allowed:
 * an unknown instruction, a jump out of it, no return. */
bool bpf_run(const struct sock_filter *prog, size_t n, const struct seccomp_data *data, uint32_t *ret_value);

#endif
