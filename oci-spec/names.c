/* Theory of operation: one table per enumeration of the spec, in the order of
 * the spec, with the numbers of the kernel (or of spec.h where the kernel has
 * none). The tables serve the parser, its suggestions and the features
 * document, so a name that is known is known everywhere. */
#include "oci-spec/names.h"

#include <ctype.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "oci-spec/json_text.h"
#include "oci-spec/spec.h"

#define SCHED_ISO		  4 /* sched.h reserves it without a name */
#define MPOL_WEIGHTED_INTERLEAVE_ 6 /* an enum of Linux 6.9 headers */

#define TABLE(id, description, ...)                                                                                    \
	static const struct name id##_list[] = __VA_ARGS__;                                                            \
	const struct name_table names_##id = { description, id##_list, sizeof(id##_list) / sizeof(*id##_list) }

/* clang-format off */
#define NS_NAME(kind, word, file, flag) { word, kind },
TABLE(namespace, "namespace type", { NS_KINDS(NS_NAME) });

TABLE(rlimit, "resource limit", {
	{ "RLIMIT_AS", RLIMIT_AS }, { "RLIMIT_CORE", RLIMIT_CORE }, { "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA }, { "RLIMIT_FSIZE", RLIMIT_FSIZE }, { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE }, { "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE }, { "RLIMIT_NPROC", RLIMIT_NPROC }, { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO }, { "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
});

TABLE(sched_policy, "scheduling policy", {
	{ "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH }, { "SCHED_ISO", SCHED_ISO }, { "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
});

TABLE(sched_flag, "scheduling flag", {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK }, { "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN }, { "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
});

TABLE(io_class, "I/O scheduling class", {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT }, { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
});

TABLE(mpol_mode, "memory policy", {
	{ "MPOL_DEFAULT", MPOL_DEFAULT }, { "MPOL_BIND", MPOL_BIND }, { "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_ }, { "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY }, { "MPOL_LOCAL", MPOL_LOCAL },
});

TABLE(mpol_flag, "memory policy flag", {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING }, { "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
});

TABLE(personality, "execution domain", { { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 } });

/* The "r" forms (bit NAMES_RECURSIVE) are not in the spec, but Docker and Podman write them. */
TABLE(propagation, "mount propagation", {
	{ "shared", SPEC_PROP_SHARED }, { "slave", SPEC_PROP_SLAVE }, { "private", SPEC_PROP_PRIVATE },
	{ "unbindable", SPEC_PROP_UNBINDABLE }, { "rshared", SPEC_PROP_SHARED | NAMES_RECURSIVE },
	{ "rslave", SPEC_PROP_SLAVE | NAMES_RECURSIVE }, { "rprivate", SPEC_PROP_PRIVATE | NAMES_RECURSIVE },
	{ "runbindable", SPEC_PROP_UNBINDABLE | NAMES_RECURSIVE },
});

TABLE(seccomp_action, "seccomp action", {
	{ "SCMP_ACT_KILL", SPEC_ACT_KILL }, { "SCMP_ACT_KILL_PROCESS", SPEC_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SPEC_ACT_KILL_THREAD }, { "SCMP_ACT_TRAP", SPEC_ACT_TRAP },
	{ "SCMP_ACT_ERRNO", SPEC_ACT_ERRNO }, { "SCMP_ACT_TRACE", SPEC_ACT_TRACE },
	{ "SCMP_ACT_ALLOW", SPEC_ACT_ALLOW }, { "SCMP_ACT_LOG", SPEC_ACT_LOG }, { "SCMP_ACT_NOTIFY", SPEC_ACT_NOTIFY },
});

TABLE(seccomp_op, "seccomp operator", {
	{ "SCMP_CMP_NE", SPEC_OP_NE }, { "SCMP_CMP_LT", SPEC_OP_LT }, { "SCMP_CMP_LE", SPEC_OP_LE },
	{ "SCMP_CMP_EQ", SPEC_OP_EQ }, { "SCMP_CMP_GE", SPEC_OP_GE }, { "SCMP_CMP_GT", SPEC_OP_GT },
	{ "SCMP_CMP_MASKED_EQ", SPEC_OP_MASKED_EQ },
});

TABLE(seccomp_arch, "seccomp architecture", {
	{ "SCMP_ARCH_X86", 0 }, { "SCMP_ARCH_X86_64", 0 }, { "SCMP_ARCH_X32", 0 }, { "SCMP_ARCH_ARM", 0 },
	{ "SCMP_ARCH_AARCH64", 0 }, { "SCMP_ARCH_MIPS", 0 }, { "SCMP_ARCH_MIPS64", 0 }, { "SCMP_ARCH_MIPS64N32", 0 },
	{ "SCMP_ARCH_MIPSEL", 0 }, { "SCMP_ARCH_MIPSEL64", 0 }, { "SCMP_ARCH_MIPSEL64N32", 0 }, { "SCMP_ARCH_PPC", 0 },
	{ "SCMP_ARCH_PPC64", 0 }, { "SCMP_ARCH_PPC64LE", 0 }, { "SCMP_ARCH_S390", 0 }, { "SCMP_ARCH_S390X", 0 },
	{ "SCMP_ARCH_PARISC", 0 }, { "SCMP_ARCH_PARISC64", 0 }, { "SCMP_ARCH_RISCV64", 0 },
	{ "SCMP_ARCH_LOONGARCH64", 0 }, { "SCMP_ARCH_M68K", 0 }, { "SCMP_ARCH_SH", 0 }, { "SCMP_ARCH_SHEB", 0 },
});

TABLE(seccomp_flag, "seccomp flag", {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, { "SECCOMP_FILTER_FLAG_LOG", 0 }, { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 0 },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 },
});
/* clang-format on */

bool
name_find(const struct name_table *table, const char *name, uint64_t *ret_value)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->names[i].name, name) == 0) {
			*ret_value = table->names[i].value;
			return true;
		}
	return false;
}

