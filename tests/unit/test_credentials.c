/* Credentials: what the plan says for a process. What a program has after the steps
 * have run is in test_credentials_run.c. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "libcontainer/process/attributes.h"
#include "tests/unit/credentials_fixture.h"

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
	f.spec.linux_.namespaces[NS_USER].listed = true;
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
	CHECK(!log_captured[0]); /* the parser has told */
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
	f.builder.spawn.deny_setgroups = true;
	CHECK(compile(&f) == 0);
	s = find(&f, PLAN_SET_IDS);
	CHECK(s && !s->u.ids.set_groups && !s->u.ids.has_umask);
	fixture_free(&f);

	fixture_init(&f);
	f.builder.spawn.deny_setgroups = true;
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
	f.spec.linux_.namespaces[NS_USER].listed = true;
	CHECK(compile(&f) == 0 && !find(&f, PLAN_SET_OOM_SCORE));
	CHECK(f.plan->spawn.has_oom_score && f.plan->spawn.oom_score == -5);
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
	return failed;
}
