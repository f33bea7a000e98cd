/* Theory of operation: cgroup v2 has no device controller; a program attached to
 * the cgroup decides instead, and goes away with it. BPF_F_ALLOW_MULTI lets it
 * stand below and beside those of systemd: all of them must say yes.
 *
 * The rules are taken by their word, in their order: after "deny everything" no node can
 * be made either (runc and crun let all be made, which only opening refuses). Two
 * kinds come last all the same: the devices that every /dev must have can always be
 * used (config-linux.md#default-devices), and those of linux.devices can be made, for
 * the init makes them, but whoever lists rules must allow their use there.
 *
 * A config without rules gets those of runc and crun: all nodes can be made, and none but
 * the default devices be used. Without them a container that has CAP_MKNOD, as most
 * callers give, could make the host's disk and open it. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/devices.h"

#define RWM DEVICE_ACCESS_ALL

static const struct device_rule last_rules[] = {
	{ true, 'c', 1, 3, RWM },	     /* null */
	{ true, 'c', 1, 5, RWM },	     /* zero */
	{ true, 'c', 1, 7, RWM },	     /* full */
	{ true, 'c', 1, 8, RWM },	     /* random */
	{ true, 'c', 1, 9, RWM },	     /* urandom */
	{ true, 'c', 5, 0, RWM },	     /* tty */
	{ true, 'c', 5, 2, RWM },	     /* ptmx */
	{ true, 'c', 136, DEVICE_ANY, RWM }, /* pts/N */
};
#define N_LAST_RULES (sizeof(last_rules) / sizeof(last_rules[0]))

/* Of a config that has none. */
static const struct device_rule default_rules[] = {
	{ false, 'a', DEVICE_ANY, DEVICE_ANY, RWM },
	{ true, 'c', DEVICE_ANY, DEVICE_ANY, BPF_DEVCG_ACC_MKNOD },
	{ true, 'b', DEVICE_ANY, DEVICE_ANY, BPF_DEVCG_ACC_MKNOD },
};
#define N_DEFAULT_RULES (sizeof(default_rules) / sizeof(default_rules[0]))

/* ---- rules ------------------------------------------------------------- */

static struct device_rule
rule_from_spec(const struct spec_device_rule *rule)
{
	struct device_rule r = {
		.allow = rule->allow,
		.type = rule->type ? rule->type : 'a',
		.major = rule->major.set ? rule->major.v : DEVICE_ANY,
		.minor = rule->minor.set ? rule->minor.v : DEVICE_ANY,
		.access = (rule->read ? BPF_DEVCG_ACC_READ : 0u) | (rule->write ? BPF_DEVCG_ACC_WRITE : 0u) |
			  (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0u),
	};

	/* No access given: a rule that denies, or is about all devices, means all
	 * of it; taking it for none would let "deny everything" deny nothing. */
	if (!r.access && (!r.allow || r.type == 'a'))
		r.access = RWM;
	return r;
}

static struct device_rule
rule_to_make(const struct spec_device *device)
{
	return (struct device_rule){ true, device->type == 'b' ? 'b' : 'c', device->major, device->minor,
				     BPF_DEVCG_ACC_MKNOD };
}

static size_t
append_rules(struct device_rule *rules, size_t n, const struct device_rule *list, size_t n_list)
{
	memcpy(rules + n, list, n_list * sizeof(*list));
	return n + n_list;
}

bool
cgroup_devices_are_default(const struct spec *spec)
{
	return !spec->linux_.resources || spec->linux_.resources->n_devices == 0;
}

size_t
cgroup_devices_rules(const struct spec *spec, struct arena *a, struct device_rule **ret_rules)
{
	const struct spec_linux *l = &spec->linux_;
	size_t n_given = cgroup_devices_are_default(spec) ? 0 : l->resources->n_devices, n = 0;
	struct device_rule *rules =
		arena_array(a, n_given + N_DEFAULT_RULES + l->n_devices + N_LAST_RULES, sizeof(*rules));

	if (n_given == 0)
		n = append_rules(rules, n, default_rules, N_DEFAULT_RULES);
	for (size_t i = 0; i < n_given; i++)
		rules[n++] = rule_from_spec(&l->resources->devices[i]);
	for (size_t i = 0; i < l->n_devices; i++)
		if (l->devices[i].type != 'p')
			rules[n++] = rule_to_make(&l->devices[i]);
	*ret_rules = rules;
	return append_rules(rules, n, last_rules, N_LAST_RULES);
}

