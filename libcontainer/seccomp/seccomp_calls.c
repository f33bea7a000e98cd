/* Theory of operation: a profile names some 430 calls for three architectures. To ask
 * libseccomp for each took a fifth of a millisecond, which is half of what there is for
 * the whole program, and no release of it knows the calls of later kernels: a rule that denies
 * one of them would be lost. So knarr has a table of its own, with one row for all
 * architectures. What is not in it may still be known to a libseccomp that is newer. */
#include "libcontainer/seccomp/seccomp_calls.h"

#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "libcontainer/seccomp/seccomp_tables.h"

#define X32_BIT 0x40000000U

/* Calls that arm has apart from the others. They are stored as numbers below NONE. */
#define ARM_PRIVATE 0x0f0000
#define NONE	    -1

enum column {
	X86_64,
	X86,
	X32,
	AARCH64,
	ARM,
	RISCV64,
	LOONGARCH64,
	PPC,
	PPC64,
	S390,
	S390X,
	MIPS,
	MIPS64,
	MIPS64N32,
	PARISC,
	PARISC64,
	M68K,
	SH,
	COLUMNS
};

struct seccomp_call_row {
	char name[30]; /* no pointer: nothing to relocate when the program starts */
	uint8_t socket, ipc;
	int16_t numbers[COLUMNS];
};

/* clang-format off */
#define _		     NONE
#define ARM(n)		     (NONE - 1 - (n))
#define CALL(name, ...)	     { name, 0, 0, { __VA_ARGS__ } },
#define SOCKET(name, n, ...) { name, n, 0, { __VA_ARGS__ } },
#define IPC(name, n, ...)    { name, 0, n, { __VA_ARGS__ } },
static const struct seccomp_call_row rows[] = {
#include "libcontainer/seccomp/seccomp_calls.inc"
};
#undef _
#undef ARM
/* clang-format on */
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

#define WIDE	    true
#define NARROW	    false
#define MULTIPLEXES true
static const struct seccomp_arch arches[] = {
	{ "SCMP_ARCH_X86_64", 0, X86_64, WIDE, false },
	{ "SCMP_ARCH_X86", 0, X86, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_X32", X32_BIT, X32, NARROW, false },
	{ "SCMP_ARCH_AARCH64", 0, AARCH64, WIDE, false },
	{ "SCMP_ARCH_ARM", 0, ARM, NARROW, false },
	{ "SCMP_ARCH_RISCV64", 0, RISCV64, WIDE, false },
	{ "SCMP_ARCH_LOONGARCH64", 0, LOONGARCH64, WIDE, false },
	{ "SCMP_ARCH_PPC", 0, PPC, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_PPC64", 0, PPC64, WIDE, MULTIPLEXES },
	{ "SCMP_ARCH_PPC64LE", 0, PPC64, WIDE, MULTIPLEXES },
	{ "SCMP_ARCH_S390", 0, S390, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_S390X", 0, S390X, WIDE, MULTIPLEXES },
	{ "SCMP_ARCH_MIPS", 4000, MIPS, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_MIPSEL", 4000, MIPS, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_MIPS64", 5000, MIPS64, WIDE, false },
	{ "SCMP_ARCH_MIPSEL64", 5000, MIPS64, WIDE, false },
	{ "SCMP_ARCH_MIPS64N32", 6000, MIPS64N32, NARROW, false },
	{ "SCMP_ARCH_MIPSEL64N32", 6000, MIPS64N32, NARROW, false },
	{ "SCMP_ARCH_PARISC", 0, PARISC, NARROW, false },
	{ "SCMP_ARCH_PARISC64", 0, PARISC64, WIDE, false },
	{ "SCMP_ARCH_M68K", 0, M68K, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_SH", 0, SH, NARROW, MULTIPLEXES },
	{ "SCMP_ARCH_SHEB", 0, SH, NARROW, MULTIPLEXES },
};

/* The same numbers wherever they exist. */
#define NR_SOCKETCALL 102
#define NR_IPC	      117

const struct seccomp_arch *
seccomp_arch_find(uint32_t token)
{
	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
		if (seccomp_arch_token(arches[i].name) == token)
			return &arches[i];
	return NULL;
}

/* Profiles name calls in the order of the alphabet, as the table does: the next one is near. */
#define NEAR 4

static const struct seccomp_call_row *
find_near(const char *name, const struct seccomp_call_row *before)
{
	for (size_t i = (size_t)(before - rows) + 1, end = i + NEAR; i < end && i < N_ROWS; i++) {
		int order = strcmp(name, rows[i].name);

		if (order <= 0)
			return order == 0 ? &rows[i] : NULL;
	}
	return NULL;
}

static const struct seccomp_call_row *
find_row(const char *name)
{
	size_t low = 0, high = N_ROWS;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, rows[middle].name);

		if (order == 0)
			return &rows[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool
seccomp_call_find_after(const char *name, const struct seccomp_call *before, struct seccomp_call *ret_call)
{
	const struct seccomp_call_row *row = before && before->row ? find_near(name, before->row) : NULL;

	if (!row)
		row = find_row(name);
	if (!row && seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
		return false;
	*ret_call = (struct seccomp_call){ name, row };
	return true;
}

bool
seccomp_call_find(const char *name, struct seccomp_call *ret_call)
{
	return seccomp_call_find_after(name, NULL, ret_call);
}

bool
seccomp_call_nth(unsigned index, struct seccomp_call *ret_call)
{
	if (index >= N_ROWS)
		return false;
	*ret_call = (struct seccomp_call){ rows[index].name, &rows[index] };
	return true;
}

int64_t
seccomp_call_number(const struct seccomp_call *call, const struct seccomp_arch *arch)
{
	int number;

	if (!call->row) {
		number = seccomp_syscall_resolve_name_arch(seccomp_arch_token(arch->name), call->name);
		return number < 0 ? -1 : number;
	}
	number = call->row->numbers[arch->column];
	if (number == NONE)
		return -1;
	return number < NONE ? ARM_PRIVATE + NONE - 1 - number : (int64_t)arch->base + number;
}

int64_t
seccomp_call_multiplexer(const struct seccomp_call *call, const struct seccomp_arch *arch, uint32_t *ret_argument)
{
	if (!arch->multiplexes || !call->row || (!call->row->socket && !call->row->ipc))
		return -1;
	*ret_argument = call->row->socket ? call->row->socket : call->row->ipc;
	return arch->base + (call->row->socket ? NR_SOCKETCALL : NR_IPC);
}
