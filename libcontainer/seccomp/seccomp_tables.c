/* Names are those of
 * config-linux.md#seccomp; one list per kind serves the compiler and the
 * features document, so that the two cannot disagree.
 *
 * Architectures come from the headers of the libseccomp that is built against:
 * newer ones (LoongArch, m68k, SuperH since 2.6.0) appear when it has them. */
#include "libcontainer/seccomp/seccomp_tables.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "libcontainer/seccomp/seccomp.h"

/* The kernel cuts an errno at 4095 (MAX_ERRNO), and the data of any action to
 * 16 bits. TRACE without a tracer makes the call fail with ENOSYS. */
#define MAX_ERRNO      4095
#define MAX_TRACE_DATA 65535

const struct seccomp_action seccomp_actions[SPEC_ACT_COUNT] = {
	[SPEC_ACT_KILL] = { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, 0, true, false },
	[SPEC_ACT_KILL_PROCESS] = { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, 0, true, true },
	[SPEC_ACT_KILL_THREAD] = { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, 0, true, false },
	[SPEC_ACT_TRAP] = { "SCMP_ACT_TRAP", SCMP_ACT_TRAP, 0, true, false },
	[SPEC_ACT_ERRNO] = { "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), MAX_ERRNO, true, false },
	[SPEC_ACT_TRACE] = { "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), MAX_TRACE_DATA, true, false },
	[SPEC_ACT_ALLOW] = { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, 0, false, false },
	[SPEC_ACT_LOG] = { "SCMP_ACT_LOG", SCMP_ACT_LOG, 0, false, true },
	[SPEC_ACT_NOTIFY] = { "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, 0, false, true },
};

static const int operators[] = {
	[SPEC_OP_NE] = SCMP_CMP_NE,
	[SPEC_OP_LT] = SCMP_CMP_LT,
	[SPEC_OP_LE] = SCMP_CMP_LE,
	[SPEC_OP_EQ] = SCMP_CMP_EQ,
	[SPEC_OP_GE] = SCMP_CMP_GE,
	[SPEC_OP_GT] = SCMP_CMP_GT,
	[SPEC_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

/* X(name) for every architecture that the libseccomp at hand knows. */
#ifdef SCMP_ARCH_LOONGARCH64
#define ARCHS_LOONGARCH64(X) X(LOONGARCH64)
#else
#define ARCHS_LOONGARCH64(X)
#endif
#ifdef SCMP_ARCH_M68K
#define ARCHS_M68K(X) X(M68K)
#else
#define ARCHS_M68K(X)
#endif
#ifdef SCMP_ARCH_SH
#define ARCHS_SH(X) X(SH) X(SHEB)
#else
#define ARCHS_SH(X)
#endif
#ifdef SCMP_ARCH_RISCV64
#define ARCHS_RISCV64(X) X(RISCV64)
#else
#define ARCHS_RISCV64(X)
#endif
#define ARCHS(X)                                                                                                       \
	X(X86)                                                                                                         \
	X(X86_64)                                                                                                      \
	X(X32)                                                                                                         \
	X(ARM)                                                                                                         \
	X(AARCH64)                                                                                                     \
	ARCHS_LOONGARCH64(X)                                                                                           \
	ARCHS_M68K(X)                                                                                                  \
	X(MIPS)                                                                                                        \
	X(MIPS64)                                                                                                      \
	X(MIPS64N32)                                                                                                   \
	X(MIPSEL)                                                                                                      \
	X(MIPSEL64)                                                                                                    \
	X(MIPSEL64N32)                                                                                                 \
	X(PPC)                                                                                                         \
	X(PPC64)                                                                                                       \
	X(PPC64LE)                                                                                                     \
	X(S390)                                                                                                        \
	X(S390X)                                                                                                       \
	ARCHS_SH(X)                                                                                                    \
	X(PARISC)                                                                                                      \
	X(PARISC64)                                                                                                    \
	ARCHS_RISCV64(X)

#define FLAGS(X) X(TSYNC) X(LOG) X(SPEC_ALLOW) X(WAIT_KILLABLE_RECV)

struct named_number {
	const char *name;
	uint32_t number;
};

#define ARCH_ROW(a) { "SCMP_ARCH_" #a, SCMP_ARCH_##a },
#define FLAG_ROW(f) { "SECCOMP_FILTER_FLAG_" #f, SECCOMP_FILTER_FLAG_##f },
static const struct named_number archs[] = { ARCHS(ARCH_ROW) };
static const struct named_number flags[] = { FLAGS(FLAG_ROW) };

static uint32_t
find_number(const struct named_number *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].number;
	return 0;
}

int
seccomp_operator_number(enum spec_seccomp_op op)
{
	return operators[op];
}

uint32_t
seccomp_arch_token(const char *name)
{
	return find_number(archs, sizeof(archs) / sizeof(archs[0]), name);
}

uint32_t
seccomp_flag_bit(const char *name)
{
	return find_number(flags, sizeof(flags) / sizeof(flags[0]), name);
}

uint32_t
seccomp_action_value(enum spec_seccomp_action action, struct opt_u32 errno_ret)
{
	const struct seccomp_action *a = &seccomp_actions[action];

	if (a->max_data == 0)
		return a->ret;
	return a->ret | (errno_ret.set ? errno_ret.v : EPERM);
}

bool
seccomp_uses_action(const struct spec_seccomp *profile, enum spec_seccomp_action action)
{
	if (profile->default_action == action)
		return true;
	for (size_t i = 0; i < profile->n_syscalls; i++)
		if (profile->syscalls[i].action == action)
			return true;
	return false;
}

#define ARCH_NAME(a) "SCMP_ARCH_" #a,
#define FLAG_NAME(f) "SECCOMP_FILTER_FLAG_" #f,

const char *const *
seccomp_known_archs(void)
{
	static const char *const names[] = { ARCHS(ARCH_NAME) NULL };

	return names;
}

const char *const *
seccomp_known_flags(void)
{
	static const char *const names[] = { FLAGS(FLAG_NAME) NULL };

	return names;
}
