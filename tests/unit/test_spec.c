/* oci-spec/spec.h: values of tests/data/spec/full.json one by one, warnings and
 * notes, the lone process object, loading from a bundle. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "oci-spec/spec.h"
#include "tests/unit/check.h"

static bool
same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool
strings_are(struct spec_strings s, const char *joined)
{
	char buf[256] = "";

	for (size_t i = 0; i < s.n; i++)
		snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf), "%s%s", i ? "|" : "", s.items[i]);
	return strcmp(buf, joined) == 0;
}

static char *
data_file(struct arena *a, const char *name)
{
	const char *srcdir = getenv("srcdir");

	return arena_printf(a, "%s/tests/data/spec/%s", srcdir ? srcdir : ".", name);
}

/* ---- full.json ------------------------------------------------------- */

#define BIT(n) (UINT64_C(1) << (n))

static void
check_process(const struct spec_process *p)
{
	CHECK(p->terminal && p->console_size.set && p->console_size.height == 25 && p->console_size.width == 80);
	CHECK(p->user.uid == 1 && p->user.gid == 4294967294 && p->user.umask.set && p->user.umask.v == 077);
	CHECK(p->user.additional_gids.n == 2 && p->user.additional_gids.items[1] == 6);
	CHECK(strings_are(p->args, "sh|-c|exit 0") && strings_are(p->env, "PATH=/bin|TERM=xterm"));
	CHECK(same(p->cwd, "/root") && p->no_new_privileges);
	CHECK(p->capabilities->bounding == (BIT(CAP_CHOWN) | BIT(CAP_CHECKPOINT_RESTORE)));
	CHECK(p->capabilities->effective == BIT(CAP_KILL) && p->capabilities->inheritable == BIT(CAP_KILL));
	CHECK(p->capabilities->permitted == (BIT(CAP_KILL) | BIT(CAP_SYS_ADMIN)));
	CHECK(p->capabilities->ambient == BIT(CAP_NET_BIND_SERVICE));
	CHECK(p->n_rlimits == 2 && p->rlimits[0].resource == RLIMIT_CORE && same(p->rlimits[0].type, "RLIMIT_CORE"));
	CHECK(p->rlimits[0].soft == 1024 && p->rlimits[0].hard == UINT64_MAX && p->rlimits[1].hard == 0);
	CHECK(same(p->apparmor_profile, "profile") && same(p->selinux_label, "u:r:t:s0"));
	CHECK(p->oom_score_adj.set && p->oom_score_adj.v == -1000);
	CHECK(p->scheduler->policy == SCHED_DEADLINE && p->scheduler->nice.set && p->scheduler->nice.v == -20);
	CHECK(!p->scheduler->priority.set && p->scheduler->flags == (SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM));
	CHECK(p->scheduler->runtime == 10000000 && p->scheduler->deadline == 20000000);
	CHECK(p->scheduler->period == UINT64_MAX);
	CHECK(p->io_priority->class == 3 && p->io_priority->priority == 4);
	CHECK(same(p->exec_cpu_affinity->initial, "7") && same(p->exec_cpu_affinity->final, "0-3, 7"));
}

static void
check_top(const struct spec *s)
{
	const struct spec_mount *m = &s->mounts[1];

	CHECK(same(s->oci_version, "1.3.0") && same(s->root->path, "rootfs") && s->root->readonly);
	CHECK(same(s->hostname, "slartibartfast") && same(s->domainname, "example.org"));
	CHECK(s->n_mounts == 3 && same(s->mounts[0].destination, "/proc") && s->mounts[0].options.n == 0);
	CHECK(same(m->destination, "data") && same(m->type, "none") && same(m->source, "/volumes/a"));
	CHECK(strings_are(m->options, "rbind|rw|idmap") && m->uid_mappings.items[0].host_id == 100000);
	CHECK(m->gid_mappings.n == 1 && m->gid_mappings.items[0].size == 65536);
	CHECK(!s->mounts[2].source);
	CHECK(s->hooks.prestart.n == 2 && same(s->hooks.prestart.items[0].path, "/usr/bin/a"));
	CHECK(strings_are(s->hooks.prestart.items[0].args, "a|arg1") && s->hooks.prestart.items[0].has_env);
	CHECK(s->hooks.prestart.items[0].timeout.v == INT64_MAX && !s->hooks.prestart.items[1].has_env);
	CHECK(s->hooks.create_runtime.items[0].has_env && s->hooks.create_runtime.items[0].env.n == 0);
	CHECK(s->hooks.create_container.n == 1 && s->hooks.start_container.n == 1 && s->hooks.poststop.n == 1);
	CHECK(s->hooks.poststart.items[0].timeout.set && s->hooks.poststart.items[0].timeout.v == 5);
	CHECK(s->annotations.n == 2 && same(s->annotations.items[0].key, "com.example.key"));
	CHECK(same(s->annotations.items[1].value, ""));
	CHECK(s->json_len == strlen(s->json) && s->json[0] == '{');
}

