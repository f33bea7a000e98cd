/* The order matters: Landlock and seccomp take a process without privileges only after
 * no_new_privs, and the filter comes last because it denies the calls of all the others.
 *
 * An unknown call fails with EPERM, and does not end the process: a newer C library that
 * makes one more of them then does not leave a container behind that nobody removes. What an
 * attack would need (execve, ptrace, mount, setuid, executable memory, a new socket) is
 * denied either way. */
#include "libcontainer/process/restrain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/process/restrain_filter.h"

#if defined(KNARR_SANITIZERS) || defined(KNARR_COVERAGE)
#define CONFINES false
#else
#define CONFINES true
#endif

#ifdef KNARR_COVERAGE
#define DROPS false
#else
#define DROPS true
#endif

/* ---- capabilities ----------------------------------------------------- */

static int
drop_capabilities(uint64_t kept, struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (capget(&head, data) < 0)
		return err_set(err, errno, "give up capabilities: read them");
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return capset(&head, data) < 0 ? err_set(err, errno, "give up capabilities") : 0;
}

/* ---- Landlock --------------------------------------------------------- */

/* <linux/landlock.h>, which older systems lack, and newer ones have more of. */
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH      1

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif

enum {
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_REG = 1 << 8,
	TRUNCATE = 1 << 14,
};

#define NET_TCP			   3 /* bind and connect */
#define SCOPE_ABSTRACT_UNIX_SOCKET 1

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* What each version of the interface knows. Signals are not scoped: that would be the end of
 * forwarding them. */
static const struct ruleset versions[] = {
	{ 0x1fff, 0, 0 },	{ 0x3fff, 0, 0 },	{ 0x7fff, 0, 0 },
	{ 0x7fff, NET_TCP, 0 }, { 0xffff, NET_TCP, 0 }, { 0xffff, NET_TCP, SCOPE_ABSTRACT_UNIX_SOCKET },
};
#define N_VERSIONS ((long)(sizeof(versions) / sizeof(versions[0])))

static const uint64_t allowed[RESTRAIN_USES] = {
	[RESTRAIN_READ] = READ_FILE,
	[RESTRAIN_PARENT] = READ_DIR | REMOVE_DIR,
	[RESTRAIN_CGROUP] = READ_FILE | WRITE_FILE | READ_DIR | REMOVE_DIR,
	[RESTRAIN_STATE] = READ_FILE | WRITE_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_REG | TRUNCATE,
};

static int
add_place(int ruleset, uint64_t handled, const struct restrain_place *place, struct err *err)
{
	auto_close int fd = openat(place->dirfd, place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct path_beneath rule = { allowed[place->use] & handled, fd };

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "Landlock: open '%s'", place->path);
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_set(err, errno, "Landlock: add '%s'", place->path);
	return 0;
}

static int
restrict_files(const struct restrain_options *options, struct err *err)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	auto_close int fd = -1;
	struct ruleset handled;

	/* Not built in; not enabled; a filter around the runtime that has never heard of it. What the
	 * container is confined by does not depend on it. */
	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)) {
		log_debug("Landlock: %s; the runtime keeps its access to files", err_reason(errno));
		return 0;
	}
	if (version < 1)
		return err_set(err, version < 0 ? errno : EPROTO, "Landlock: ask for its version");
	handled = versions[(version < N_VERSIONS ? version : N_VERSIONS) - 1];
	if (options->asks_systemd)
		handled.scoped = 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (fd < 0)
		return err_set(err, errno, "Landlock: make a ruleset");
	for (size_t i = 0; i < options->n_places; i++) {
		int r = add_place(fd, handled.fs, &options->places[i], err);

		if (r < 0)
			return r;
	}
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? err_set(err, errno, "Landlock: restrict the runtime")
							      : 0;
}

/* ---- seccomp ---------------------------------------------------------- */

static int
load_filter(const struct restrain_options *options, struct err *err)
{
	struct sock_filter filter[RESTRAIN_FILTER_MAX];
	struct sock_fprog program = { .filter = filter };

	program.len = (unsigned short)restrain_filter(options, filter);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return 0;
	if (errno != ENOSYS) /* a kernel without seccomp */
		return err_set(err, errno, "load the runtime's own seccomp filter");
	log_debug("seccomp: %s; the runtime goes on without its filter", err_reason(ENOSYS));
	return 0;
}

/* ---- all -------------------------------------------------------------- */

int
restrain_self(const struct restrain_options *options, struct err *err)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "set no_new_privs of the runtime");
	if (DROPS && (r = drop_capabilities(options->capabilities, err)) < 0)
		return r;
	if (!CONFINES)
		return 0;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, errno, "make the runtime not dumpable");
	r = options->looks_into_processes ? 0 : restrict_files(options, err);
	return r < 0 ? r : load_filter(options, err);
}
