/* Credentials: what the plan says for a process, and (as root) what a program
 * has after the steps have run and it was executed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/attributes.h"
#include "libcontainer/credentials.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

#define CAP(n) ((uint64_t)1 << (n))
enum { CHOWN = 0, KILL = 5, SETUID = 7, NET_BIND = 10, SYS_CHROOT = 18, SYS_ADMIN = 21, SYS_RESOURCE = 24 };

/* ---- a spec to start from -------------------------------------------- */

struct fixture {
	struct arena arena;
	struct spec spec;
	struct spec_process process;
	struct spec_capabilities capabilities;
	struct host host;
	struct plan_builder builder;
	struct err err;
	struct plan *plan;
};

static void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->spec.process = &f->process;
	f->process.cwd = (char *)"/";
	f->process.capabilities = &f->capabilities;
	host_reference(true, &f->host);
	plan_begin(&f->builder, &f->arena);
	err_clear(&f->err);
	log_captured[0] = '\0';
}

static void
fixture_free(struct fixture *f)
{
	plan_free(f->plan);
	arena_free(&f->arena);
}

static int
compile(struct fixture *f)
{
	int r = credentials_plan_limits(&f->builder, &f->spec, &f->host, &f->err);

	if (r == 0)
		r = credentials_plan(&f->builder, &f->spec, &f->host, &f->err);
	return r < 0 ? r : plan_seal(&f->builder, &f->err, &f->plan);
}

static const struct plan_step *
find(const struct fixture *f, enum plan_kind kind)
{
	for (uint32_t i = 0; f->plan && i < f->plan->n_steps; i++)
		if (f->plan->steps[i].kind == kind)
			return &f->plan->steps[i];
	return NULL;
}

/* ---- plans ----------------------------------------------------------- */

static void
test_order(void)
{
	static const uint8_t expected[] = { PLAN_SET_RLIMIT,	  PLAN_SET_OOM_SCORE,	PLAN_SET_SCHEDULER,
					    PLAN_SET_IO_PRIORITY, PLAN_SET_PERSONALITY, PLAN_SET_MEMORY_POLICY,
					    PLAN_SET_LABEL,	  PLAN_SET_LABEL,	PLAN_SET_RLIMIT,
					    PLAN_SET_IDS,	  PLAN_CHANGE_DIR,	PLAN_SET_CAPABILITIES };
	struct spec_rlimit limits[] = { { RLIMIT_NOFILE, NULL, 4, 8 }, { RLIMIT_CORE, NULL, 0, 0 } };
	struct spec_scheduler sched = { .policy = SCHED_BATCH, .nice = { true, 5 } };
	struct spec_io_priority io = { 2, 3 };
	struct spec_memory_policy mem = { MPOL_BIND, (char *)"0-3,7", 0 };
	struct fixture f;

	fixture_init(&f);
	f.process.rlimits = limits;
	f.process.n_rlimits = 2;
	f.process.oom_score_adj = (struct opt_i64){ true, 100 };
	f.process.scheduler = &sched;
	f.process.io_priority = &io;
	f.process.apparmor_profile = (char *)"prof";
	f.process.selinux_label = (char *)"u:r:t:s0";
	f.spec.linux_.personality.set = true;
	f.spec.linux_.personality.domain = 8;
	f.spec.linux_.memory_policy = &mem;
	CHECK(compile(&f) == 0);
	NEED(f.plan && f.plan->n_steps == sizeof(expected));
	for (uint32_t i = 0; i < f.plan->n_steps; i++)
		CHECK(f.plan->steps[i].kind == expected[i]);
	CHECK(f.plan->steps[0].u.rlimit.resource == RLIMIT_CORE);
	CHECK(!strcmp(plan_text(f.plan, f.plan->steps[8].what), "process.rlimits[0]"));
	CHECK(!strcmp(plan_text(f.plan, f.plan->steps[6].u.label.file), "apparmor/exec"));
	CHECK(!strcmp(plan_text(f.plan, f.plan->steps[6].u.label.text), "exec prof"));
	CHECK(!strcmp(plan_text(f.plan, f.plan->steps[7].u.label.text), "u:r:t:s0"));
	CHECK(f.plan->steps[5].u.memory_policy.max_node == 65);
	CHECK(*(const unsigned long *)(f.plan->blob + f.plan->steps[5].u.memory_policy.nodes.off) == 0x8f);
	fixture_free(&f);
}