static void
check_devices(const struct spec_linux *l)
{
	CHECK(l->n_devices == 4 && l->devices[0].type == 'c' && l->devices[0].major == 10 &&
	      l->devices[0].minor == 229);
	CHECK(l->devices[0].file_mode.v == 0666 && l->devices[0].gid.set && l->devices[0].gid.v == 1);
	CHECK(l->devices[1].type == 'b' && l->devices[1].file_mode.v == 0660); /* 060660: the type was cut off */
	CHECK(l->devices[2].type == 'p' && !l->devices[2].file_mode.set);
	CHECK(l->devices[3].type == 'u' && l->devices[3].minor == 1048575 && l->devices[3].file_mode.v == 0666);
	CHECK(l->n_net_devices == 4 && same(l->net_devices[0].host_name, "eth0"));
	CHECK(same(l->net_devices[0].name, "container_eth0") && !l->net_devices[1].name);
}

static void
check_limits(const struct spec_resources *r)
{
	CHECK(r->n_devices == 4 && !r->devices[0].allow && r->devices[0].type == 'a' && !r->devices[0].major.set);
	CHECK(r->devices[1].read && r->devices[1].write && !r->devices[1].mknod && r->devices[1].minor.v == 229);
	CHECK(r->devices[2].type == 'b' && !r->devices[2].major.set && !r->devices[2].minor.set); /* -1: any */
	CHECK(!r->devices[2].read && r->devices[2].mknod);
	CHECK(r->devices[3].type == 'a' && r->devices[3].read && r->devices[3].write && r->devices[3].mknod);
	CHECK(r->memory->limit.v == 536870912 && r->memory->reservation.set && r->memory->swap.v == -1);
	CHECK(r->memory->swappiness.v == 100 && r->memory->disable_oom_killer.set && !r->memory->disable_oom_killer.v);
	CHECK(r->memory->use_hierarchy.v && r->memory->check_before_update.v && r->memory->kernel_tcp.v == -1);
	CHECK(r->cpu->shares.v == 1024 && r->cpu->quota.v == 1000000 && r->cpu->burst.v == 1000000);
	CHECK(r->cpu->period.v == 500000 && r->cpu->realtime_runtime.v == 950000 && r->cpu->idle.v == 1);
	CHECK(same(r->cpu->cpus, "2-3") && same(r->cpu->mems, "0-7"));
	CHECK(r->pids_limit.set && r->pids_limit.v == 0);
	CHECK(r->block_io->weight.v == 10 && r->block_io->leaf_weight.v == 65535 && r->block_io->n_weight_devices == 2);
	CHECK(r->block_io->weight_devices[1].minor == 16 && r->block_io->weight_devices[1].weight.v == 500);
	CHECK(!r->block_io->weight_devices[1].leaf_weight.set && r->block_io->read_bps.items[0].rate == 600);
	CHECK(r->block_io->write_bps.n == 0 && r->block_io->write_iops.items[0].minor == 16);
	CHECK(r->n_hugepage_limits == 2 && r->hugepage_limits[0].limit == 9223372036854772000);
	CHECK(r->network->class_id.v == 1048577 && r->network->priorities[1].priority == 1000);
	CHECK(r->n_rdma == 2 && same(r->rdma[0].device, "mlx5_1") && r->rdma[0].hca_handles.v == 3);
	CHECK(!r->rdma[1].hca_handles.set && r->rdma[1].hca_objects.v == 10000);
	CHECK(r->unified.n == 2 && same(r->unified.items[0].key, "io.max"));
}

