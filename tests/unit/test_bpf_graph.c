/* Random decisions: a graph, the program made of it, and a plain list of the same questions must
 * answer alike. Small numbers and few words, so that questions meet, answer each other, and
 * collide in the graph's hash table. */
#include "libcontainer/seccomp/bpf_graph.h"

#include <linux/seccomp.h>
#include <string.h>

#include "tests/unit/bpf_run.h"
#include "tests/unit/check.h"

#define N_NODES	 700 /* of five instructions at most, all of which fit into a program */
#define N_VALUES (sizeof(values) / sizeof(values[0]))
#define N_WORDS	 (sizeof(words) / sizeof(words[0]))

static const uint32_t values[] = {
	0, 1, 2, 3, 4, 0x10, 0x12, 0xf0, 0x80000000, 0xffff0000, UINT32_MAX - 1, UINT32_MAX
};
static const uint8_t words[] = { 0, 4, 16, 20, 24, 28, 56, 60 };

/* A question as it was asked; code BPF_RET: returns k. */
struct plain {
	struct bpf_question question;
	size_t yes, no; /* earlier ones */
	bpf_node node;
};

static uint32_t seed = 20261129;

static uint32_t
any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static uint32_t
word_of(const struct seccomp_data *d, uint8_t word)
{
	uint32_t w;

	memcpy(&w, (const char *)d + word, sizeof(w));
	return w;
}

static bool
holds(const struct bpf_question *q, const struct seccomp_data *d)
{
	uint32_t w = word_of(d, q->word) & q->mask;

	return q->code == BPF_JEQ   ? w == q->k
	       : q->code == BPF_JGT ? w > q->k
	       : q->code == BPF_JGE ? w >= q->k
				    : (w & q->k) != 0;
}

static uint32_t
ask_plain(const struct plain *list, size_t i, const struct seccomp_data *d)
{
	while (list[i].question.code != BPF_RET)
		i = holds(&list[i].question, d) ? list[i].yes : list[i].no;
	return list[i].question.k;
}

static uint32_t
ask_graph(const struct bpf_graph *g, bpf_node node, const struct seccomp_data *d)
{
	while (g->nodes[node].question.code != BPF_RET)
		node = holds(&g->nodes[node].question, d) ? g->nodes[node].yes : g->nodes[node].no;
	return g->nodes[node].question.k;
}

static void
any_data(struct seccomp_data *d)
{
	for (size_t i = 0; i < N_WORDS; i++) {
		uint32_t w = values[any(N_VALUES)] + (any(8) ? 0 : any(3) - 1);

		memcpy((char *)d + words[i], &w, sizeof(w));
	}
}

/* Mostly about one of the last ones, so that it goes deep; now and then far back. */
static size_t
any_before(size_t i, size_t reach)
{
	return any(4) && i > reach ? i - 1 - any((uint32_t)reach) : any((uint32_t)i);
}

