/* Theory of operation: instructions are written from the last to the first, since jumps only go
 * forward: what a question leads to is there when the question is written. An index into
 * this reversed program is a label.
 *
 * A question is up to three instructions: load the word, AND it with the mask, jump. Who
 * comes from another question about the same word has it in the accumulator already, and jumps past
 * the load; a load that nobody needs is not written.
 *
 * A conditional jump reaches over 255 instructions. Further away, a return is written again,
 * and anything else is reached through a jump that has no such limit. */
#include <linux/seccomp.h>
#include <string.h>

#include "libcontainer/seccomp/bpf_graph.h"

#define MAX_JUMP 255

/* What is known about a node that is part of the program. */
struct use {
	bool reached, needs_load, needs_and;
	uint32_t label; /* + 1; of the jump, or the return */
};

struct emitter {
	const struct bpf_graph_node *nodes;
	struct use *uses;
	struct sock_filter *out; /* out[0] is the last instruction */
	size_t n;
	size_t most; /* instructions that it can become */
};

static bool
is_return(const struct bpf_graph_node *node)
{
	return node->question.code == BPF_RET;
}

static bool
is_masked(const struct bpf_graph_node *node)
{
	return node->question.mask != BPF_WHOLE_WORD;
}

/* From one question to the next: how much of the second has been done by the first. */
static bool
has_word(const struct bpf_graph_node *from, const struct bpf_graph_node *to)
{
	return from->question.word == to->question.word &&
	       (!is_masked(from) || from->question.mask == to->question.mask);
}

static bool
has_masked_word(const struct bpf_graph_node *from, const struct bpf_graph_node *to)
{
	return has_word(from, to) && from->question.mask == to->question.mask;
}

static size_t
write_one(struct emitter *emitter, uint16_t code, size_t yes, size_t no, uint32_t value)
{
	emitter->out[emitter->n] = (struct sock_filter){ code, (uint8_t)yes, (uint8_t)no, value };
	return emitter->n++;
}

/* One more jump may come in between: the one to the other outcome. */
static bool
in_reach(const struct emitter *emitter, size_t label)
{
	return emitter->n + 1 - label <= MAX_JUMP;
}

static size_t
write_return(struct emitter *emitter, bpf_node node)
{
	struct use *use = &emitter->uses[node];

	if (!use->label || !in_reach(emitter, use->label - 1))
		use->label = (uint32_t)write_one(emitter, BPF_RET | BPF_K, 0, 0, emitter->nodes[node].question.k) + 1;
	return use->label - 1;
}

/* A label, within reach of the next instruction or the one after it, where `from` can go on
 * to `to`, which is written. */
static size_t
enter(struct emitter *emitter, const struct bpf_graph_node *from, bpf_node to)
{
	const struct bpf_graph_node *n = &emitter->nodes[to];
	size_t label;

	if (is_return(n))
		return write_return(emitter, to);
	label = emitter->uses[to].label - 1;
	if (!has_masked_word(from, n))
		label += (is_masked(n) ? 1 : 0) + (has_word(from, n) ? 0 : 1);
	if (in_reach(emitter, label))
		return label;
	return write_one(emitter, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(emitter->n - label - 1));
}

static void
write_node(struct emitter *emitter, bpf_node node)
{
	const struct bpf_graph_node *n = &emitter->nodes[node];
	struct use *use = &emitter->uses[node];
	size_t yes, no;

	if (is_return(n) || use->label)
		return; /* a return is written where it is wanted */
	write_node(emitter, n->no);
	write_node(emitter, n->yes);
	yes = enter(emitter, n, n->yes);
	no = enter(emitter, n, n->no);
	use->label = (uint32_t)write_one(emitter, BPF_JMP | n->question.code | BPF_K, emitter->n - yes - 1,
					 emitter->n - no - 1, n->question.k) +
		     1;
	if (use->needs_and)
		write_one(emitter, BPF_ALU | BPF_AND | BPF_K, 0, 0, n->question.mask);
	if (use->needs_load)
		write_one(emitter, BPF_LD | BPF_W | BPF_ABS, 0, 0, n->question.word);
}

static void
reach(struct emitter *emitter, const struct bpf_graph_node *from, bpf_node to)
{
	const struct bpf_graph_node *n = &emitter->nodes[to];
	struct use *use = &emitter->uses[to];

	use->reached = true;
	if (is_return(n))
		return;
	use->needs_load |= !has_word(from, n);
	use->needs_and |= is_masked(n) && !has_masked_word(from, n);
}

/* Nodes are made after those that they lead to, so that from the root down each
 * one is seen after all that lead to it. Gives their number. */
static size_t
find_uses(struct emitter *emitter, bpf_node root)
{
	const struct bpf_graph_node start = { .question = { .word = UINT8_MAX, .mask = BPF_WHOLE_WORD } };
	size_t n = 0;

	reach(emitter, &start, root);
	for (bpf_node i = root + 1; i-- > 0;) {
		if (!emitter->uses[i].reached)
			continue;
		n++;
		if (is_return(&emitter->nodes[i]))
			continue;
		/* The jump, and two to reach what is far away. */
		emitter->most += 3 + emitter->uses[i].needs_load + emitter->uses[i].needs_and;
		reach(emitter, &emitter->nodes[i], emitter->nodes[i].yes);
		reach(emitter, &emitter->nodes[i], emitter->nodes[i].no);
	}
	return n;
}

size_t
bpf_graph_emit(struct bpf_graph *graph, bpf_node root, struct sock_filter **ret_program)
{
	struct emitter e = { .nodes = graph->nodes };
	size_t n;

	if (graph->full)
		return 0;
	e.uses = arena_array(graph->arena, (size_t)root + 1, sizeof(*e.uses));
	n = find_uses(&e, root);
	/* Each is one instruction at least, and a step of the recursion. */
	if (n > BPF_MAXINSNS)
		return 0;
	e.out = arena_array(graph->arena, e.most + 1, sizeof(*e.out));
	if (is_return(&e.nodes[root]))
		write_return(&e, root);
	else
		write_node(&e, root);
	if (e.n > BPF_MAXINSNS)
		return 0;
	for (size_t i = 0; i < e.n / 2; i++) {
		struct sock_filter swapped = e.out[i];

		e.out[i] = e.out[e.n - 1 - i];
		e.out[e.n - 1 - i] = swapped;
	}
	*ret_program = e.out;
	return e.n;
}