const char *
name_of(const struct name_table *table, uint64_t value)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->names[i].value == value)
			return table->names[i].name;
	return NULL;
}

/* ---- suggestions ----------------------------------------------------- */

#define WORD_MAX 63

/* Levenshtein's edit distance, one row at a time; case does not count. */
static size_t
edit_distance(const char *left, const char *right, size_t b_len)
{
	size_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; left[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b_len; j++) {
			size_t best = diagonal + (tolower((unsigned char)left[i]) != tolower((unsigned char)right[j]));

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			diagonal = row[j + 1];
			row[j + 1] = best;
		}
	}
	return row[b_len];
}

/* Two neighbours swapped: the commonest slip of the fingers. */
static bool
is_swap(const char *left, const char *right)
{
	size_t i = 0;

	while (left[i] && left[i] == right[i])
		i++;
	return left[i] && left[i + 1] && left[i] == right[i + 1] && left[i + 1] == right[i] &&
	       !strcmp(left + i + 2, right + i + 2);
}

size_t
name_distance(const char *given, const char *candidate)
{
	size_t n = strlen(given), m = strlen(candidate), common = 0, distance, limit;

	if (n == 0 || n > WORD_MAX || m > WORD_MAX)
		return SIZE_MAX;
	if (n == m && strcasecmp(given, candidate) == 0)
		return 0;
	if (n == m && is_swap(given, candidate))
		return 1;
	/* "NOFILE" for RLIMIT_NOFILE, "net" for network */
	if (m > n + 1 && candidate[m - n - 1] == '_' && strcasecmp(candidate + m - n, given) == 0)
		return 1;
	if (n >= 3 && n < m && strncasecmp(given, candidate, n) == 0)
		return 2;
	/* a long common beginning (SCMP_ACT_…) says nothing */
	while (common < n && tolower((unsigned char)given[common]) == tolower((unsigned char)candidate[common]))
		common++;
	/* two of three letters say nothing either */
	limit = n <= 3 || m <= 3 ? 1 : 1 + (n - common) / 3;
	distance = edit_distance(given, candidate, m);
	return distance <= limit ? distance : SIZE_MAX;
}

/* The nearest name of the table, or NULL when none is near. */
static const char *
nearest(const struct name_table *table, const char *given)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	for (size_t i = 0; i < table->n; i++) {
		size_t d = name_distance(given, table->names[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = table->names[i].name;
		}
	}
	return best;
}

char *
name_complaint(struct arena *a, const struct name_table *table, const char *given)
{
	const char *near = nearest(table, given);
	char *text = arena_printf(a, "unknown %s %s, %s", table->what, json_quote(a, given),
				  near		   ? "did you mean "
				  : table->n <= 10 ? "expected "
						   : "see runtime-spec for the list");

	if (near)
		return arena_printf(a, "%s\"%s\"?", text, near);
	if (table->n > 10)
		return text;
	for (size_t i = 0; i < table->n; i++)
		text = arena_printf(a, "%s%s\"%s\"", text,
				    i == 0		? ""
				    : i == table->n - 1 ? " or "
							: ", ",
				    table->names[i].name);
	return text;
}

/* ---- capabilities ---------------------------------------------------- */

int
name_to_capability(const char *name)
{
	cap_value_t value;

	/* libcap takes small letters and bare numbers too; the spec does not */
	if (strncmp(name, "CAP_", 4) != 0)
		return -1;
	for (const char *p = name; *p; p++)
		if (!isupper((unsigned char)*p) && *p != '_')
			return -1;
	return cap_from_name(name, &value) == 0 ? (int)value : -1;
}

const char *
name_of_capability(struct arena *a, unsigned number)
{
	char *name, *copy;

	if (number > CAP_LAST_CAP)
		return NULL;
	name = cap_to_name((cap_value_t)number);
	if (!name)
		abort(); /* out of memory is the only way */
	copy = arena_strdup(a, name);
	cap_free(name);
	for (char *p = copy; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return copy;
}

/* ---- small questions about a spec ---- */

bool
spec_strings_have(const struct spec_strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}
