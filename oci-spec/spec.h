/* struct spec: an OCI config.json after parsing, field for field.
 *
 * The names are those of runtime-spec 1.3 in snake_case. Everything lives in
 * the arena given to spec_parse(); strings are NUL-terminated and hold no other
 * NUL. A property that was absent is a NULL pointer, an empty list, or an
 * opt_* with set == false: the code that uses a value decides its default. */
#ifndef KNARR_OCI_SPEC_SPEC_H
#define KNARR_OCI_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ns.h"

/* Limits of a config.json; beyond them it is refused. Documented in
 * docs/limits.md. */
#define SPEC_MAX_SIZE  ((size_t)16 * 1024 * 1024) /* bytes */
#define SPEC_MAX_DEPTH 64			  /* nested objects and arrays */

/* One line per thing reads as a table. */
/* clang-format off */
struct opt_bool { bool set, v; };
struct opt_i64 { bool set; int64_t v; };
struct opt_u64 { bool set; uint64_t v; };
struct opt_i32 { bool set; int32_t v; };
struct opt_u32 { bool set; uint32_t v; };
struct opt_u16 { bool set; uint16_t v; };

struct spec_strings { char **items; size_t n; };
struct spec_u32s { uint32_t *items; size_t n; };
struct spec_pair { char *key, *value; };
struct spec_pairs { struct spec_pair *items; size_t n; };

struct spec_id_mapping { uint32_t container_id, host_id, size; };
struct spec_id_mappings { struct spec_id_mapping *items; size_t n; };

struct spec_root { char *path; /* relative: to the bundle */ bool readonly; };

struct spec_mount {
	char *destination; /* as written; may be relative (deprecated: from "/") */
	char *type;	   /* NULL: absent */
	char *source;	   /* NULL: absent */
	struct spec_strings options;
	struct spec_id_mappings uid_mappings, gid_mappings;
};