static void
test_capability_cuts(void)
{
	const struct plan_step *s;
	struct fixture f;

	/* Absent: none at all. */
	fixture_init(&f);
	f.process.capabilities = NULL;
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_CAPABILITIES);
	CHECK(s && !s->u.capabilities.bounding && !s->u.capabilities.permitted && !log_captured[0]);
	fixture_free(&f);

	/* What the runtime lacks is left out of every set, with one warning. */
	fixture_init(&f);
	f.host.capabilities &= ~CAP(SYS_RESOURCE);
	f.capabilities.bounding = f.capabilities.permitted = CAP(CHOWN) | CAP(SYS_RESOURCE);
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_CAPABILITIES);
	CHECK(s && s->u.capabilities.bounding == CAP(CHOWN) && s->u.capabilities.permitted == CAP(CHOWN));
	CHECK(strstr(log_captured, "left out CAP_SYS_RESOURCE: the runtime"));
	fixture_free(&f);

	/* In a user namespace it has all, up to the kernel's last. */
	fixture_init(&f);
	f.host.capabilities = 0;
	f.spec.linux_.namespaces[SPEC_NS_USER].listed = true;
	f.capabilities.bounding = CAP(SYS_RESOURCE) | CAP(60);
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_CAPABILITIES);
	CHECK(s && s->u.capabilities.bounding == CAP(SYS_RESOURCE));
	fixture_free(&f);

	/* Sets that the kernel would refuse. */
	fixture_init(&f);
	f.capabilities = (struct spec_capabilities){ .bounding = CAP(CHOWN),
						     .inheritable = CAP(KILL) | CAP(CHOWN),
						     .effective = CAP(CHOWN) | CAP(KILL),
						     .permitted = CAP(CHOWN),
						     .ambient = CAP(CHOWN) | CAP(SETUID) };
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_CAPABILITIES);
	CHECK(s && s->u.capabilities.inheritable == CAP(CHOWN) && s->u.capabilities.effective == CAP(CHOWN) &&
	      s->u.capabilities.ambient == CAP(CHOWN));
	CHECK(strstr(log_captured, "effective: left out CAP_KILL") &&
	      strstr(log_captured, "ambient: left out CAP_SETUID"));
	fixture_free(&f);
}

static void
test_keep_sys_admin(void)
{
	struct spec_seccomp seccomp = { 0 };
	const struct plan_step *s;
	struct fixture f;

	for (int nnp = 0; nnp < 2; nnp++)
		for (int has = 0; has < 2; has++) {
			fixture_init(&f);
			f.spec.linux_.seccomp = &seccomp;
			f.process.no_new_privileges = nnp;
			if (!has)
				f.host.capabilities &= ~CAP(SYS_ADMIN);
			CHECK(compile(&f) == 0);
			s = find(&f, PLAN_SET_CAPABILITIES);
			CHECK(s && s->u.capabilities.keep_sys_admin == (!nnp && has));
			fixture_free(&f);
		}
}

static void
test_ids_plan(void)
{
	uint32_t gids[] = { 5, 6 };
	const struct plan_step *s;
	struct fixture f;

	fixture_init(&f);
	f.process.user = (struct spec_user){ 7, 8, { true, 0 }, { gids, 2 } };
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_IDS);
	CHECK(s && s->u.ids.uid == 7 && s->u.ids.gid == 8 && s->u.ids.has_umask && s->u.ids.umask == 0);
	CHECK(s && s->u.ids.set_groups && s->u.ids.groups.len == 8);
	fixture_free(&f);

	fixture_init(&f);
	f.builder.stage.deny_setgroups = true;
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_IDS);
	CHECK(s && !s->u.ids.set_groups && !s->u.ids.has_umask);
	fixture_free(&f);

	fixture_init(&f);
	f.builder.stage.deny_setgroups = true;
	f.process.user.additional_gids = (struct spec_u32s){ gids, 2 };
	CHECK(compile(&f) == -EINVAL && strstr(f.err.msg, "process.user.additionalGids: "));
	fixture_free(&f);
}

static void
test_oom_plan(void)
{
	struct fixture f;

	fixture_init(&f);
	f.process.oom_score_adj = (struct opt_i64){ true, -5 };
	f.spec.linux_.namespaces[SPEC_NS_USER].listed = true;
	CHECK(compile(&f) == 0 && !find(&f, PLAN_SET_OOM_SCORE));
	CHECK(f.plan->stage.has_oom_score && f.plan->stage.oom_score == -5);
	fixture_free(&f);

	fixture_init(&f);
	f.process.oom_score_adj = (struct opt_i64){ true, 1001 };
	CHECK(compile(&f) == -EINVAL);
	fixture_free(&f);
}

