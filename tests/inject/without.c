/* Runs a command, and all that comes of it, on a kernel without some system calls.
 *
 *   without [-p] CALL[,CALL…] COMMAND…
 *
 * A seccomp filter answers ENOSYS to them; with -p EPERM, as profiles do that are older than
 * the calls. no_new_privs is set only when that
 * cannot be avoided (without CAP_SYS_ADMIN): it would take the privileges of newuidmap. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
die(const char *what, int code)
{
	fprintf(stderr, "without: %s: %s\n", what, strerror(code));
	exit(125);
}

static void
load(char *calls, uint32_t action, unsigned no_new_privs)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx || seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) < 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, no_new_privs) < 0)
		die("seccomp_init", ENOMEM);
	for (char *name; (name = strsep(&calls, ","));) {
		int nr = seccomp_syscall_resolve_name(name);
		int r = nr < 0 ? -EINVAL : seccomp_rule_add(ctx, action, nr, 0);

		if (r < 0)
			die(name, -r);
	}
	if (seccomp_load(ctx) < 0)
		die("seccomp_load", errno);
	seccomp_release(ctx);
}

int
main(int argc, char **argv)
{
	uint32_t action = SCMP_ACT_ERRNO(ENOSYS);

	if (argc > 1 && !strcmp(argv[1], "-p")) {
		action = SCMP_ACT_ERRNO(EPERM);
		argv++;
		argc--;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: without [-p] CALL[,CALL...] COMMAND...\n");
		return 125;
	}
	load(argv[1], action, geteuid() != 0);
	execvp(argv[2], argv + 2);
	die(argv[2], errno);
}
