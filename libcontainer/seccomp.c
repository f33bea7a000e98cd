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
 *    name the calls of many kernels.
 *
 * The binary tree (CTL_OPTIMIZE 2) makes the kernel's work per system call, and
 * its dry run over all numbers at load time, logarithmic in the rules. It is
 * somewhat longer, so a profile that only fits without it is compiled without. */
#include "libcontainer/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/seccomp_cache.h"
#include "libcontainer/seccomp_tables.h"

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH /* Linux 5.7 */
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 6.0 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define MAX_ARGS 6

static uint32_t
action_value(enum spec_seccomp_action action, struct opt_u32 errno_ret)
{
	const struct seccomp_action *a = &seccomp_actions[action];

	if (a->max_data == 0)
		return a->ret;
	return a->ret | (errno_ret.set ? errno_ret.v : EPERM);
}

static bool
uses_action(const struct spec_seccomp *s, enum spec_seccomp_action action)
{
	if (s->default_action == action)
		return true;
	for (size_t i = 0; i < s->n_syscalls; i++)
		if (s->syscalls[i].action == action)
			return true;
	return false;
}

/* ---- checking ---------------------------------------------------------- */

static int
check_errno(const char *path, enum spec_seccomp_action action, struct opt_u32 errno_ret, struct err *err)
{
	const struct seccomp_action *a = &seccomp_actions[action];

	if (!errno_ret.set)
		return 0;
	if (a->max_data == 0)
		return err_plain(err, "%s: the action %s takes no errno", path, a->name);
	if (errno_ret.v > a->max_data)
		return err_plain(err, "%s: %u is above %u, the highest for %s", path, errno_ret.v, a->max_data,
				 a->name);
	return 0;
}

static int
check_rule(const struct spec_seccomp_rule *rule, size_t i, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu].errnoRet", i);
	if (check_errno(path, rule->action, rule->errno_ret, err) < 0)
		return -EINVAL;
	for (size_t j = 0; j < rule->n_args; j++)
		if (rule->args[j].index >= MAX_ARGS)
			return err_plain(
				err, "linux.seccomp.syscalls[%zu].args[%zu].index: %u is above 5, the last argument", i,
				j, rule->args[j].index);
	return 0;
}

static bool
names_call(const struct spec_seccomp_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->names.n; i++)
		if (strcmp(rule->names.items[i], name) == 0)
			return true;
	return false;
}

/* The filter is on when the runtime calls execve; a profile that never lets it
 * pass would end in a dead container without a word. */
static int
check_execve(const struct spec_seccomp *s, struct err *err)
{
	const struct seccomp_action *denied = &seccomp_actions[s->default_action];
	const char *where = "linux.seccomp.defaultAction";
	char path[64];

	if (!denied->denies)
		denied = NULL;
	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct spec_seccomp_rule *rule = &s->syscalls[i];

		if (!names_call(rule, "execve"))
			continue;
		if (!seccomp_actions[rule->action].denies)
			return 0;
		if (rule->n_args)
			continue;
		snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu]", i);
		where = path;
		denied = &seccomp_actions[rule->action];
	}
	if (!denied)
		return 0;
	return err_plain(err,
			 "linux.seccomp: the profile denies execve (%s: %s), "
			 "without which the container's program cannot start",
			 where, denied->name);
}

static int
check_actions(const struct spec_seccomp *s, struct err *err)
{
	for (int i = 0; i < SPEC_ACT_COUNT; i++) {
		uint32_t ret = seccomp_actions[i].ret;

		if (seccomp_actions[i].newer && uses_action(s, (enum spec_seccomp_action)i) &&
		    syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &ret) < 0)
			return err_set(err, errno, "linux.seccomp: the kernel lacks the action %s",
				       seccomp_actions[i].name);
	}
	return 0;
}

/* Without a program the kernel answers EFAULT if it knows all the flags, and
 * EINVAL otherwise; nothing is loaded. */
static bool
kernel_knows(uint32_t flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) == 0 || errno != EINVAL;
}

