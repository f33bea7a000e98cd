/* linux.resources: the list of writes, the checks, and the writes themselves
 * into a directory that looks like a cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "cgroups/cpu_weight.h"
#include "cgroups/settings.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

/* The list as text: "file=value" per line, '?' for optional, '~' for soft, the
 * controller in brackets, warnings as "!property"; or "error: …". */
static char *
compile_text(struct arena *a, const struct spec_resources *r)
{
	struct settings list = { .arena = a };
	struct err err;
	char *text = arena_strdup(a, "");

	err_clear(&err);
	if (settings_compile(&list, r, &err) < 0)
		return arena_printf(a, "error: %s", err.msg);
	for (size_t i = 0; i < list.n; i++) {
		const struct setting *s = &list.items[i];

		if (!s->file) {
			text = arena_printf(a, "%s!%s\n", text, s->property);
			continue;
		}
		text = arena_printf(a, "%s%s=%s%s%s", text, s->file, s->value, s->optional ? "?" : "",
				    s->soft ? "~" : "");
		if (s->needs)
			text = arena_printf(a, "%s[%s]", text, controller_name(s->needs));
		if (s->alt_file)
			text = arena_printf(a, "%s|%s=%s", text, s->alt_file, s->alt_value);
		text = arena_printf(a, "%s\n", text);
	}
	return text;
}

static void
expect(int line, const struct spec_resources *r, const char *want)
{
	auto_arena struct arena a = { 0 };
	char *got = compile_text(&a, r);
	bool same = strncmp(want, "error:", 6) ? !strcmp(got, want)
					       : !strncmp(got, "error:", 6) && strstr(got, want + 7) != NULL;

	if (!same) {
		printf("%s:%d: got\n%swant\n%s", __FILE__, line, got, want);
		failed = 1;
	}
}
#define EXPECT(r, want) expect(__LINE__, r, want)

static void
test_memory(void)
{
	struct spec_memory m = { .limit = { true, 1000000 } };
	struct spec_resources r = { .memory = &m };

	EXPECT(NULL, "");
	EXPECT(&r, "memory.max=1000000[memory]\n");
	m.swap = (struct opt_i64){ true, 1500000 };
	m.reservation = (struct opt_i64){ true, 500 };
	EXPECT(&r, "memory.max=1000000[memory]\nmemory.swap.max=500000[memory]\nmemory.low=500[memory]\n");
	m.reservation.v = -1;
	m.swap.v = 1000000;
	EXPECT(&r, "memory.max=1000000[memory]\nmemory.swap.max=0?[memory]\nmemory.low=max?\n");
	m.reservation.set = false;
	m.swap.v = -1;
	EXPECT(&r, "memory.max=1000000[memory]\nmemory.swap.max=max?\n");
	m.swap.v = 10;
	EXPECT(&r, "error: linux.resources.memory.swap: 10 is less than memory.limit, 1000000");
	m.swap.v = -2;
	EXPECT(&r, "error: linux.resources.memory.swap: -2");
	m.limit.v = -1;
	m.swap.v = 10;
	EXPECT(&r,
	       "error: linux.resources.memory.swap: 10 counts memory and swap together, which cgroup v2 can limit only "
	       "where memory.limit is not -1 (hint: ");
	m.limit.set = false;
	m.limit.v = 0;
	EXPECT(&r, "error: only where there is a memory.limit");
	m.limit = (struct opt_i64){ true, -1 };
	m.swap.set = false;
	EXPECT(&r, "memory.max=max?\nmemory.swap.max=max?\n");
	m.limit.v = -5;
	EXPECT(&r, "error: linux.resources.memory.limit: -5");
	m = (struct spec_memory){ .limit = { true, 0 },
				  .reservation = { true, 0 },
				  .kernel = { true, -1 },
				  .kernel_tcp = { true, 0 },
				  .swappiness = { true, 0 },
				  .use_hierarchy = { true, true },
				  .disable_oom_killer = { true, false } };
	EXPECT(&r, "memory.low=0?\n");
	m.disable_oom_killer.v = true;
	EXPECT(&r, "error: linux.resources.memory.disableOOMKiller: cgroup v2 has no such setting");
	m.swappiness.v = 60;
	EXPECT(&r, "error: linux.resources.memory.swappiness: cgroup v2 has no such setting");
	m.kernel_tcp.v = 5;
	EXPECT(&r, "error: linux.resources.memory.kernelTCP: cgroup v2 has no such setting");
	m.kernel.v = 1000000;
	EXPECT(&r, "error: linux.resources.memory.kernel: cgroup v2 has no such setting");
}

