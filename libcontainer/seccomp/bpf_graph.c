/* Theory of operation: a graph without cycles, built from its ends. A node is made once:
 * a second one with the same question and the same outcomes is the first (a hash table
 * finds it), so what several calls or architectures have in common is there once.
 *
 * An argument has 64 bits and BPF asks for 32. That makes many questions for the same
 * upper half; so where an answer settles a question that comes soon after, the way goes
 * past it (know_is, know_not). How far ahead is limited: it is a matter of size, never of
 * the decision. */
#include "libcontainer/seccomp/bpf_graph.h"

#include <linux/seccomp.h>
#include <string.h>

#define MAX_NODES      65536
#define FIRST_SIZE     512 /* nodes; a power of two */
#define LOOK_AHEAD     2   /* questions about the same argument */
#define MAX_CHAIN      11  /* ranges that are told apart one after the other */
#define ARG_SIZE       8
#define FIRST_ARG      offsetof(struct seccomp_data, args)
#define SAME_ARG(a, b) ((a) >= FIRST_ARG && (a) / ARG_SIZE == (b) / ARG_SIZE)

static bool
answer(const struct bpf_question *question, uint32_t word)
{
	uint32_t a = word & question->mask;

	switch (question->code) {
	case BPF_JEQ:
		return a == question->k;
	case BPF_JGT:
		return a > question->k;
	case BPF_JGE:
		return a >= question->k;
	default:
		return a & question->k;
	}
}

static size_t
hash_node(const struct bpf_graph_node *node)
{
	uint64_t h = (uint64_t)node->question.k << 32 | node->question.mask;

	h = (h ^ node->question.word ^ node->question.code << 8) * 0x9e3779b97f4a7c15ULL;
	h ^= h >> 29;
	h = (h ^ ((uint64_t)node->yes << 32 | node->no)) * 0xbf58476d1ce4e5b9ULL;
	return h >> 32;
}

static bool
same_node(const struct bpf_graph_node *left, const struct bpf_graph_node *right)
{
	return left->question.word == right->question.word && left->question.code == right->question.code &&
	       left->question.mask == right->question.mask && left->question.k == right->question.k &&
	       left->yes == right->yes && left->no == right->no;
}

/* The place of the node, or the free one where it belongs. */
static uint32_t *
find_place(const struct bpf_graph *graph, const struct bpf_graph_node *node)
{
	size_t i = hash_node(node) & (graph->n_places - 1);

	while (graph->places[i] && !same_node(&graph->nodes[graph->places[i] - 1], node))
		i = (i + 1) & (graph->n_places - 1);
	return &graph->places[i];
}

static void
make_room(struct bpf_graph *graph)
{
	size_t cap = graph->cap ? 2 * graph->cap : FIRST_SIZE;

	graph->nodes =
		arena_grow(graph->arena, graph->nodes, graph->cap * sizeof(*graph->nodes), cap * sizeof(*graph->nodes));
	graph->cap = cap;
	graph->n_places = 2 * cap;
	graph->places = arena_array(graph->arena, graph->n_places, sizeof(*graph->places));
	for (size_t i = 0; i < graph->n; i++)
		*find_place(graph, &graph->nodes[i]) = (uint32_t)i + 1;
}

static bpf_node
add_node(struct bpf_graph *graph, const struct bpf_graph_node *node)
{
	uint32_t *place;

	if (graph->n == graph->cap)
		make_room(graph);
	place = find_place(graph, node);
	if (!*place) {
		if (graph->n == MAX_NODES) {
			graph->full = true;
			return 0;
		}
		graph->nodes[graph->n++] = *node;
		*place = (uint32_t)graph->n;
	}
	return *place - 1;
}

bpf_node
bpf_graph_return(struct bpf_graph *graph, uint32_t value)
{
	struct bpf_graph_node n = { .question = { .code = BPF_RET, .k = value } };

	return add_node(graph, &n);
}

/* Where `node` leads when the word is known to be `value`. */
static bpf_node
know_is(struct bpf_graph *graph, bpf_node node, uint8_t word, uint32_t value, unsigned ahead)
{
	struct bpf_graph_node n;
	bpf_node yes, no;

	for (;;) {
		n = graph->nodes[node];
		if (n.question.code == BPF_RET)
			return node;
		if (n.question.word != word)
			break;
		node = answer(&n.question, value) ? n.yes : n.no;
	}
	if (!ahead || !SAME_ARG(n.question.word, word))
		return node;
	yes = know_is(graph, n.yes, word, value, ahead - 1);
	no = know_is(graph, n.no, word, value, ahead - 1);
	return yes == n.yes && no == n.no ? node : bpf_graph_ask(graph, n.question, yes, no);
}