static int
check_flags(const struct spec_seccomp *s, struct err *err)
{
	for (size_t i = 0; i < s->flags.n; i++) {
		uint32_t bit = seccomp_flag_bit(s->flags.items[i]), with = 0;

		if (!bit)
			return err_plain(err, "linux.seccomp.flags[%zu]: unknown flag '%s'", i, s->flags.items[i]);
		if (bit == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			with = SECCOMP_FILTER_FLAG_NEW_LISTENER; /* means nothing without */
		if (!kernel_knows(bit | with))
			return err_plain(err, "linux.seccomp.flags[%zu]: the kernel lacks %s", i, s->flags.items[i]);
	}
	return 0;
}

static int
check_archs(const struct spec_seccomp *s, struct err *err)
{
	for (size_t i = 0; i < s->architectures.n; i++)
		if (!seccomp_arch_token(s->architectures.items[i]))
			return err_plain(err, "linux.seccomp.architectures[%zu]: libseccomp %d.%d.%d does not know %s",
					 i, SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO, s->architectures.items[i]);
	return 0;
}

int
seccomp_check(const struct spec_seccomp *s, struct err *err)
{
	if (check_errno("linux.seccomp.defaultErrnoRet", s->default_action, s->default_errno_ret, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < s->n_syscalls; i++)
		if (check_rule(&s->syscalls[i], i, err) < 0)
			return -EINVAL;
	if (uses_action(s, SPEC_ACT_NOTIFY) && !s->listener_path)
		return err_plain(err, "linux.seccomp.listenerPath: required with SCMP_ACT_NOTIFY");
	if (check_archs(s, err) < 0 || check_execve(s, err) < 0 || check_flags(s, err) < 0)
		return -EINVAL;
	return check_actions(s, err);
}

/* ---- compiling --------------------------------------------------------- */

static void
make_key(struct seccomp_key *k, const struct spec_seccomp *s)
{
	const struct scmp_version *v = seccomp_version();

	seccomp_key_string(k, PACKAGE_VERSION);
	seccomp_key_number(k, (uint64_t)v->major << 32 | v->minor << 16 | v->micro);
	seccomp_key_number(k, seccomp_arch_native());
	seccomp_key_number(k, s->architectures.n);
	for (size_t i = 0; i < s->architectures.n; i++)
		seccomp_key_string(k, s->architectures.items[i]);
	seccomp_key_number(k, action_value(s->default_action, s->default_errno_ret));
	seccomp_key_number(k, s->n_syscalls);
	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct spec_seccomp_rule *rule = &s->syscalls[i];

		seccomp_key_number(k, action_value(rule->action, rule->errno_ret));
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
	struct scmp_arg_cmp cmp[MAX_ARGS];
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
	uint32_t action = action_value(rule->action, rule->errno_ret);

	if (check_rule(rule, i, err) < 0)
		return -EINVAL;
	if (action == action_value(s->default_action, s->default_errno_ret))
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
		if (r < 0 && r != -EEXIST)
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

static int
export_best(scmp_filter_ctx ctx, struct arena *a, struct err *err, struct seccomp_filter *f)
{
	static const unsigned levels[] = { 2, 1 };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		char *data;
		size_t len;
		int r = export_program(ctx, levels[i], &data, &len, err);

		if (r < 0)
			return r;
		f->len = len;
		if (len / sizeof(struct sock_filter) <= BPF_MAXINSNS)
			f->program = arena_grow(a, data, len, len);
		free(data);
		if (f->program)
			return 0;
	}
	return err_plain(err, "linux.seccomp: the profile needs %zu instructions, the kernel takes %d",
			 f->len / sizeof(struct sock_filter), BPF_MAXINSNS);
}

static int
build_program(const struct spec_seccomp *s, struct arena *a, struct err *err, struct seccomp_filter *f)
{
	scmp_filter_ctx ctx = seccomp_init(action_value(s->default_action, s->default_errno_ret));
	int r;

	if (!ctx)
		return err_plain(err, "linux.seccomp.defaultAction: libseccomp cannot use %s on this kernel",
				 seccomp_actions[s->default_action].name);
	r = build_rules(ctx, s, err);
	if (r == 0)
		r = export_best(ctx, a, err, f);
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
	struct seccomp_filter f = { .notify = uses_action(s, SPEC_ACT_NOTIFY) };
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