static void
test_cpu(void)
{
	struct spec_cpu c = { .shares = { true, 1024 } };
	struct spec_resources r = { .cpu = &c };

	EXPECT(&r, "cpu.weight=100?~[cpu]\n");
	c = (struct spec_cpu){ .quota = { true, 50000 }, .period = { true, 100000 } };
	EXPECT(&r, "cpu.max=50000 100000[cpu]\n");
	c.period.v = 0;
	c.burst = (struct opt_u64){ true, 20000 };
	EXPECT(&r, "cpu.max=50000[cpu]\ncpu.max.burst=20000[cpu]\n");
	c.burst.v = 50001;
	EXPECT(&r, "error: linux.resources.cpu.burst");
	c = (struct spec_cpu){ .quota = { true, -1 } };
	EXPECT(&r, "cpu.max=max?\n");
	c.quota.v = 0;
	EXPECT(&r, "");
	c.period = (struct opt_u64){ true, 200000 };
	EXPECT(&r, "cpu.max=max 200000?\n");
	c = (struct spec_cpu){ .idle = { true, 1 }, .cpus = (char *)"0-1", .mems = (char *)"0" };
	EXPECT(&r, "cpu.idle=1[cpu]\ncpuset.cpus=0-1[cpuset]\ncpuset.mems=0[cpuset]\n");
	c = (struct spec_cpu){ .idle = { true, 0 }, .cpus = (char *)"" };
	EXPECT(&r, "cpu.idle=0?\n");
	/* A weight that the kernel takes: none of an idle group, one after it is none any more. */
	c.shares = (struct opt_u64){ true, 1024 };
	EXPECT(&r, "cpu.idle=0?\ncpu.weight=100?~[cpu]\n");
	c.idle.v = 1;
	EXPECT(&r, "cpu.idle=1[cpu]\n");
	c = (struct spec_cpu){ .burst = { true, 0 } };
	EXPECT(&r, "cpu.max.burst=0?\n");
	c = (struct spec_cpu){ .realtime_period = { true, 5 } };
	EXPECT(&r, "error: realtimePeriod");
	c = (struct spec_cpu){ .realtime_runtime = { true, 5 }, .realtime_period = { true, 0 } };
	EXPECT(&r, "error: realtimeRuntime");
}

static void
test_weights(void)
{
	static const struct {
		unsigned long long shares;
		unsigned weight;
	} known[] = { { 0, 1 },	     { 1, 1 },	    { 2, 1 },	       { 3, 2 },	  { 512, 59 },
		      { 1024, 100 }, { 2048, 174 }, { 262143, 10000 }, { 262144, 10000 }, { ~0ULL, 10000 } };
	unsigned last = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (cpu_weight(known[i].shares) != known[i].weight) {
			printf("%s:%d: %llu: got %u, want %u\n", __FILE__, __LINE__, known[i].shares,
			       cpu_weight(known[i].shares), known[i].weight);
			failed = 1;
		}
	for (unsigned long long s = 2; s <= 262144; s++) {
		long double l = log2l((long double)s);
		long double exact = powl(10, (l * l + 125 * l) / 612 - 7.0L / 34);
		unsigned want = (unsigned)ceill(exact - 1e-10L), got = cpu_weight(s);

		if (got != want || got < last || got < 1 || got > 10000) {
			printf("%s:%d: shares %llu: got %u, want %u\n", __FILE__, __LINE__, s, got, want);
			failed = 1;
			return;
		}
		last = got;
	}
}

