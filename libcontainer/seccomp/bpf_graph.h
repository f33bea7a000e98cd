/* A decision over the data of a system call, as a graph of tests that becomes a classic
 * BPF program. Nodes are numbers. */
#ifndef KNARR_LIBCONTAINER_SECCOMP_BPF_GRAPH_H
#define KNARR_LIBCONTAINER_SECCOMP_BPF_GRAPH_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef uint32_t bpf_node;

/* Asks whether the word at offset `word` of struct seccomp_data, and-ed with mask, is equal to
 * (BPF_JEQ), above (BPF_JGT), or at least (BPF_JGE) k, or has one of its bits (BPF_JSET). */
struct bpf_question {
	uint8_t word;
	uint8_t code;
	uint32_t mask, k;
};
#define BPF_WHOLE_WORD UINT32_MAX

struct bpf_graph_node {
	struct bpf_question question; /* code BPF_RET: returns k */
	bpf_node yes, no;
};

struct bpf_graph {
	struct arena *arena;
	struct bpf_graph_node *nodes;
	size_t n, cap;
	uint32_t *places; /* hash table: nodes + 1 */
	size_t n_places;
	bool full; /* more nodes than any program could hold: the graph is worth nothing */
};

/* Numbers from `first` on (to the next range) come to `node`. */
struct bpf_range {
	uint32_t first;
	bpf_node node;
};

/* The end of a decision. */
bpf_node bpf_graph_return(struct bpf_graph *graph, uint32_t value);

/* A question, and where the answers lead. Equal nodes are one; questions with one outcome, or
 * whose answer is known, are left out. */
bpf_node bpf_graph_ask(struct bpf_graph *graph, struct bpf_question question, bpf_node yes, bpf_node no);

/* Finds the range of the n (in order, the first begins at 0) that a word is in. */
bpf_node bpf_graph_search(struct bpf_graph *graph, uint8_t word, const struct bpf_range *ranges, size_t n);

/* The program that begins at root: the number of its instructions, in the arena. 0: it
 * would have more than BPF_MAXINSNS. */
size_t bpf_graph_emit(struct bpf_graph *graph, bpf_node root, struct sock_filter **ret_program);

#endif