static void
check_seccomp(const struct spec_seccomp *s)
{
	const struct spec_seccomp_rule *rule = &s->syscalls[1];

	CHECK(s->default_action == SPEC_ACT_ERRNO && s->default_errno_ret.v == 38);
	CHECK(strings_are(s->architectures, "SCMP_ARCH_X86|SCMP_ARCH_LOONGARCH64") && s->flags.n == 2);
	CHECK(same(s->listener_path, "/run/agent.sock") && same(s->listener_metadata, "m") && s->n_syscalls == 2);
	CHECK(strings_are(s->syscalls[0].names, "getcwd|chmod") && s->syscalls[0].action == SPEC_ACT_NOTIFY);
	CHECK(!s->syscalls[0].errno_ret.set && rule->errno_ret.v == 65535 && rule->n_args == 2);
	CHECK(rule->args[0].index == 5 && rule->args[0].value == UINT64_MAX && rule->args[0].value_two == 1);
	CHECK(rule->args[0].op == SPEC_OP_MASKED_EQ && rule->args[1].op == SPEC_OP_GT);
}

static void
check_linux(const struct spec_linux *l)
{
	CHECK(l->namespaces[NS_PID].listed && !l->namespaces[NS_PID].path);
	CHECK(same(l->namespaces[NS_NETWORK].path, "/run/netns/a"));
	CHECK(l->namespaces[NS_CGROUP].listed && !l->namespaces[NS_CGROUP].path);
	CHECK(l->uid_mappings.n == 2 && l->uid_mappings.items[1].host_id == 4294967294);
	CHECK(l->time_offsets.set && l->time_offsets.monotonic.secs == -172800);
	CHECK(l->time_offsets.monotonic.nanosecs == 999999999 && l->time_offsets.boottime.secs == 604800);
	CHECK(l->rootfs_propagation == SPEC_PROP_SLAVE && l->rootfs_propagation_rec);
	CHECK(same(l->cgroups_path, "/myRuntime/..a/my..Container") && l->sysctl.n == 5);
	CHECK(strings_are(l->masked_paths, "/proc/kcore") && strings_are(l->readonly_paths, "/proc/asound|/proc/bus"));
	CHECK(same(l->mount_label, "system_u:object_r:t:s0"));
	CHECK(same(l->intel_rdt->clos_id, "guaranteed_group") && same(l->intel_rdt->l3_cache_schema, "L3:0=7f0"));
	CHECK(l->intel_rdt->schemata.n == 2 && l->intel_rdt->enable_monitoring);
	CHECK(l->memory_policy->mode == MPOL_INTERLEAVE && same(l->memory_policy->nodes, "2-3"));
	CHECK(l->memory_policy->flags == (MPOL_F_STATIC_NODES | MPOL_F_NUMA_BALANCING));
	CHECK(l->personality.set && l->personality.domain == PER_LINUX32);
}

static void
test_full(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_report report;
	struct spec *s = NULL;
	struct err err;

	CHECK(spec_load(NULL, data_file(&a, "full.json"), &a, &report, &err, &s) == 0);
	if (!s) {
		fprintf(stderr, "%s\n", err.msg);
		failed = 1;
		return;
	}
	/* Capabilities that its other sets rule out. */
	CHECK(report.n == 2 && report.n_errors == 0 && report.n_warnings == 2);
	check_top(s);
	check_process(s->process);
	check_linux(&s->linux_);
	check_devices(&s->linux_);
	check_limits(s->linux_.resources);
	check_seccomp(s->linux_.seccomp);
}

static void
test_samples(void)
{
	static const char *const names[] = { "minimal.json", "minimal-for-start.json", "linux-rdma.json",
					     "spec-example.json" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		auto_arena struct arena a = { 0 };
		struct spec_report report;
		struct spec *s = NULL;
		struct err err;

		if (spec_load(NULL, data_file(&a, names[i]), &a, &report, &err, &s) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			failed = 1;
		}
		CHECK(report.n_errors == 0 && report.n_warnings == 0);
	}
}

/* ---- texts in this file ---------------------------------------------- */

static char *
parse_text(struct arena *a, const char *json, struct spec **ret_spec)
{
	struct spec_report report;
	char *lines = arena_strdup(a, "");

	spec_parse("c", json, strlen(json), a, &report, ret_spec);
	for (size_t i = 0; i < report.n; i++)
		lines = arena_printf(a, "%s%s\n", lines, spec_issue_format(a, "c", &report.items[i]));
	return lines;
}

#define CONFIG(members) "{\"ociVersion\":\"1.0.2-dev\",\"root\":{\"path\":\"/r\"}" members "}"

