/* Random profiles through libseccomp: what seccomp_shrink() makes of its program
 * must decide every call the same; and no program at all may confuse it. */
#include "libcontainer/seccomp_shrink.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/bpf_run.h"
#include "tests/unit/check.h"

static uint32_t seed = 20261121;

static uint32_t
any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static uint32_t
any_action(void)
{
	const uint32_t actions[] = { SCMP_ACT_ALLOW,	    SCMP_ACT_ERRNO(any(3) + 1),
				     SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD,
				     SCMP_ACT_LOG,	    SCMP_ACT_TRAP };

	return actions[any(sizeof(actions) / sizeof(actions[0]))];
}

/* Calls that take arguments of both halves, and neighbours in the table. */
static void
add_random_rule(scmp_filter_ctx ctx)
{
	const enum scmp_compare ops[] = { SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
					  SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ };
	struct scmp_arg_cmp args[3];
	unsigned n = any(3) ? 0 : any(3) + 1;
	uint32_t action = any_action(), first = any(330);

	for (unsigned i = 0; i < n; i++) {
		uint64_t value = any(2) ? any(4) : (uint64_t)any(4) << 32 | any(4);

		args[i] = SCMP_CMP(i, ops[any(7)], value, value & any(4));
	}
	/* Neighbours share an action, as in real profiles. Rules that libseccomp has
	 * no use for (the default action, a duplicate) it refuses. */
	for (unsigned len = n ? 1 : any(12) + 1; len > 0; len--)
		(void)seccomp_rule_add_array(ctx, action, (int)first++, n, args);
}

static struct sock_filter *export(scmp_filter_ctx ctx, size_t *ret_n)
{
	auto_close int fd = memfd_create("test", MFD_CLOEXEC);
	char *data;
	size_t len;

	NEED(fd >= 0 && seccomp_export_bpf(ctx, fd) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	NEED(fd_read_all(fd, 1 << 24, &data, &len) == 0);
	*ret_n = len / sizeof(struct sock_filter);
	return (struct sock_filter *)data;
}

static void
compare(const struct sock_filter *p, size_t n, const struct sock_filter *q, size_t m, unsigned times)
{
	const uint32_t arches[] = { 0xc000003e, 0x40000003, 0xc00000b7, 0 };

	for (unsigned i = 0; i < times; i++) {
		struct seccomp_data data = { .nr = (int)(any(8)	  ? any(450)
							 : any(2) ? any(450) | 0x40000000
								  : seed),
					     .arch = arches[any(4)],
					     .instruction_pointer = seed };
		uint32_t before, after;

		for (size_t x = 0; x < 6; x++)
			data.args[x] = any(4) | (any(3) ? 0 : (uint64_t)any(4) << 32);
		NEED(bpf_run(p, n, &data, &before) && bpf_run(q, m, &data, &after));
		NEED(before == after);
	}
}

static void
test_random_profiles(void)
{
	unsigned shrunk = 0;

	for (unsigned round = 0; round < 150; round++) {
		auto_arena struct arena a = { 0 };
		scmp_filter_ctx ctx = seccomp_init(any_action());
		struct sock_filter *p, *q = NULL;
		size_t n, m;

		NEED(ctx);
		if (any(2))
			NEED(seccomp_arch_add(ctx, SCMP_ARCH_X86) == 0 || errno == EEXIST);
		for (unsigned rules = any(60) + 20; rules > 0; rules--)
			add_random_rule(ctx);
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, any(2) + 1);
		p = export(ctx, &n);
		m = seccomp_shrink(p, n, &a, &q);
		if (m) {
			NEED(m < n);
			compare(p, n, q, m, 3000);
			shrunk++;
		}
		free(p);
		seccomp_release(ctx);
	}
	/* Small profiles need not become smaller; most are not small. */
	NEED(shrunk > 100);
}

/* A profile like those of containers: most calls allowed, one after the other. */
static void
test_size(void)
{
	auto_arena struct arena a = { 0 };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(1));
	struct sock_filter *p, *q;
	size_t n, m;

	for (int nr = 0; nr < 330; nr++)
		if (nr % 40)
			NEED(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0) == 0);
	p = export(ctx, &n);
	m = seccomp_shrink(p, n, &a, &q);
	NEED(m > 0 && m < n / 4);
	compare(p, n, q, m, 100000);
	free(p);
	seccomp_release(ctx);
}

/* Programs that libseccomp never wrote: refused or rewritten, never followed blindly. */
static void
test_garbage(void)
{
	const uint16_t codes[] = { BPF_LD | BPF_W | BPF_ABS,  BPF_JMP | BPF_JA,		 BPF_JMP | BPF_JEQ | BPF_K,
				   BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JSET | BPF_K,
				   BPF_ALU | BPF_AND | BPF_K, BPF_RET | BPF_K,		 0xffff };

	for (unsigned round = 0; round < 20000; round++) {
		auto_arena struct arena a = { 0 };
		struct sock_filter p[24], *q = NULL;
		size_t n = any(24) + 1, m;

		for (size_t i = 0; i < n; i++)
			p[i] = (struct sock_filter){ codes[any(9)], (uint8_t)any(6), (uint8_t)any(6),
						     any(2) ? any(16) * 4 : any(8) };
		p[0] = (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0, 4 };
		m = seccomp_shrink(p, n, &a, &q);
		NEED(m < n);
	}
}

int
main(void)
{
	test_random_profiles();
	test_size();
	test_garbage();
	return 0;
}