static void
test_refused(void)
{
	static const struct {
		struct spec_scheduler sched;
		const char *text;
	} bad[] = {
		{ { .policy = SCHED_FIFO }, "process.scheduler.priority" },
		{ { .policy = SCHED_RR, .priority = { true, 100 } }, "process.scheduler.priority" },
		{ { .policy = SCHED_OTHER, .priority = { true, 1 } }, "process.scheduler.priority" },
		{ { .policy = SCHED_OTHER, .nice = { true, 20 } }, "process.scheduler.nice" },
		{ { .policy = SCHED_OTHER, .runtime = 1 }, "SCHED_DEADLINE only" },
		{ { .policy = 6, .runtime = 2, .deadline = 1 }, "runtime <= deadline" },
	};
	struct fixture f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spec_scheduler sched = bad[i].sched;

		fixture_init(&f);
		f.process.scheduler = &sched;
		CHECK(compile(&f) == -EINVAL && strstr(f.err.msg, bad[i].text));
		fixture_free(&f);
	}
	fixture_init(&f);
	f.host.apparmor = false;
	f.process.apparmor_profile = (char *)"p";
	CHECK(compile(&f) == -EINVAL && strstr(f.err.msg, "AppArmor is not active"));
	fixture_free(&f);
	fixture_init(&f);
	f.host.selinux = false;
	f.process.selinux_label = (char *)"l";
	CHECK(compile(&f) == -EINVAL && strstr(f.err.msg, "SELinux is not active"));
	fixture_free(&f);
}

static void
test_nodes(void)
{
	static const char *const bad[] = {
		"", ",", "1,", "a", "3-1", "1-", "-1", "1 2", "0x1", "32768", "99999999999999999999"
	};
	auto_arena struct arena a = { 0 };
	unsigned long *mask;
	uint32_t bits;
	struct err err;

	CHECK(attributes_parse_list(&a, "p", "0", &err, &mask, &bits) == 0 && bits == 64 && mask[0] == 1);
	CHECK(attributes_parse_list(&a, "p", "63-64", &err, &mask, &bits) == 0 && bits == 128 && mask[0] == 1UL << 63 &&
	      mask[1] == 1);
	CHECK(attributes_parse_list(&a, "p", "32767", &err, &mask, &bits) == 0 && bits == 32768);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(attributes_parse_list(&a, "p", bad[i], &err, &mask, &bits) == -EINVAL);
}

/* ---- running (root) -------------------------------------------------- */

typedef int step_fn(struct plan_ctx *c, const struct plan_step *s);

static step_fn *const runners[PLAN_KIND_COUNT] = {
	[PLAN_SET_RLIMIT] = credentials_run_rlimit,
	[PLAN_SET_OOM_SCORE] = credentials_run_oom_score,
	[PLAN_SET_SCHEDULER] = credentials_run_scheduler,
	[PLAN_SET_IO_PRIORITY] = credentials_run_io_priority,
	[PLAN_SET_PERSONALITY] = credentials_run_personality,
	[PLAN_SET_MEMORY_POLICY] = credentials_run_memory_policy,
	[PLAN_SET_IDS] = credentials_run_ids,
	[PLAN_CHANGE_DIR] = credentials_run_change_dir,
	[PLAN_SET_CAPABILITIES] = credentials_run_capabilities,
};

static void
run_all(struct fixture *f, struct err *err)
{
	static struct plan_ctx c;

	c.plan = f->plan;
	c.err = err;
	memset(c.fds, -1, sizeof(c.fds));
	for (uint32_t i = 0; i < f->plan->n_steps; i++)
		if (runners[f->plan->steps[i].kind](&c, &f->plan->steps[i]) < 0)
			_exit(1);
}

/* Runs the plan in a child which then executes a program that prints file. err
 * is shared with the child. */