/* What does not refuse a config. */
static void
test_tolerated(void)
{
	static const struct {
		const char *json, *lines;
	} cases[] = {
		{ CONFIG(""), "" },
		{ "\t{\"ociVersion\":\"1.9.0\",\"root\":{\"path\":\"/r\"}}\n",
		  "c:1:16: warning: ociVersion: version 1.9.0 is newer than 1.3.0, new properties are ignored\n" },
		{ "{\"ociVersion\":\"1.3.7+build.5\",\"root\":{\"path\":\"/r\"}}", "" },
		{ "{\"ociVersion\":\"1.0.0-rc6-dev\",\"root\":{\"path\":\"/r\"}}", "" },
		{ CONFIG(",\"hostname\":\"\",\"linux\":{\"cgroupsPath\":null}"),
		  "c:1:71: note: linux.cgroupsPath: null is taken as absent\n" },
		{ CONFIG(",\"windows\":{\"x\":1},\"futureThing\":[{}]"),
		  "c:1:48: note: windows: has no meaning on Linux and is ignored\n"
		  "c:1:66: note: futureThing: unknown property is ignored\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/\",\"args\":[\"\"],\"env\":[\"A\",\"=B\",\"C=\"]}"),
		  "c:1:88: warning: process.env[0]: expected NAME=value, found \"A\"\n"
		  "c:1:92: warning: process.env[1]: expected NAME=value, found \"=B\"\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/"
			 "\",\"args\":[\"a\"],\"capabilities\":{\"ambient\":[\"cap_kill\",\"41\"]}}"),
		  "c:1:109: warning: process.capabilities.ambient[0]: unknown capability \"cap_kill\" is left out, did "
		  "you "
		  "mean \"CAP_KILL\"?\n"
		  "c:1:120: warning: process.capabilities.ambient[1]: unknown capability \"41\" is left out\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{}}"),
		  "c:1:89: warning: process.user.uid: required property is missing, 0 is taken\n"
		  "c:1:89: warning: process.user.gid: required property is missing, 0 is taken\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":null,\"gid\":5}}"),
		  "c:1:89: warning: process.user.uid: required property is missing, 0 is taken\n"
		  "c:1:90: note: process.user.uid: null is taken as absent\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/"
			 "\",\"args\":[\"a\"],\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\"}}"),
		  "c:1:95: warning: process.ioPriority.priority: required property is missing, 0 is taken\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"capabilities\":{\"ambient\":[\"CAP_KILL\"]}}"),
		  "c:1:108: warning: process.capabilities.ambient: left out CAP_KILL: not in both the permitted and "
		  "the "
		  "inheritable set\n" },
		{ CONFIG(",\"process\":{\"cwd\":\"/"
			 "\",\"args\":[\"a\"],\"consoleSize\":{\"height\":99999,\"width\":1}}"),
		  "" },
		{ CONFIG(",\"linux\":{\"namespaces\":[{\"type\":\"user\"}]}"), "" },
		{ CONFIG(",\"linux\":{\"intelRdt\":{\"l3CacheSchema\":\"x\",\"closID\":\"/\"}}"),
		  "c:1:85: warning: linux.intelRdt.l3CacheSchema: should begin with \"L3:\"\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_arena struct arena a = { 0 };
		struct spec *s = NULL;
		char *lines = parse_text(&a, cases[i].json, &s);

		if (s && strcmp(lines, cases[i].lines) == 0)
			continue;
		fprintf(stderr, "%s:%d: case %zu: %s\n%s", __FILE__, __LINE__, i, s ? "" : "refused", lines);
		failed = 1;
	}
}

static void
test_defaults(void)
{
	auto_arena struct arena a = { 0 };
	struct spec *s = NULL;

	parse_text(&a,
		   CONFIG(",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"consoleSize\":{\"height\":3,\"width\":1}}"),
		   &s);
	CHECK(s && !s->hostname && s->n_mounts == 0 && s->hooks.prestart.n == 0);
	if (!s)
		return;
	CHECK(!s->process->terminal && !s->process->console_size.set && !s->process->capabilities);
	CHECK(!s->process->user.umask.set && !s->process->oom_score_adj.set && !s->process->scheduler);
	CHECK(!s->linux_.seccomp && !s->linux_.resources && !s->linux_.cgroups_path && !s->linux_.personality.set);
	CHECK(s->linux_.rootfs_propagation == SPEC_PROP_UNSET && !s->linux_.namespaces[NS_MOUNT].listed);
}

