/* Theory of operation: what would fail late, or only inside the container, is
 * refused here in the words of the profile. The kernel is asked, without loading
 * anything, only for what came after the first kernels with filters. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_tables.h"

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

int
seccomp_check_rule(const struct spec_seccomp_rule *rule, size_t i, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu].errnoRet", i);
	if (check_errno(path, rule->action, rule->errno_ret, err) < 0)
		return -EINVAL;
	for (size_t j = 0; j < rule->n_args; j++)
		if (rule->args[j].index >= SECCOMP_MAX_ARGS)
			return err_plain(
				err, "linux.seccomp.syscalls[%zu].args[%zu].index: %u is above 5, the last argument", i,
				j, rule->args[j].index);
	return 0;
}

/* The filter is on when the runtime calls execve; a profile that never lets it
 * pass would end in a dead container without a word. */
static int
check_execve(const struct spec_seccomp *profile, struct err *err)
{
	const struct seccomp_action *denied = &seccomp_actions[profile->default_action];
	const char *where = "linux.seccomp.defaultAction";
	char path[64];

	if (!denied->denies)
		denied = NULL;
	for (size_t i = 0; i < profile->n_syscalls; i++) {
		const struct spec_seccomp_rule *rule = &profile->syscalls[i];

		if (!spec_strings_have(&rule->names, "execve"))
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
check_actions(const struct spec_seccomp *profile, struct err *err)
{
	for (int i = 0; i < SPEC_ACT_COUNT; i++) {
		uint32_t ret = seccomp_actions[i].ret;

		if (seccomp_actions[i].newer && seccomp_uses_action(profile, (enum spec_seccomp_action)i) &&
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
check_flags(const struct spec_seccomp *profile, struct err *err)
{
	for (size_t i = 0; i < profile->flags.n; i++) {
		uint32_t bit = seccomp_flag_bit(profile->flags.items[i]), with = 0;

		if (!bit)
			return err_plain(err, "linux.seccomp.flags[%zu]: unknown flag '%s'", i,
					 profile->flags.items[i]);
		if (bit == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			with = SECCOMP_FILTER_FLAG_NEW_LISTENER; /* means nothing without */
		if (!kernel_knows(bit | with))
			return err_plain(err, "linux.seccomp.flags[%zu]: the kernel lacks %s", i,
					 profile->flags.items[i]);
	}
	return 0;
}

static int
check_archs(const struct spec_seccomp *profile, struct err *err)
{
	for (size_t i = 0; i < profile->architectures.n; i++)
		if (!seccomp_arch_token(profile->architectures.items[i]))
			return err_plain(err, "linux.seccomp.architectures[%zu]: libseccomp %d.%d.%d does not know %s",
					 i, SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO,
					 profile->architectures.items[i]);
	return 0;
}

int
seccomp_check(const struct spec_seccomp *profile, struct err *err)
{
	if (check_errno("linux.seccomp.defaultErrnoRet", profile->default_action, profile->default_errno_ret, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < profile->n_syscalls; i++)
		if (seccomp_check_rule(&profile->syscalls[i], i, err) < 0)
			return -EINVAL;
	if (seccomp_uses_action(profile, SPEC_ACT_NOTIFY) && !profile->listener_path)
		return err_plain(err, "linux.seccomp.listenerPath: required with SCMP_ACT_NOTIFY");
	if (check_archs(profile, err) < 0 || check_execve(profile, err) < 0 || check_flags(profile, err) < 0)
		return -EINVAL;
	return check_actions(profile, err);
}
