/* Runs a seccomp program on the runtime's side: to check a rewritten program
 * against the one it came from, and in tests. */
#ifndef KNARR_LIBCONTAINER_BPF_RUN_H
#define KNARR_LIBCONTAINER_BPF_RUN_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Result of the n instructions of prog for one system call, as the kernel
 * computes it (seccomp(2)). False when the program does what is not allowed:
 * an unknown instruction, a jump out of it, no return. */
bool bpf_run(const struct sock_filter *prog, size_t n, const struct seccomp_data *data, uint32_t *ret_value);

/* One jump: what `insn` (class BPF_JMP) does with accumulator a; the number of
 * instructions to skip. */
uint32_t bpf_jump(const struct sock_filter *insn, uint32_t a);

#endif