/* A pids.limit of 0 is a limit since version 1.3 only. */
static void
test_older_meaning(void)
{
	static const char rest[] = "\"root\":{\"path\":\"/r\"},\"linux\":{\"resources\":{\"pids\":{\"limit\":";
	static const struct {
		const char *version, *limit;
		bool set;
	} cases[] = {
		{ "1.0.0", "0", false }, { "1.0.2-dev", "0", false }, { "1.2.1", "0", false },
		{ "1.3.0", "0", true },	 { "1.9.0", "0", true },      { "1.0.2-dev", "7", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_arena struct arena a = { 0 };
		struct spec *s = NULL;

		parse_text(&a,
			   arena_printf(&a, "{\"ociVersion\":\"%s\",%s%s}}}}", cases[i].version, rest, cases[i].limit),
			   &s);
		CHECK(s && s->linux_.resources->pids_limit.set == cases[i].set);
	}
}

/* A hundred issues at most, but every error is counted; notes give way. */
static void
test_many(void)
{
	auto_arena struct arena a = { 0 };
	struct spec_report report;
	struct spec *s = NULL;
	char *json = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&json, &len);

	if (!f)
		abort();
	fputs("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/r\"", f);
	for (int i = 0; i < 500; i++)
		fprintf(f, ",\"u%d\":1", i);
	fputs("},\"mounts\":[", f);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "%s%d", i ? "," : "", i);
	fputs("]}", f);
	fclose(f);
	CHECK(spec_parse("c", json, len, &a, &report, &s) == -EINVAL && !s);
	CHECK(report.n == SPEC_MAX_ISSUES && report.n_errors == 1000);
	for (size_t i = 0; i < report.n; i++)
		CHECK(report.items[i].severity == SPEC_ERROR);
	CHECK(same(report.items[0].path, "mounts[0]") && same(report.items[99].path, "mounts[99]"));
	free(json);
}

static void
test_too_large(void)
{
	auto_arena struct arena a = { 0 };
	size_t len = SPEC_MAX_SIZE + 5;
	char *json = malloc(len);
	struct spec_report report;
	struct spec *s = NULL;

	if (!json)
		abort();
	memset(json, ' ', len);
	CHECK(spec_parse("c", json, len, &a, &report, &s) == -EINVAL);
	CHECK(report.n == 1 && same(report.items[0].text, "the file is larger than 16777216 bytes"));
	free(json);
}

static void
test_process(void)
{
	static const char good[] = "{\"cwd\":\"/\",\"args\":[\"id\"],\"user\":{\"uid\":5,\"gid\":6}}";
	static const char bad[] = "{\"cwd\":\".\",\"args\":[\"id\"]}";
	auto_arena struct arena a = { 0 };
	struct spec_process *process = NULL;
	struct spec_report report;

	CHECK(spec_parse_process(good, strlen(good), &a, &report, &process) == 0 && report.n == 0);
	CHECK(process && process->user.gid == 6 && strings_are(process->args, "id"));
	process = NULL;
	CHECK(spec_parse_process(bad, strlen(bad), &a, &report, &process) == -EINVAL && !process);
	CHECK(report.n == 1 && same(spec_issue_format(&a, "p", &report.items[0]),
				    "p:1:8: error: cwd: expected an absolute path, found \".\""));
}

static void
test_load(void)
{
	char dir[] = "/tmp/knarr-test-spec-XXXXXX";
	auto_arena struct arena a = { 0 };
	struct spec_report report;
	struct spec *s = NULL;
	struct err err;
	char *file;
	int fd;

	if (!mkdtemp(dir) || (fd = open(dir, O_PATH | O_CLOEXEC)) < 0)
		abort();
	file = arena_printf(&a, "%s/config.json", dir);
	CHECK(spec_load(dir, NULL, &a, &report, &err, &s) == -ENOENT && err.code == ENOENT && strstr(err.msg, file));
	CHECK(report.n == 0);
	fd_replace_file_at(fd, "config.json", "{\n}", 3, 0600);
	CHECK(spec_load(dir, NULL, &a, &report, &err, &s) == -EINVAL && report.n == 2 && err.code == 0);
	CHECK(same(err.msg,
		   arena_printf(&a, "%s:1:1: ociVersion: required property is missing (and 1 more error)", file)));
	fd_replace_file_at(fd, "config.json", CONFIG(""), strlen(CONFIG("")), 0600);
	CHECK(spec_load("/nowhere", file, &a, &report, &err, &s) == 0 && s && same(s->file, file));
	unlink(file);
	rmdir(dir);
	close(fd);
}

int
main(void)
{
	test_full();
	test_samples();
	test_tolerated();
	test_defaults();
	test_older_meaning();
	test_many();
	test_too_large();
	test_process();
	test_load();
	CHECK(same(ns_kinds[NS_NETWORK].word, "network"));
	return failed;
}