/* Where `node` leads when this question for equality was answered with no. */
static bpf_node
know_not(const struct bpf_graph *graph, bpf_node node, const struct bpf_question *question)
{
	const struct bpf_graph_node *n = &graph->nodes[node];

	while (n->question.code == BPF_JEQ && n->question.word == question->word &&
	       n->question.mask == question->mask && n->question.k == question->k) {
		node = n->no;
		n = &graph->nodes[node];
	}
	return node;
}

/* For bits, jset does with less: it needs no AND, which spoils the word for the next one. */
static bool
prefer_jset(struct bpf_question *question, bpf_node *yes, bpf_node *no)
{
	bool is_bit = (question->mask & (question->mask - 1)) == 0 && question->k == question->mask;
	bpf_node other = *yes;

	if (question->code != BPF_JEQ || question->mask == BPF_WHOLE_WORD || (question->k && !is_bit))
		return false;
	if (!question->k) {
		*yes = *no;
		*no = other;
	}
	*question = (struct bpf_question){ question->word, BPF_JSET, BPF_WHOLE_WORD, question->mask };
	return true;
}

bpf_node
bpf_graph_ask(struct bpf_graph *graph, struct bpf_question question, bpf_node yes, bpf_node no)
{
	struct bpf_graph_node n;

	if (graph->full)
		return 0;
	if (yes == no)
		return yes;
	if (question.mask == 0)
		return answer(&question, 0) ? yes : no;
	if ((question.code == BPF_JGT && question.k == UINT32_MAX) ||
	    (question.code == BPF_JEQ && (question.k & ~question.mask)))
		return no;
	if (question.code == BPF_JGE && question.k == 0)
		return yes;
	if (!prefer_jset(&question, &yes, &no) && question.code == BPF_JEQ) {
		if (question.mask == BPF_WHOLE_WORD)
			yes = know_is(graph, yes, question.word, question.k, LOOK_AHEAD);
		no = know_not(graph, no, &question);
	} else if (question.code == BPF_JGT && question.k == 0 && question.mask == BPF_WHOLE_WORD) {
		no = know_is(graph, no, question.word, 0, LOOK_AHEAD);
	}
	if (yes == no)
		return yes;
	n = (struct bpf_graph_node){ question, yes, no };
	return add_node(graph, &n);
}

/* A single number between two ranges with one outcome costs one question for
 * equality instead of two for order. Gives the index of the first of such three ranges, or n. */
static size_t
find_single(const struct bpf_range *range, size_t n)
{
	for (size_t i = 0; i + 2 < n; i++)
		if (range[i + 2].first == range[i + 1].first + 1 && range[i].node == range[i + 2].node)
			return i;
	return n;
}

static bpf_node
search_single(struct bpf_graph *graph, uint8_t word, const struct bpf_range *range, size_t n, size_t at)
{
	struct bpf_question q = { word, BPF_JEQ, BPF_WHOLE_WORD, range[at + 1].first };
	struct bpf_range others[MAX_CHAIN];

	memcpy(others, range, (at + 1) * sizeof(*range));
	memcpy(others + at + 1, range + at + 3, (n - at - 3) * sizeof(*range));
	return bpf_graph_ask(graph, q, range[at + 1].node, bpf_graph_search(graph, word, others, n - 2));
}

bpf_node
bpf_graph_search(struct bpf_graph *graph, uint8_t word, const struct bpf_range *range, size_t n)
{
	struct bpf_question q = { word, BPF_JGE, BPF_WHOLE_WORD, range[n / 2].first };
	size_t single;

	if (n == 1)
		return range[0].node;
	/* Only near the ends: a chain of questions takes its time in order. */
	single = n <= MAX_CHAIN ? find_single(range, n) : n;
	if (single < n)
		return search_single(graph, word, range, n, single);
	return bpf_graph_ask(graph, q, bpf_graph_search(graph, word, range + n / 2, n - n / 2),
			     bpf_graph_search(graph, word, range, n / 2));
}