/* ---- bpf(2) ------------------------------------------------------------ */

static int
bpf_call(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int
load_program(const struct bpf_insn *insns, size_t n)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr)); /* also what lies between the members */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (__u32)n;
	attr.license = (uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, "knarr_devices", sizeof("knarr_devices"));
	return bpf_call(BPF_PROG_LOAD, &attr);
}

static int
attach_program(int cgroup_fd, int prog_fd, enum bpf_cmd cmd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (__u32)cgroup_fd;
	attr.attach_bpf_fd = (__u32)prog_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = cmd == BPF_PROG_ATTACH ? BPF_F_ALLOW_MULTI : 0;
	return bpf_call(cmd, &attr);
}

/* Ids of the programs on the cgroup itself (64 is the kernel's maximum). */
static int
query_programs(int cgroup_fd, __u32 ids[64])
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (__u32)cgroup_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = 64;
	r = bpf_call(BPF_PROG_QUERY, &attr);
	return r < 0 ? r : (int)attr.query.prog_cnt;
}

static int
detach_program(int cgroup_fd, __u32 id)
{
	auto_close int prog_fd = -1;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	prog_fd = bpf_call(BPF_PROG_GET_FD_BY_ID, &attr);
	return prog_fd < 0 ? prog_fd : attach_program(cgroup_fd, prog_fd, BPF_PROG_DETACH);
}

/* The new program first, so that there is no moment without any. */
static int
replace_programs(int cgroup_fd, int prog_fd)
{
	__u32 ids[64];
	int n = query_programs(cgroup_fd, ids);
	int r = attach_program(cgroup_fd, prog_fd, BPF_PROG_ATTACH);

	for (int i = 0; r == 0 && i < n; i++)
		r = detach_program(cgroup_fd, ids[i]);
	return n < 0 && r == 0 ? n : r;
}

/* ---- applying ---------------------------------------------------------- */

/* bpf(2) takes privileges that a user namespace cannot give and an unprivileged user
 * lacks. Neither can make device nodes: what is in /dev was bound there. */
static bool
may_do_without(const struct spec *spec, const struct device_rule *rules, size_t n)
{
	bool unprivileged = geteuid() != 0;

	if (host_in_userns() || device_bpf_allows_all(rules, n) || (unprivileged && cgroup_devices_are_default(spec))) {
		log_debug("linux.resources.devices: bpf(2) is not permitted; no device rules are set");
		return true;
	}
	if (unprivileged) {
		log_warning("linux.resources.devices is ignored: an unprivileged user may not set device rules");
		return true;
	}
	return false;
}

int
cgroup_devices_apply(const struct cgroup *cg, const struct spec *spec, struct err *err)
{
	static const char property[] = "linux.resources.devices";
	auto_arena struct arena a = { 0 };
	auto_close int prog_fd = -1;
	struct device_rule *rules = NULL;
	struct bpf_insn *insns = NULL;
	size_t n = cgroup_devices_rules(spec, &a, &rules), n_insns = 0;
	int r;

	if (!cg->path || (cg->made && device_bpf_allows_all(rules, n)))
		return 0;
	prog_fd = device_bpf_compile(rules, n, &a, &insns, &n_insns);
	if (prog_fd == 0)
		prog_fd = load_program(insns, n_insns);
	if (prog_fd == -EPERM && may_do_without(spec, rules, n))
		return 0;
	if (prog_fd < 0)
		return err_set(err, -prog_fd, "%s: load %zu rules as an eBPF program%s", property, n,
			       prog_fd == -EINVAL  ? " (the kernel may lack CONFIG_CGROUP_BPF)"
			       : prog_fd == -EPERM ? " (hint: --cgroup-manager=disabled runs it without device rules)"
			       : prog_fd == -E2BIG ? " (it is too large for the kernel)"
						   : "");
	/* In a new scope there may be one of systemd, which holds as well. */
	r = cg->made || cg->pid ? attach_program(cg->fd, prog_fd, BPF_PROG_ATTACH) : replace_programs(cg->fd, prog_fd);
	if (r == -EPERM && may_do_without(spec, rules, n))
		return 0;
	if (r < 0)
		return err_set(err, -r, "%s: attach an eBPF program to cgroup '%s'", property, cg->path);
	return 0;
}