static void
test_others(void)
{
	struct spec_weight_device weights[] = { { .major = 8, .minor = 16, .weight = { true, 500 } },
						{ .major = 8, .minor = 0, .leaf_weight = { true, 0 } } };
	struct spec_throttle_device rates[] = { { 8, 0, 600 }, { 259, 1, 0 } };
	struct spec_block_io io = { .weight = { true, 10 },
				    .weight_devices = weights,
				    .n_weight_devices = 2,
				    .read_bps = { rates, 2 },
				    .write_iops = { rates, 1 } };
	struct spec_hugepage_limit huge = { (char *)"2MB", 209715200 };
	struct spec_rdma rdma = { (char *)"mlx5_1", { true, 3 }, { true, 10000 } };
	struct spec_network net = { .class_id = { true, 1 } };
	struct spec_resources r = { .block_io = &io };

	EXPECT(&r, "io.bfq.weight=10[io]|io.weight=1\nio.bfq.weight=8:16 500[io]|io.weight=8:16 4950\n"
		   "io.max=8:0 rbps=600[io]\nio.max=259:1 rbps=max?\nio.max=8:0 wiops=600[io]\n");
	weights[1].leaf_weight.v = 10;
	EXPECT(&r, "error: linux.resources.blockIO.weightDevice[1].leafWeight: cgroup v2 has no such setting");
	io.leaf_weight = (struct opt_u16){ true, 10 };
	EXPECT(&r, "error: linux.resources.blockIO.leafWeight: cgroup v2 has no such setting");
	io = (struct spec_block_io){ .weight = { true, 1000 } };
	EXPECT(&r, "io.bfq.weight=1000[io]|io.weight=10000\n");
	io.weight.v = 0;
	EXPECT(&r, "");
	io.weight.v = 9;
	EXPECT(&r, "error: linux.resources.blockIO.weight: 9");

	r = (struct spec_resources){ .hugepage_limits = &huge, .n_hugepage_limits = 1, .rdma = &rdma, .n_rdma = 1 };
	r.network = &net;
	r.pids_limit = (struct opt_i64){ true, 0 };
	EXPECT(&r, "pids.max=1[pids]\n"
		   "hugetlb.2MB.rsvd.max=209715200?[hugetlb]\nhugetlb.2MB.max=209715200[hugetlb]\n"
		   "rdma.max=mlx5_1 hca_handle=3 hca_object=10000[rdma]\n!linux.resources.network.classID\n");
	huge.page_size = (char *)"../2MB";
	EXPECT(&r, "error: linux.resources.hugepageLimits[0].pageSize");
	r = (struct spec_resources){ .pids_limit = { true, -1 } };
	EXPECT(&r, "pids.max=max?\n");
	r.pids_limit.v = -2;
	EXPECT(&r, "error: linux.resources.pids.limit");
}

static void
test_unified(void)
{
	struct spec_pair pairs[] = { { (char *)"memory.high", (char *)"5" },
				     { (char *)"cgroup.max.depth", (char *)"3" },
				     { (char *)"foo.bar", (char *)"x y" } };
	struct spec_resources r = { .unified = { pairs, 3 } };
	static const char *const bad[] = { "", ".", "..", ".x", "../x", "a/b", "/x", "a\nb" };

	EXPECT(&r, "memory.high=5[memory]\ncgroup.max.depth=3\nfoo.bar=x y\n");
	/* After the CPUs that it is made of, wherever it stands. */
	pairs[0] = (struct spec_pair){ (char *)"cpuset.cpus.partition", (char *)"root" };
	pairs[2] = (struct spec_pair){ (char *)"cpuset.cpus", (char *)"0" };
	EXPECT(&r, "cgroup.max.depth=3\ncpuset.cpus=0[cpuset]\ncpuset.cpus.partition=root[cpuset]\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pairs[1].key = (char *)bad[i];
		EXPECT(&r, "error: linux.resources.unified");
	}
}

/* ---- a directory that looks like a cgroup --------------------------------- */

static char dir[] = "/tmp/knarr-test-XXXXXX";

