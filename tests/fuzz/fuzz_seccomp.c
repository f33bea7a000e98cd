/* Fuzzes the generator of seccomp programs: bytes -> profile -> program, which is compared with
 * libseccomp's and with a plain reading of the rules (tests/unit/seccomp_model.h). See README.md. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "tests/unit/seccomp_model.h"

#define MAX_RULES   40
#define MAX_ARGS    4
#define MAX_SIZE    2048
#define MAX_VECTORS 20

struct bytes {
	const uint8_t *p, *end;
};

static uint8_t
take(struct bytes *b)
{
	return b->p < b->end ? *b->p++ : 0;
}

/* One byte for a small number or a boundary, eight more for any. */
static uint64_t
take_value(struct bytes *b)
{
	static const uint64_t edges[] = { UINT32_MAX, 1ULL << 32, UINT64_MAX, 0x80000000, 1ULL << 63, 0x7e020000 };
	uint8_t kind = take(b);
	uint64_t v = 0;

	if (kind < 200)
		return (uint64_t)(kind / 16 % 4) << 32 | kind % 16;
	if (kind < 250)
		return edges[kind % (sizeof(edges) / sizeof(edges[0]))] + kind / 10 % 3 - 1;
	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | take(b);
	return v;
}

static char *
take_name(struct bytes *b)
{
	static const char *const names[] = { "read",   "write",	      "socket",	    "socketcall", "ipc",
					     "semget", "accept4",     "clone",	    "ioctl",	  "set_tls",
					     "send",   "openat2",     "semtimedop", "mmap",	  "restart_syscall",
					     "getpid", "personality", "close" };

	return (char *)names[take(b) % (sizeof(names) / sizeof(names[0]))];
}

static struct opt_u32
take_errno(struct bytes *b, enum spec_seccomp_action action)
{
	uint8_t v = take(b);

	return (struct opt_u32){ seccomp_actions[action].max_data && v % 4, v % 3 ? 38 : v };
}

static void
take_rule(struct bytes *b, struct arena *a, struct spec_seccomp_rule *rule)
{
	uint8_t shape = take(b);

	rule->action = take(b) % SPEC_ACT_COUNT;
	rule->errno_ret = take_errno(b, rule->action);
	rule->names.n = shape / 8 % 3 + 1;
	rule->names.items = arena_array(a, rule->names.n, sizeof(char *));
	for (size_t i = 0; i < rule->names.n; i++)
		rule->names.items[i] = take_name(b);
	rule->n_args = shape % 8 < MAX_ARGS ? shape % 8 : 1;
	rule->args = arena_array(a, MAX_ARGS, sizeof(*rule->args));
	for (size_t i = 0; i < rule->n_args; i++) {
		uint8_t what = take(b);

		rule->args[i].index = what / 8 % 6;
		rule->args[i].op = what % 8 < 7 ? what % 8 : SPEC_OP_EQ;
		rule->args[i].value = take_value(b);
		rule->args[i].value_two = take_value(b);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *const arches[] = { (char *)"SCMP_ARCH_X86_64", (char *)"SCMP_ARCH_X86", (char *)"SCMP_ARCH_X32",
					(char *)"SCMP_ARCH_AARCH64", (char *)"SCMP_ARCH_ARM" };
	char *listed[sizeof(arches) / sizeof(arches[0])];
	struct bytes b = { data, data + size };
	auto_arena struct arena a = { 0 };
	struct spec_seccomp s = { .architectures.items = listed };
	uint8_t which = take(&b);
	uint32_t seed = (uint32_t)size;

	if (size > MAX_SIZE)
		return 0;
	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
		if (which & 1u << i)
			listed[s.architectures.n++] = arches[i];
	s.default_action = take(&b) % SPEC_ACT_COUNT;
	s.default_errno_ret = take_errno(&b, s.default_action);
	s.syscalls = arena_array(&a, MAX_RULES, sizeof(*s.syscalls));
	while (b.p < b.end && s.n_syscalls < MAX_RULES)
		take_rule(&b, &a, &s.syscalls[s.n_syscalls++]);
	for (size_t i = 0; i < size; i++)
		seed = seed * 31 + data[i];
	if (!s.n_syscalls)
		return 0;
	if (!seccomp_model_check(&s, seed, MAX_VECTORS, SECCOMP_MODEL_NAMED)) {
		fflush(stdout);
		abort();
	}
	return 0;
}

FUZZ_MAIN("seccomp", MAX_SIZE)
