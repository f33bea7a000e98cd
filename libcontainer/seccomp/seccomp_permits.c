/* An interpreter for the few instructions that bpf_emit.c writes. A program that looks at
 * something that is not known here has not answered yes. */
#include "libcontainer/seccomp/seccomp_permits.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

/* The word at that offset of struct seccomp_data; false: it is not known. */
static bool
load(const struct seccomp_known_call *call, uint32_t offset, uint32_t *ret_word)
{
	struct seccomp_data data = { .nr = call->number, .arch = seccomp_arch_native() };
	const uint32_t first = offsetof(struct seccomp_data, args);

	if (offset > sizeof(data) - sizeof(*ret_word) ||
	    (offset >= offsetof(struct seccomp_data, instruction_pointer) && offset < first))
		return false;
	if (offset >= first && !(call->known & 1u << (offset - first) / sizeof(data.args[0])))
		return false;
	memcpy(data.args, call->args, sizeof(data.args));
	memcpy(ret_word, (const char *)&data + offset, sizeof(*ret_word));
	return true;
}

static bool
compare(uint16_t code, uint32_t word, uint32_t value)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return word == value;
	case BPF_JGT:
		return word > value;
	case BPF_JGE:
		return word >= value;
	default: /* BPF_JSET */
		return (word & value) != 0;
	}
}

static bool
is_pass(uint32_t answer)
{
	uint32_t action = answer & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

bool
seccomp_permits(const struct sock_filter *program, size_t n, const struct seccomp_known_call *call)
{
	uint32_t word = 0;

	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *at = &program[i];

		if (BPF_CLASS(at->code) == BPF_RET)
			return is_pass(at->k);
		if (BPF_CLASS(at->code) == BPF_LD && !load(call, at->k, &word))
			return false;
		if (BPF_CLASS(at->code) == BPF_ALU)
			word &= at->k;
		if (BPF_CLASS(at->code) == BPF_JMP)
			i += BPF_OP(at->code) == BPF_JA ? at->k : compare(at->code, word, at->k) ? at->jt : at->jf;
	}
	return false;
}