static void
make_file(int dirfd, const char *name, const char *text)
{
	auto_close int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static bool
file_is(int dirfd, const char *name, const char *text)
{
	char buf[256];

	return fd_read_small_at(dirfd, name, buf, sizeof(buf)) >= 0 && !strcmp(buf, text);
}

static int
compile_and_check(struct cgroup *cg, const struct spec *s, struct err *err)
{
	auto_arena struct arena a = { 0 };
	int r = cgroup_compile(cg, s, &a, err);

	return r < 0 ? r : cgroup_check(cg, err);
}

static int
compile_and_apply(struct cgroup *cg, const struct spec *s, struct err *err)
{
	auto_arena struct arena a = { 0 };
	int r = cgroup_compile(cg, s, &a, err);

	return r < 0 ? r : cgroup_apply(cg, s, err);
}

static void
test_check(int mountfd)
{
	struct spec_memory m = { .limit = { true, 1000 } };
	struct spec_cpu c = { .shares = { true, 512 } };
	struct spec_network net = { .class_id = { true, 1 } };
	struct spec_resources r = { .cpu = &c };
	struct spec s = { .linux_ = { .resources = &r } };
	struct cgroup cg = { .mount = dir, .path = (char *)"/c", .fd = -1 };
	struct err err;

	make_file(mountfd, "cgroup.controllers", "hugetlb misc\n");
	log_captured[0] = '\0';
	CHECK(compile_and_check(&cg, &s, &err) == 0);
	CHECK(strstr(log_captured, "linux.resources.cpu.shares is ignored: controller 'cpu'"));
	r.memory = &m;
	CHECK(compile_and_check(&cg, &s, &err) == -ENOTSUP);
	CHECK(strstr(err.msg, "linux.resources.memory.limit: controller 'memory' is ") == err.msg);
	m.limit.v = -1;
	CHECK(compile_and_check(&cg, &s, &err) == 0);
	m.limit.v = 1000;
	make_file(mountfd, "cgroup.controllers", "cpu memory\n");
	log_captured[0] = '\0';
	r.network = &net;
	CHECK(compile_and_check(&cg, &s, &err) == 0);
	CHECK(!strcmp(log_captured, "linux.resources.network.classID is ignored: cgroup v2 has no such setting\n"));
	cg.path = NULL;
	log_captured[0] = '\0';
	CHECK(compile_and_check(&cg, &s, &err) == 0);
	CHECK(strstr(log_captured, "cpu.shares is ignored: the container has no cgroup"));
}

static void
test_apply(int mountfd)
{
	struct spec_memory m = { .limit = { true, 1000 }, .check_before_update = { true, true } };
	struct spec_cpu c = { .shares = { true, 512 }, .quota = { true, -1 } };
	struct spec_block_io io = { .weight = { true, 1000 } };
	struct spec_pair pair = { (char *)"pids.max", (char *)"5" };
	struct spec_resources r = { .memory = &m, .cpu = &c };
	struct spec s = { .linux_ = { .resources = &r } };
	struct cgroup cg = { .mount = dir, .path = (char *)"/c", .fd = -1 };
	struct err err;
	auto_close int fd = -1;

	CHECK(cgroup_open(&cg, &err) == -ENOENT);
	CHECK(mkdirat(mountfd, "c", 0755) == 0);
	CHECK(cgroup_open(&cg, &err) == 0);
	fd = cg.fd;
	make_file(fd, "memory.current", "500\n");
	make_file(fd, "memory.max", "");
	CHECK(compile_and_apply(&cg, &s, &err) == 0); /* cpu.weight, cpu.max: not there, not needed */
	CHECK(file_is(fd, "memory.max", "1000"));
	make_file(fd, "memory.current", "1001\n");
	CHECK(compile_and_apply(&cg, &s, &err) == -EINVAL);
	CHECK(strstr(err.msg, "1000 is less than the 1001 bytes"));
	r.memory = NULL;
	make_file(fd, "cpu.weight", "");
	make_file(fd, "cpu.max", "");
	CHECK(compile_and_apply(&cg, &s, &err) == 0);
	CHECK(file_is(fd, "cpu.weight", "59") && file_is(fd, "cpu.max", "max"));
	c = (struct spec_cpu){ .burst = { true, 0 } };
	CHECK(compile_and_apply(&cg, &s, &err) == 0); /* a kernel without the file has none */
	make_file(fd, "cpu.max.burst", "5");
	CHECK(compile_and_apply(&cg, &s, &err) == 0 && file_is(fd, "cpu.max.burst", "0"));
	c = (struct spec_cpu){ 0 };
	r.block_io = &io;
	CHECK(compile_and_apply(&cg, &s, &err) == -EINVAL);
	CHECK(strstr(err.msg, "has no file 'io.bfq.weight' nor 'io.weight'"));
	make_file(fd, "io.weight", "");
	CHECK(compile_and_apply(&cg, &s, &err) == 0 && file_is(fd, "io.weight", "10000"));
	make_file(fd, "io.bfq.weight", "");
	CHECK(compile_and_apply(&cg, &s, &err) == 0 && file_is(fd, "io.bfq.weight", "1000"));
	r.unified = (struct spec_pairs){ &pair, 1 };
	CHECK(compile_and_apply(&cg, &s, &err) == -EINVAL);
	CHECK(strstr(err.msg, "linux.resources.unified[\"pids.max\"]: cgroup '/c' has no file 'pids.max'"));
	CHECK(symlinkat("/dev/null", fd, "pids.max") == 0);
	CHECK(compile_and_apply(&cg, &s, &err) == -ELOOP);
	pair = (struct spec_pair){ (char *)"cpuset.cpus.partition", (char *)"root" };
	make_file(fd, "cpuset.cpus.partition", "member");
	CHECK(compile_and_apply(&cg, &s, &err) == 0);
	/* The file takes the word and says in the same line what came of it. */
	make_file(fd, "cpuset.cpus.partition", "xxxx invalid (Cpu list in cpuset.cpus not exclusive)\n");
	CHECK(compile_and_apply(&cg, &s, &err) == -EINVAL);
	CHECK(strstr(err.msg, "root invalid (Cpu list in cpuset.cpus not exclusive)"));
}

/* The last file is not there: the others hold what they held. */
static void
test_update(int mountfd)
{
	struct spec_memory m = { .limit = { true, 2000 } };
	struct spec_cpu c = { .shares = { true, 512 }, .quota = { true, 5000 } };
	struct spec_pair pairs[] = { { (char *)"io.max", (char *)"8:0 rbps=5\n8:16 rbps=6" },
				     { (char *)"knarr.nothing", (char *)"5" } };
	struct spec_resources r = { .memory = &m, .cpu = &c, .unified = { pairs, 2 } };
	struct spec s = { .linux_ = { .resources = &r } };
	struct cgroup cg = { .mount = dir, .path = (char *)"/c", .fd = openat(mountfd, "c", O_PATH | O_CLOEXEC) };
	auto_arena struct arena a = { 0 };
	struct err err;

	make_file(cg.fd, "memory.max", "1000\n");
	make_file(cg.fd, "cpu.weight", "100\n");
	make_file(cg.fd, "cpu.max", "7000\n");
	make_file(cg.fd, "io.max", "8:16 rbps=9 wbps=9\n");
	CHECK(cgroup_compile(&cg, &s, &a, &err) == 0);
	CHECK(cgroup_update(&cg, &s, &err) == -EINVAL);
	CHECK(strstr(err.msg, "has no file 'knarr.nothing'"), "%s", err.msg);
	CHECK(file_is(cg.fd, "memory.max", "1000") && file_is(cg.fd, "cpu.max", "7000"));
	CHECK(fd_read_small_at(cg.fd, "cpu.weight", log_captured, sizeof(log_captured)) > 0 &&
	      !strncmp(log_captured, "100", 3));
	/* A device that had no limit is not in the file. */
	CHECK(fd_read_small_at(cg.fd, "io.max", log_captured, sizeof(log_captured)) > 0);
	CHECK(strstr(log_captured, "8:16 rbps=9 wbps=9") &&
		      strstr(log_captured, "8:0 rbps=max wbps=max riops=max wiops=max"),
	      "%s", log_captured);
	r.unified.n = 1;
	CHECK(cgroup_compile(&cg, &s, &a, &err) == 0 && cgroup_update(&cg, &s, &err) == 0);
	CHECK(file_is(cg.fd, "memory.max", "2000") && file_is(cg.fd, "cpu.max", "5000"));
	unlinkat(cg.fd, "memory.max", 0);
	unlinkat(cg.fd, "io.max", 0);
	fd_close(cg.fd);
}

/* What the kernel refused the container while it was being made. */
static void
test_hint(int mountfd)
{
	struct cgroup cg = { .mount = dir, .path = (char *)"/c", .fd = openat(mountfd, "c", O_PATH | O_CLOEXEC) };
	struct err err;

	make_file(cg.fd, "pids.events", "max 1\n");
	make_file(cg.fd, "pids.max", "20\n");
	err_plain(&err, "failed");
	cgroup_add_hint(&cg, /* init_was_moved= */ true, &err);
	CHECK(!strcmp(err.msg, "failed"), "%s", err.msg);
	cgroup_add_hint(&cg, /* init_was_moved= */ false, &err);
	CHECK(!strcmp(err.msg, "failed (hint: PID limit reached (pids.max 20))"), "%s", err.msg);
	make_file(cg.fd, "pids.events", "max 0\n");
	make_file(cg.fd, "memory.events", "oom 1\noom_kill 0\n");
	make_file(cg.fd, "memory.max", "4096\n");
	err_plain(&err, "failed");
	cgroup_add_hint(&cg, /* init_was_moved= */ false, &err);
	CHECK(!strcmp(err.msg, "failed (hint: starting takes more memory than the limit (memory.max 4096))"), "%s",
	      err.msg);
	fd_close(cg.fd);
}

static void
clean_up(void)
{
	static const char *const names[] = {
		"c/pids.events",   "c/memory.events", "c/memory.current",	"c/memory.max",
		"c/cpu.weight",	   "c/cpu.max",	      "c/cpu.max.burst",	"c/io.weight",
		"c/io.bfq.weight", "c/pids.max",      "c/cpuset.cpus.partition"
	};
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(fd, names[i], 0);
	unlinkat(fd, "c", AT_REMOVEDIR);
	unlinkat(fd, "cgroup.controllers", 0);
	CHECK(rmdir(dir) == 0);
}

int
main(void)
{
	auto_close int mountfd = -1;

	test_memory();
	test_cpu();
	test_weights();
	test_others();
	test_unified();
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	mountfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test_check(mountfd);
	test_apply(mountfd);
	unlinkat(mountfd, "c/pids.max", 0);
	unlinkat(mountfd, "c/memory.max", 0);
	test_update(mountfd);
	test_hint(mountfd);
	clean_up();
	return failed;
}