struct spec_rlimit {
	int resource;	     /* RLIMIT_* */
	char *type;	     /* its name, as written */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

/* Names as in the config ("CAP_CHOWN"); `unknown` names were already reported
 * as warnings and are left out of the masks. Bit N is capability number N. */
struct spec_capabilities {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct spec_user {
	uint32_t uid, gid;
	struct opt_u32 umask;
	struct spec_u32s additional_gids;
};

/* The numbers of sched(7) and ioprio_set(2). */
struct spec_scheduler {
	uint32_t policy;
	struct opt_i32 nice, priority;
	uint64_t flags;			    /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period; /* ns */
};
struct spec_io_priority { int class; int32_t priority; };
struct spec_cpu_affinity { char *initial, *final; /* "0-3,7"; NULL: absent */ };

struct spec_process {
	bool terminal;
	struct { bool set; uint64_t height, width; } console_size;
	char *cwd;
	struct spec_strings env, args;
	struct spec_rlimit *rlimits;
	size_t n_rlimits;
	char *apparmor_profile, *selinux_label;
	struct spec_capabilities *capabilities; /* NULL: absent */
	bool no_new_privileges;
	struct opt_i64 oom_score_adj;
	struct spec_scheduler *scheduler;	   /* NULL: absent */
	struct spec_io_priority *io_priority;	   /* NULL: absent */
	struct spec_cpu_affinity *exec_cpu_affinity; /* NULL: absent */
	struct spec_user user;
};

struct spec_hook {
	char *path;
	struct spec_strings args, env;
	bool has_env;	   /* env was given (maybe empty) */
	struct opt_i64 timeout; /* seconds, > 0 */
};
struct spec_hooks_list { struct spec_hook *items; size_t n; };
struct spec_hooks {
	struct spec_hooks_list prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct spec_namespace {
	bool listed;   /* false: inherited from the runtime */
	char *path;    /* NULL: a new one; else join it */
	bool is_own;   /* path is the runtime's: it is the host's, not the container's. By spec_load_new() only */
};

struct spec_device {
	char type; /* 'c', 'b', 'u' (as 'c') or 'p' */
	char *path;
	int64_t major, minor;
	struct opt_u32 file_mode, uid, gid; /* file_mode: permission bits only */
};

struct spec_net_device { char *host_name, *name; /* name NULL: keep */ };

struct spec_device_rule {
	bool allow;
	char type; /* 'a', 'c' or 'b' */
	struct opt_i64 major, minor; /* unset: any (-1 in the config counts as unset) */
	bool read, write, mknod; /* all three when access was absent */
};
struct spec_memory {
	struct opt_i64 limit, reservation, kernel, kernel_tcp; /* bytes; -1: unlimited */
	struct opt_i64 swap;			  /* the same, of memory and swap together */
	struct opt_u64 swappiness;		  /* 0 to 100 */
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};
struct spec_cpu {
	struct opt_u64 shares;			       /* weight, as of cgroup v1: 2 to 262144 */
	struct opt_u64 burst, period, realtime_period; /* us */
	struct opt_i64 quota, realtime_runtime;	       /* us in each period; -1: unlimited */
	struct opt_i64 idle;			       /* 0 or 1 */
	char *cpus, *mems;			       /* lists: "0-3,7" */
};
struct spec_weight_device { int64_t major, minor; struct opt_u16 weight, leaf_weight; };
struct spec_throttle_device { int64_t major, minor; uint64_t rate; /* bytes or operations per second */ };
struct spec_throttles { struct spec_throttle_device *items; size_t n; };
struct spec_block_io {
	struct opt_u16 weight, leaf_weight;
	struct spec_weight_device *weight_devices;
	size_t n_weight_devices;
	struct spec_throttles read_bps, write_bps, read_iops, write_iops;
};
struct spec_hugepage_limit { char *page_size; /* "2MB" */ uint64_t limit; /* bytes */ };
struct spec_net_priority { char *name; uint32_t priority; };
struct spec_network { struct opt_u32 class_id; struct spec_net_priority *priorities; size_t n_priorities; };
struct spec_rdma { char *device; struct opt_u32 hca_handles, hca_objects; };

struct spec_resources {
	struct spec_device_rule *devices;
	size_t n_devices;
	struct spec_memory *memory;	/* NULL: absent, as below */
	struct spec_cpu *cpu;
	struct opt_i64 pids_limit;	/* -1: unlimited */
	struct spec_block_io *block_io;
	struct spec_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct spec_network *network;
	struct spec_rdma *rdma;
	size_t n_rdma;
	struct spec_pairs unified;
};

/* Numbers of their own: libcontainer/seccomp/seccomp_tables.h turns them into those of
 * libseccomp, whose actions have the errno in them. */
enum spec_seccomp_action {
	SPEC_ACT_KILL, /* = KILL_THREAD */ SPEC_ACT_KILL_PROCESS, SPEC_ACT_KILL_THREAD, SPEC_ACT_TRAP,
	SPEC_ACT_ERRNO, SPEC_ACT_TRACE, SPEC_ACT_ALLOW, SPEC_ACT_LOG, SPEC_ACT_NOTIFY, SPEC_ACT_COUNT
};
enum spec_seccomp_op { SPEC_OP_NE, SPEC_OP_LT, SPEC_OP_LE, SPEC_OP_EQ, SPEC_OP_GE, SPEC_OP_GT, SPEC_OP_MASKED_EQ };
struct spec_seccomp_arg { uint32_t index; uint64_t value, value_two; enum spec_seccomp_op op; };
struct spec_seccomp_rule {
	struct spec_strings names;
	enum spec_seccomp_action action;
	struct opt_u32 errno_ret;
	struct spec_seccomp_arg *args;
	size_t n_args;
};
struct spec_seccomp {
	enum spec_seccomp_action default_action;
	struct opt_u32 default_errno_ret;
	struct spec_strings architectures; /* "SCMP_ARCH_X86_64", checked names */
	struct spec_strings flags;	   /* "SECCOMP_FILTER_FLAG_LOG", checked names */
	char *listener_path, *listener_metadata;
	struct spec_seccomp_rule *syscalls;
	size_t n_syscalls;
};

struct spec_intel_rdt {
	char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct spec_strings schemata;
	bool enable_monitoring;
};
struct spec_memory_policy { int mode; /* MPOL_* */ char *nodes; /* "0-3,7" */ uint32_t flags; /* MPOL_F_* */ };
struct spec_time_offset { bool set; int64_t secs; uint32_t nanosecs; };

enum spec_propagation { SPEC_PROP_UNSET, SPEC_PROP_SHARED, SPEC_PROP_SLAVE, SPEC_PROP_PRIVATE, SPEC_PROP_UNBINDABLE };

struct spec_linux {
	struct spec_namespace namespaces[NS_COUNT];
	struct spec_id_mappings uid_mappings, gid_mappings;
	struct { bool set; struct spec_time_offset monotonic, boottime; } time_offsets;
	struct spec_device *devices;
	size_t n_devices;
	struct spec_net_device *net_devices;
	size_t n_net_devices;
	char *cgroups_path; /* NULL: absent */
	struct spec_resources *resources; /* NULL: absent */
	enum spec_propagation rootfs_propagation;
	bool rootfs_propagation_rec; /* "rshared", "rslave" …: not in the spec, but Docker and Podman write them */
	struct spec_seccomp *seccomp; /* NULL: absent */
	struct spec_pairs sysctl;
	struct spec_strings masked_paths, readonly_paths;
	char *mount_label;
	struct spec_intel_rdt *intel_rdt;
	struct spec_memory_policy *memory_policy;
	struct { bool set; unsigned long domain; } personality; /* personality(2) */
};

struct spec {
	char *oci_version;
	struct spec_root *root;	      /* NULL: absent (an error for Linux) */
	struct spec_process *process; /* NULL: absent (allowed until start) */
	char *hostname, *domainname;
	struct spec_mount *mounts;
	size_t n_mounts;
	struct spec_hooks hooks;
	struct spec_pairs annotations;
	struct spec_linux linux_;     /* never absent: empty when not given */
	char *file;		      /* name used in messages, "/b/config.json" */
	char *json;		      /* the text itself, json_len bytes + NUL */
	size_t json_len;
};

/* clang-format on */

/* ---- what is wrong with a config ------------------------------------- */

enum spec_severity {
	SPEC_ERROR,   /* the config is refused */
	SPEC_WARNING, /* logged by every command */
	SPEC_ADVICE,  /* a warning that `knarr check` shows; other commands put it into the log file only */
	SPEC_NOTE,    /* only `knarr check` shows it (unknown properties) */
};
struct spec_issue {
	enum spec_severity severity;
	unsigned line, column; /* from 1; column counts bytes */
	char *path;	       /* "linux.seccomp.syscalls[3].action"; "" = the file */
	char *text;	       /* "expected …, found …; did you mean …?" */
};
/* In the order of the file, at most SPEC_MAX_ISSUES; n_errors and n_warnings also
 * count those beyond that. Errors take the room first, then warnings. */
#define SPEC_MAX_ISSUES 100
struct spec_report {
	struct spec_issue *items;
	size_t n, n_errors, n_warnings;
};

/* Parses and checks the text of a config.json (runtime-spec config.md and
 * config-linux.md). `file` is only used in messages. All memory comes from a;
 * `json` need not outlive the call. Fills *report (never NULL) in any case.
 * Returns 0 when there is no error, -EINVAL when report->n_errors > 0 (then
 * *ret_spec is untouched). */
int spec_parse(const char *file, const char *json, size_t len, struct arena *a, struct spec_report *report,
	       struct spec **ret_spec);

/* Reads config_path (NULL: "config.json" in the directory bundle) and calls
 * spec_parse(). An unreadable file is an error in *err; then report stays
 * empty. On a broken config *err holds the first error as
 * "FILE:LINE:COLUMN: PATH: TEXT", and how many more there are. 0 or -errno. */
int spec_load(const char *bundle, const char *config_path, struct arena *a, struct spec_report *report, struct err *err,
	      struct spec **ret_spec);

/* The same for a container that is about to be made: the runtime's namespaces are compared with
 * those that the config joins. One that is the runtime's own counts as none, for rules that want
 * the container to have its own. (A config of a container that is there is read from anywhere.) */
int spec_load_new(const char *bundle, const char *config_path, struct arena *a, struct spec_report *report,
		  struct err *err, struct spec **ret_spec);
int spec_parse_new(const char *file, const char *json, size_t len, struct arena *a, struct spec_report *report,
		   struct spec **ret_spec);

/* The same for a lone process object (the file of `exec --process`), */
int spec_parse_process(const char *json, size_t len, struct arena *a, struct spec_report *report,
		       struct spec_process **ret_process);

/* a lone linux.resources object (what `update --resources` reads), */
int spec_parse_resources(const char *json, size_t len, struct arena *a, struct spec_report *report,
			 struct spec_resources **ret_resources);

/* and a lone array of mounts, or an object with only `mounts` in it. */
int spec_parse_mounts(const char *json, size_t len, struct arena *a, struct spec_report *report,
		      struct spec_mount **ret_mounts, size_t *ret_n);

/* Read a file ("-": standard input) and parse it. Memory and errors as in spec_load(). */
int spec_load_process(const char *path, struct arena *a, struct spec_report *report, struct err *err,
		      struct spec_process **ret_process);
int spec_load_resources(const char *path, struct arena *a, struct spec_report *report, struct err *err,
			struct spec_resources **ret_resources);
int spec_load_mounts(const char *path, struct arena *a, struct spec_report *report, struct err *err,
		     struct spec_mount **ret_mounts, size_t *ret_n);

/* Adds what a later step found, "PROPERTY: TEXT", to the report of spec, where the property is in
 * the file; what is there already is not added. Memory from a. */
void spec_report_add(struct arena *a, const struct spec *spec, struct spec_report *report, enum spec_severity severity,
		     const char *message);

/* One issue as a line "FILE:LINE:COLUMN: error: PATH: TEXT" in the arena. */
char *spec_issue_format(struct arena *a, const char *file, const struct spec_issue *issue);

/* The same without the word, for a log that says of each line what it is. */
char *spec_issue_log_text(struct arena *a, const char *file, const struct spec_issue *issue);

/* The path below /proc/sys that a key of linux.sysctl means (sysctl(8)): the
 * first separator, "." or "/", tells which of them separates; the other one
 * then stands for itself turned around ("net.ipv4.conf.eno2/100.rp_filter" is
 * "net/ipv4/conf/eno2.100/rp_filter"). In the arena; NULL when an empty, "." or
 * ".." component makes it no name of a kernel parameter. */
char *spec_sysctl_path(struct arena *a, const char *key);

/* The kind of namespace that keeps the kernel parameter of this path apart; NS_COUNT: none does. */
enum ns_kind spec_sysctl_namespace(const char *path);

/* Whether text is one of the list: options of a mount, names of system calls. */
bool spec_strings_have(const struct spec_strings *list, const char *text);

#endif
