/* Theory of operation.
 *
 * A profile is turned into a classic BPF program by libseccomp, in the parent;
 * the child only hands the bytes to seccomp(2). The program depends on nothing
 * but the profile, libseccomp's version and the native architecture, so it can
 * be kept (seccomp_cache.h). All these go into the key; on a hit no rule is
 * compiled.
 *
 * Meaning of a profile, as containers rely on it:
 *  - the native architecture is always filtered, listed or not; calls of an
 *    architecture that is neither kill the thread (libseccomp's default);
 *  - several args of a rule must all match, unless two of them look at the same
 *    argument: then each stands alone (one rule each), since a libseccomp rule
 *    cannot test an argument twice;
 *  - a rule that does what the default does anyway is left out, as libseccomp
 *    refuses it;
 *  - a system call that libseccomp has never heard of is left out: profiles
 *    name the calls of many kernels;
 *  - a call that is newer than all that the profile names fails with ENOSYS
 *    (seccomp_unknown.h).
 *
 * libseccomp's program is rewritten into one that asks for ranges of numbers
 * (seccomp_shrink.h): loading it costs the kernel time per instruction. */
#include "libcontainer/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/seccomp_cache.h"
#include "libcontainer/seccomp_shrink.h"
#include "libcontainer/seccomp_tables.h"
#include "libcontainer/seccomp_unknown.h"

/* Raised when the same profile is to become another program. */
#define PROGRAM_FORMAT 3

static void
make_key(struct seccomp_key *k, const struct spec_seccomp *s)
{
	const struct scmp_version *v = seccomp_version();

	seccomp_key_string(k, PACKAGE_VERSION);
	seccomp_key_number(k, PROGRAM_FORMAT);
	seccomp_key_number(k, (uint64_t)v->major << 32 | v->minor << 16 | v->micro);
	seccomp_key_number(k, seccomp_arch_native());
	seccomp_key_number(k, s->architectures.n);
	for (size_t i = 0; i < s->architectures.n; i++)
		seccomp_key_string(k, s->architectures.items[i]);
	seccomp_key_number(k, seccomp_action_value(s->default_action, s->default_errno_ret));
	seccomp_key_number(k, s->n_syscalls);
	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct spec_seccomp_rule *rule = &s->syscalls[i];

		seccomp_key_number(k, seccomp_action_value(rule->action, rule->errno_ret));
		seccomp_key_number(k, rule->names.n);
		for (size_t j = 0; j < rule->names.n; j++)
			seccomp_key_string(k, rule->names.items[j]);
		seccomp_key_number(k, rule->n_args);
		for (size_t j = 0; j < rule->n_args; j++) {
			seccomp_key_number(k, (uint64_t)rule->args[j].index << 32 | rule->args[j].op);
			seccomp_key_number(k, rule->args[j].value);
			seccomp_key_number(k, rule->args[j].value_two);
		}
	}
}

static struct scmp_arg_cmp
make_comparison(const struct spec_seccomp_arg *arg)
{
	struct scmp_arg_cmp c = { .arg = arg->index, .datum_a = arg->value };

	c.op = (enum scmp_compare)seccomp_operator_number(arg->op);
	if (arg->op == SPEC_OP_MASKED_EQ) /* value is the mask */
		c.datum_b = arg->value_two;
	return c;
}

static bool
same_argument_twice(const struct spec_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

/* Adds one call of one rule. An identical rule that is there already is fine. */
static int
add_call(scmp_filter_ctx ctx, const struct spec_seccomp_rule *rule, uint32_t action, int nr)
{
	struct scmp_arg_cmp cmp[SECCOMP_MAX_ARGS];
	int r = 0;

	if (same_argument_twice(rule)) {
		for (size_t i = 0; i < rule->n_args && (r == 0 || r == -EEXIST); i++) {
			cmp[0] = make_comparison(&rule->args[i]);
			r = seccomp_rule_add_array(ctx, action, nr, 1, cmp);
		}
	} else {
		for (size_t i = 0; i < rule->n_args; i++)
			cmp[i] = make_comparison(&rule->args[i]);
		r = seccomp_rule_add_array(ctx, action, nr, (unsigned)rule->n_args, cmp);
	}
	return r == -EEXIST ? 0 : r;
}

static int
add_rule(scmp_filter_ctx ctx, const struct spec_seccomp *s, size_t i, struct err *err)
{
	const struct spec_seccomp_rule *rule = &s->syscalls[i];
	uint32_t action = seccomp_action_value(rule->action, rule->errno_ret);

	if (seccomp_check_rule(rule, i, err) < 0)
		return -EINVAL;
	if (action == seccomp_action_value(s->default_action, s->default_errno_ret))
		return 0;
	for (size_t j = 0; j < rule->names.n; j++) {
		int nr = seccomp_syscall_resolve_name(rule->names.items[j]);
		int r;

		if (nr == __NR_SCMP_ERROR) {
			log_debug("linux.seccomp.syscalls[%zu]: unknown system call '%s' left out", i,
				  rule->names.items[j]);
			continue;
		}
		r = add_call(ctx, rule, action, nr);
		if (r < 0)
			return err_set(err, -r, "linux.seccomp.syscalls[%zu]: libseccomp refuses the rule for '%s'", i,
				       rule->names.items[j]);
	}
	return 0;
}

static int
build_rules(scmp_filter_ctx ctx, const struct spec_seccomp *s, struct err *err)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);

	if (r < 0)
		return err_set(err, -r, "libseccomp: attribute CTL_NNP");
	for (size_t i = 0; i < s->architectures.n; i++) {
		uint32_t token = seccomp_arch_token(s->architectures.items[i]);

		r = token ? seccomp_arch_add(ctx, token) : -EINVAL;
		/* EDOM: of the other byte order; this machine has no such calls. */
		if (r < 0 && r != -EEXIST && r != -EDOM)
			return err_set(err, -r, "linux.seccomp.architectures[%zu]: libseccomp cannot add %s", i,
				       s->architectures.items[i]);
	}
	for (size_t i = 0; i < s->n_syscalls; i++)
		if ((r = add_rule(ctx, s, i, err)) < 0)
			return r;
	return 0;
}

