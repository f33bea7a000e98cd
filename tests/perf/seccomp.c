/* The time that the seccomp program of a config takes, in this process, which has done nothing of the
 * kind before: by knarr's generator, or by libseccomp, as runc and crun call it. Prints microseconds of
 * CPU time. To compare, take turns. In the build directory, with SRC the source:
 *
 *   cc -O2 -std=gnu11 -D_GNU_SOURCE -I$SRC -I. -include config.h $SRC/tests/perf/seccomp.c libknarr.a \
 *       -Wl,-Bstatic -lseccomp -lyajl_s -lcap -Wl,-Bdynamic -o seccomp-time
 *   ./seccomp-time knarr|libseccomp config.json */
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fd.h"
#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_tables.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
add_rule(scmp_filter_ctx ctx, const struct spec_seccomp_rule *rule)
{
	struct scmp_arg_cmp c[SECCOMP_MAX_ARGS];

	for (size_t i = 0; i < rule->n_args; i++)
		c[i] = (struct scmp_arg_cmp){ .arg = rule->args[i].index,
					      .op = (enum scmp_compare)seccomp_operator_number(rule->args[i].op),
					      .datum_a = rule->args[i].value,
					      .datum_b = rule->args[i].value_two };
	for (size_t i = 0; i < rule->names.n; i++) {
		int nr = seccomp_syscall_resolve_name(rule->names.items[i]);

		if (nr != __NR_SCMP_ERROR)
			seccomp_rule_add_array(ctx, seccomp_action_value(rule->action, rule->errno_ret), nr,
					       (unsigned)rule->n_args, c);
	}
}

static int
with_libseccomp(const struct spec_seccomp *s)
{
	scmp_filter_ctx ctx = seccomp_init(seccomp_action_value(s->default_action, s->default_errno_ret));
	int fd = memfd_create("seccomp-time", MFD_CLOEXEC), r;

	for (size_t i = 0; i < s->architectures.n; i++)
		seccomp_arch_add(ctx, seccomp_arch_token(s->architectures.items[i]));
	for (size_t i = 0; i < s->n_syscalls; i++)
		add_rule(ctx, &s->syscalls[i]);
	r = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	return r;
}

int
main(int argc, char **argv)
{
	struct seccomp_filter filter;
	struct spec_report report;
	struct arena a = { 0 };
	struct err e = { 0 };
	struct spec *s;
	double start;
	size_t len;
	char *text;
	int r;

	if (argc != 3 || fd_read_file_at(AT_FDCWD, argv[2], SPEC_MAX_SIZE, &text, &len) < 0 ||
	    spec_parse(argv[2], text, len, &a, &report, &s) < 0 || !s->linux_.seccomp) {
		fprintf(stderr, "usage: %s knarr|libseccomp CONFIG, which has linux.seccomp\n", argv[0]);
		return 1;
	}
	start = now();
	if (strcmp(argv[1], "knarr") == 0)
		r = seccomp_compile(s->linux_.seccomp, &a, &e, &filter);
	else
		r = with_libseccomp(s->linux_.seccomp);
	printf("%.0f\n", now() - start);
	return r < 0;
}