static void
any_question(struct bpf_graph *g, struct plain *list, size_t i, size_t n_words, size_t reach)
{
	static const uint8_t codes[] = { BPF_JEQ, BPF_JEQ, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	struct plain *p = &list[i];

	if (i < 2 || any(20) == 0) {
		*p = (struct plain){ .question = { .code = BPF_RET, .k = i < 2 ? (uint32_t)i : any(6) } };
		p->node = bpf_graph_return(g, p->question.k);
		return;
	}
	p->question = (struct bpf_question){ .word = words[any((uint32_t)n_words)],
					     .code = codes[any(sizeof(codes))],
					     .mask = any(3) ? BPF_WHOLE_WORD : values[any(N_VALUES)],
					     .k = values[any(N_VALUES)] };
	p->yes = any_before(i, reach);
	p->no = any_before(i, reach);
	p->node = bpf_graph_ask(g, p->question, list[p->yes].node, list[p->no].node);
}

static void
compare(struct bpf_graph *g, const struct plain *list, size_t i)
{
	struct sock_filter *program;
	size_t n = bpf_graph_emit(g, list[i].node, &program);

	NEED(n > 0);
	for (unsigned k = 0; k < 200 && !failed; k++) {
		struct seccomp_data d = { 0 };
		uint32_t want, got = UINT32_MAX;

		any_data(&d);
		want = ask_plain(list, i, &d);
		CHECK(ask_graph(g, list[i].node, &d) == want, "node %zu", i);
		CHECK(bpf_run(program, n, &d, &got) && got == want, "node %zu: %u, not %u", i, got, want);
	}
}

static void
test_random(void)
{
	static struct plain list[N_NODES];

	for (unsigned round = 0; round < 150 && !failed; round++) {
		auto_arena struct arena a = { 0 };
		struct bpf_graph g = { .arena = &a };
		size_t n = any(4) ? any(N_NODES - 10) + 10 : N_NODES, n_words = any(N_WORDS) + 1;
		size_t reach = any(3) ? any(20) + 2 : 400;

		for (size_t i = 0; i < n; i++)
			any_question(&g, list, i, n_words, reach);
		for (size_t i = n > 20 ? n - 20 : 0; i < n && !failed; i++)
			compare(&g, list, i);
		CHECK(!failed, "round %u", round);
	}
}

/* Nodes that differ in one thing, in many small graphs, so that some meet in the hash table; the same
 * ones again are the same. */
static void
check_identity(unsigned differ)
{
	enum { N = 400, N_ENDS = 200 };
	auto_arena struct arena a = { 0 };
	struct bpf_graph g = { .arena = &a };
	struct bpf_graph_node asked[N];
	bpf_node nodes[N], ends[N_ENDS];
	size_t n;

	for (uint32_t i = 0; i < N_ENDS; i++)
		ends[i] = bpf_graph_return(&g, i);
	for (size_t i = 0; i < N; i++) {
		bool other = i % 2;
		uint32_t k = other ? asked[i - 1].question.k : any(100000) + 1;

		asked[i] = (struct bpf_graph_node){
			{ other && differ == 0 ? 4 : 16, other && differ == 1 ? BPF_JGT : BPF_JGE,
			  other && differ == 2 ? UINT32_MAX : UINT32_MAX - 1, other && differ == 3 ? k + 200000 : k },
			ends[other && differ == 4 ? any(N_ENDS / 2 - 1) + 1 : 0],
			ends[other && differ == 5 ? N_ENDS - 1 - any(N_ENDS / 2 - 1) : N_ENDS / 2]
		};
		nodes[i] = bpf_graph_ask(&g, asked[i].question, asked[i].yes, asked[i].no);
	}
	n = g.n;
	for (size_t i = 0; i < N && !failed; i++) {
		const struct bpf_graph_node *is = &g.nodes[nodes[i]], *q = &asked[i];

		CHECK(is->question.word == q->question.word && is->question.code == q->question.code &&
			      is->question.mask == q->question.mask && is->question.k == q->question.k &&
			      is->yes == q->yes && is->no == q->no,
		      "node %zu, thing %u", i, differ);
		CHECK(bpf_graph_ask(&g, q->question, q->yes, q->no) == nodes[i], "again %zu", i);
	}
	CHECK(g.n == n, "%zu nodes, were %zu", g.n, n);
}

static void
test_identity(void)
{
	for (unsigned round = 0; round < 1200 && !failed; round++)
		check_identity(round % 6);
}

/* Ranges of numbers against a look from the last to the first. */
static void
test_search(void)
{
	for (unsigned round = 0; round < 400 && !failed; round++) {
		auto_arena struct arena a = { 0 };
		struct bpf_graph g = { .arena = &a };
		struct bpf_range ranges[60] = { { 0, bpf_graph_return(&g, any(4)) } };
		size_t n = 1, most = any(60) + 1, len;
		struct sock_filter *program;

		for (; n < most; n++)
			ranges[n] = (struct bpf_range){ ranges[n - 1].first + 1 + (any(2) ? 0 : any(3)),
							bpf_graph_return(&g, any(4)) };
		len = bpf_graph_emit(&g, bpf_graph_search(&g, 0, ranges, n), &program);
		for (uint32_t nr = 0; nr < ranges[n - 1].first + 3; nr++) {
			struct seccomp_data d = { .nr = (int)nr };
			size_t i = n - 1;
			uint32_t got = UINT32_MAX;

			while (ranges[i].first > nr)
				i--;
			CHECK(bpf_run(program, len, &d, &got) && got == g.nodes[ranges[i].node].question.k,
			      "round %u, number %u: %u", round, nr, got);
		}
	}
}

/* A list of n questions about the number, the last of which is asked first. */
static size_t
emit_chain(struct arena *a, uint32_t n, struct sock_filter **ret_program)
{
	struct bpf_graph g = { .arena = a };
	bpf_node node = bpf_graph_return(&g, UINT32_MAX);

	for (uint32_t i = 0; i < n; i++) {
		struct bpf_question q = { 0, BPF_JEQ, BPF_WHOLE_WORD, i };

		node = bpf_graph_ask(&g, q, bpf_graph_return(&g, i % 500), node);
	}
	return bpf_graph_emit(&g, node, ret_program);
}

static void
test_limits(void)
{
	auto_arena struct arena a = { 0 };
	struct sock_filter *program;
	uint32_t most = 0, got;
	size_t n = 0;

	for (uint32_t i = 1500; i < 4100; i += 13) {
		n = emit_chain(&a, i, &program);
		CHECK(n <= BPF_MAXINSNS && (n > 0 || most), "%u: %zu", i, n);
		if (n > 0)
			most = i;
	}
	CHECK(n == 0, "%zu", n);
	n = emit_chain(&a, most, &program);
	for (uint32_t i = 0; i < most; i++)
		CHECK(bpf_run(program, n, &(struct seccomp_data){ .nr = (int)i }, &got) && got == i % 500, "%u", i);
	CHECK(emit_chain(&a, 70000, &program) == 0, "more nodes than a graph has");
}

int
main(void)
{
	test_random();
	test_identity();
	test_search();
	test_limits();
	return failed;
}