static int
output_of(struct fixture *f, const char *file, char *buf, size_t size)
{
	struct err *err = mmap(NULL, sizeof(*err), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fds[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	err_clear(err);
	if (compile(f) < 0) {
		printf("compile: %s\n", f->err.msg);
		return -1;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		run_all(f, err);
		execl("/bin/cat", "cat", file, NULL);
		_exit(2);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	f->err = *err;
	munmap(err, sizeof(*err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
check_line(const char *text, const char *line, int at)
{
	if (strstr(text, line))
		return;
	printf("%s:%d: no line \"%s\" in:\n%s", __FILE__, at, line, text);
	failed = 1;
}

struct caps_case {
	uint32_t uid;
	bool seccomp; /* keeps CAP_SYS_ADMIN until execve */
	uint64_t bounding, effective, permitted, inheritable, ambient;
	uint64_t bnd, eff, prm, inh, amb; /* of the program: measured with runc 1.1.5 */
	int line;
};

#define N CAP(NET_BIND)
#define K CAP(KILL)
static const struct caps_case caps_cases[] = {
	{ 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, __LINE__ },
	{ 0, true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, __LINE__ },
	{ 0, false, N | K, N | K, N | K, 0, 0, N | K, N | K, N | K, 0, 0, __LINE__ },
	{ 0, true, N | K, N | K, N | K, 0, 0, N | K, N | K, N | K, 0, 0, __LINE__ },
	{ 0, false, N | K, 0, 0, 0, 0, N | K, N | K, N | K, 0, 0, __LINE__ },
	{ 0, true, N, N, N, N, N, N, N, N, N, N, __LINE__ },
	{ 1000, false, N | K, N | K, N | K, 0, 0, N | K, 0, 0, 0, 0, __LINE__ },
	{ 1000, true, N | K, N | K, N | K, 0, 0, N | K, 0, 0, 0, 0, __LINE__ },
	{ 1000, false, N | K, N, N, N, N, N | K, N, N, N, N, __LINE__ },
	{ 1000, true, N | K, N, N, N, N, N | K, N, N, N, N, __LINE__ },
	{ 1000, true, N | K, N | K, N | K, N | K, 0, N | K, 0, 0, N | K, 0, __LINE__ },
};
#undef N
#undef K

static void
test_capabilities_after_exec(void)
{
	struct spec_seccomp seccomp = { 0 };

	for (size_t i = 0; i < sizeof(caps_cases) / sizeof(caps_cases[0]); i++) {
		const struct caps_case *t = &caps_cases[i];
		char text[8192], line[64];
		struct fixture f;

		fixture_init(&f);
		f.process.user.uid = f.process.user.gid = t->uid;
		f.capabilities = (struct spec_capabilities){ t->bounding, t->effective, t->inheritable, t->permitted,
							     t->ambient };
		if (t->seccomp)
			f.spec.linux_.seccomp = &seccomp;
		CHECK(output_of(&f, "/proc/self/status", text, sizeof(text)) == 0);
		if (f.err.msg[0])
			printf("%s\n", f.err.msg);
		snprintf(line, sizeof(line), "CapBnd:\t%016llx\n", (unsigned long long)t->bnd);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapEff:\t%016llx\n", (unsigned long long)t->eff);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapPrm:\t%016llx\n", (unsigned long long)t->prm);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapInh:\t%016llx\n", (unsigned long long)t->inh);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "CapAmb:\t%016llx\n", (unsigned long long)t->amb);
		check_line(text, line, t->line);
		snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u\n", t->uid, t->uid, t->uid, t->uid);
		check_line(text, line, t->line);
		fixture_free(&f);
	}
}

static void
test_ids_after_exec(void)
{
	uint32_t gids[] = { 5, 4294967294U, 6 };
	char text[8192];
	struct fixture f;

	fixture_init(&f);
	f.process.user = (struct spec_user){ 1234, 5678, { true, 027 }, { gids, 3 } };
	CHECK(output_of(&f, "/proc/self/status", text, sizeof(text)) == 0);
	check_line(text, "Gid:\t5678\t5678\t5678\t5678\n", __LINE__);
	check_line(text, "Groups:\t5 6 4294967294 \n", __LINE__);
	check_line(text, "Umask:\t0027\n", __LINE__);
	fixture_free(&f);

	fixture_init(&f);
	CHECK(output_of(&f, "/proc/self/status", text, sizeof(text)) == 0);
	check_line(text, "Groups:\t \n", __LINE__);
	fixture_free(&f);
}

static void
test_limits_after_exec(void)
{
	struct spec_rlimit limits[] = { { RLIMIT_NOFILE, NULL, 20, 30 }, { RLIMIT_CORE, NULL, 1, 2 } };
	char text[8192];
	struct fixture f;

	fixture_init(&f);
	f.process.rlimits = limits;
	f.process.n_rlimits = 2;
	CHECK(output_of(&f, "/proc/self/limits", text, sizeof(text)) == 0);
	check_line(text, "Max open files            20                   30 ", __LINE__);
	check_line(text, "Max core file size        1                    2 ", __LINE__);
	fixture_free(&f);

	fixture_init(&f);
	f.process.oom_score_adj = (struct opt_i64){ true, 321 };
	CHECK(output_of(&f, "/proc/self/oom_score_adj", text, sizeof(text)) == 0);
	check_line(text, "321\n", __LINE__);
	fixture_free(&f);

	fixture_init(&f);
	f.spec.linux_.personality.set = true;
	f.spec.linux_.personality.domain = 8; /* PER_LINUX32 */
	CHECK(output_of(&f, "/proc/self/personality", text, sizeof(text)) == 0);
	check_line(text, "00000008\n", __LINE__);
	fixture_free(&f);
}

static void
test_scheduler_after_exec(void)
{
	struct spec_scheduler sched = { .policy = SCHED_BATCH, .nice = { true, 5 } };
	struct spec_io_priority io = { 3, 0 };
	struct spec_memory_policy mem = { MPOL_BIND, (char *)"0", 0 };
	char text[65536];
	struct fixture f;

	fixture_init(&f);
	f.process.scheduler = &sched;
	f.process.io_priority = &io;
	CHECK(output_of(&f, "/proc/self/stat", text, sizeof(text)) == 0);
	CHECK(strstr(text, " 25 5 1 0 ")); /* priority, nice, threads */
	fixture_free(&f);

	fixture_init(&f);
	f.spec.linux_.memory_policy = &mem;
	if (output_of(&f, "/proc/self/numa_maps", text, sizeof(text)) == 0)
		check_line(text, " bind:0 ", __LINE__);
	else
		CHECK(f.err.code == ENOSYS || !f.err.msg[0]); /* no NUMA in the kernel */
	fixture_free(&f);
}

/* In a root of its own, where descriptor 100 is a folder outside of it. */
static void
enter_root(const char *root, const char *outside)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(root, root, NULL, MS_BIND, NULL) < 0 || chdir(root) < 0 || mkdir("proc", 0755) < 0 ||
	    mount("proc", "proc", "proc", 0, NULL) < 0 ||
	    dup2(open(outside, O_PATH | O_DIRECTORY | O_CLOEXEC), 100) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		_exit(3);
}

/* CVE-2024-21626: a cwd that is a descriptor left open on a folder outside. */
static void
check_cwd(const char *cwd, int expected_exit, const char *text)
{
	struct err *err = mmap(NULL, sizeof(*err), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[] = "/tmp/knarr-test-XXXXXX", root[64], proc[80];
	static struct plan_ctx c;
	struct fixture f;
	int status = 0;
	pid_t pid;

	fixture_init(&f);
	f.process.cwd = (char *)cwd;
	CHECK(mkdtemp(dir) != NULL);
	snprintf(root, sizeof(root), "%s/root", dir);
	snprintf(proc, sizeof(proc), "%s/proc", root);
	CHECK(mkdir(root, 0755) == 0 && compile(&f) == 0);
	err_clear(err);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		enter_root(root, dir);
		c.plan = f.plan;
		c.err = err;
		_exit(credentials_run_change_dir(&c, find(&f, PLAN_CHANGE_DIR)) < 0 ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected_exit);
	CHECK(strstr(err->msg, text));
	CHECK(rmdir(proc) == 0 && rmdir(root) == 0 && rmdir(dir) == 0);
	munmap(err, sizeof(*err));
	fixture_free(&f);
}

static void
test_cwd(void)
{
	check_cwd("/proc", 0, "");
	check_cwd("/proc/self/fd/100", 1, "outside of the container's root");
	check_cwd("/none", 1, "chdir to cwd '/none'");
}

int
main(void)
{
	test_order();
	test_capability_cuts();
	test_keep_sys_admin();
	test_ids_plan();
	test_oom_plan();
	test_refused();
	test_nodes();
	if (failed || geteuid() != 0) {
		if (!failed)
			printf("SKIP: running the steps needs root\n");
		return failed ? 1 : SKIP;
	}
	test_capabilities_after_exec();
	test_ids_after_exec();
	test_limits_after_exec();
	test_scheduler_after_exec();
	test_cwd();
	return failed;
}