/* libseccomp writes to a descriptor only. */
static int
export_program(scmp_filter_ctx ctx, unsigned optimize, char **ret_data, size_t *ret_len, struct err *err)
{
	auto_close int fd = memfd_create("knarr-seccomp", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, errno, "memfd_create for the seccomp program");
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_set(err, -r, "linux.seccomp: libseccomp cannot make the program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, errno, "reading the seccomp program");
	r = fd_read_all(fd, SIZE_MAX / 4, ret_data, ret_len);
	return r < 0 ? err_set(err, -r, "reading the seccomp program") : 0;
}

/* Level 2 orders the numbers of calls as a tree, which seccomp_shrink() reads
 * quickest; level 1, a list, is shorter where there is nothing to shrink. */
static int
export_best(scmp_filter_ctx ctx, const struct spec_seccomp *s, struct arena *a, struct err *err,
	    struct seccomp_filter *f)
{
	static const unsigned levels[] = { 2, 1 };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		const struct sock_filter *whole;
		struct sock_filter *small = NULL;
		char *data = NULL;
		size_t len = 0, n;
		int r = export_program(ctx, levels[i], &data, &len, err);

		if (r < 0)
			return r;
		n = seccomp_shrink((const struct sock_filter *)data, len / sizeof(*small), a, &small);
		if (!n) {
			n = len / sizeof(*small);
			small = memcpy(arena_alloc(a, len), data, len);
		}
		free(data);
		n = seccomp_unknown_calls(s, small, n, a, &whole);
		f->len = n * sizeof(*whole);
		if (n <= BPF_MAXINSNS)
			f->program = whole;
		if (f->program)
			return 0;
	}
	return err_plain(err, "linux.seccomp: the profile needs %zu instructions, the kernel takes %d",
			 f->len / sizeof(struct sock_filter), BPF_MAXINSNS);
}

static int
build_program(const struct spec_seccomp *s, struct arena *a, struct err *err, struct seccomp_filter *f)
{
	scmp_filter_ctx ctx = seccomp_init(seccomp_action_value(s->default_action, s->default_errno_ret));
	int r;

	if (!ctx)
		return err_plain(err, "linux.seccomp.defaultAction: libseccomp cannot use %s on this kernel",
				 seccomp_actions[s->default_action].name);
	r = build_rules(ctx, s, err);
	if (r == 0)
		r = export_best(ctx, s, a, err, f);
	seccomp_release(ctx);
	return r;
}

/* NEW_LISTENER is left to the loader. Together with it, TSYNC needs ESRCH as
 * its way to fail; WAIT_KILLABLE_RECV is refused by the kernel without it. */
static uint32_t
load_flags(const struct spec_seccomp *s, bool notify)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < s->flags.n; i++)
		flags |= seccomp_flag_bit(s->flags.items[i]);
	if (notify && (flags & SECCOMP_FILTER_FLAG_TSYNC))
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	if (!notify)
		flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return flags;
}

int
seccomp_compile(const struct spec_seccomp *s, const char *cache_dir, struct arena *a, struct err *err,
		struct seccomp_filter *ret_filter)
{
	struct seccomp_filter f = { .notify = seccomp_uses_action(s, SPEC_ACT_NOTIFY) };
	struct seccomp_key key = { .arena = a };
	auto_close int dir = -1;
	int r;

	f.flags = load_flags(s, f.notify);
	if (cache_dir) {
		make_key(&key, s);
		dir = seccomp_cache_open(cache_dir);
		if (dir < 0)
			log_debug("seccomp cache '%s' not used: %s", cache_dir, err_reason(-dir));
		else if (seccomp_cache_load(dir, &key, a, &f.program, &f.len) == 0)
			goto done;
	}
	r = build_program(s, a, err, &f);
	if (r < 0)
		return r;
	if (dir >= 0 && (r = seccomp_cache_store(dir, &key, f.program, f.len)) < 0)
		log_debug("seccomp cache '%s' not written: %s", cache_dir, err_reason(-r));
done:
	*ret_filter = f;
	return 0;
}
