/* Only what libseccomp and knarr write: loads of the
 * call's data, comparisons with constants, AND, returns. */
#include "tests/unit/bpf_run.h"

#include <string.h>

static uint32_t
jump(const struct sock_filter *insn, uint32_t a)
{
	bool taken = false;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->k;
	case BPF_JEQ:
		taken = a == insn->k;
		break;
	case BPF_JGT:
		taken = a > insn->k;
		break;
	case BPF_JGE:
		taken = a >= insn->k;
		break;
	case BPF_JSET:
		taken = a & insn->k;
		break;
	}
	return taken ? insn->jt : insn->jf;
}

bool
bpf_run(const struct sock_filter *prog, size_t n, const struct seccomp_data *data, uint32_t *ret_value)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *insn = &prog[pc];

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (insn->k > sizeof(*data) - sizeof(a) || insn->k % sizeof(a))
				return false;
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			break;
		case BPF_JMP | BPF_JA:
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += jump(insn, a);
			break;
		case BPF_RET | BPF_K:
			*ret_value = insn->k;
			return true;
		default:
			return false;
		}
	}
	return false;
}
