/* Theory of operation: documents that are the same on every host, written
 * member by member. The default config is data: a table of mounts and lists of
 * names, with the few differences of the rootless one marked. */
#include "oci-spec/documents.h"

#include "oci-spec/document_parts.h"

/* ---- state ----------------------------------------------------------- */

char *
document_state(struct arena *a, const struct state_document *document, bool pretty)
{
	struct json_out j;

	json_out_init(&j, a, pretty);
	json_out_open(&j, '{');
	json_out_member(&j, "ociVersion", OCI_VERSION);
	json_out_member(&j, "id", document->id);
	json_out_member(&j, "status", document->status);
	if (document->pid > 0)
		document_int(&j, "pid", document->pid);
	json_out_member(&j, "bundle", document->bundle);
	if (document->annotations && document->annotations->n > 0) {
		document_open(&j, "annotations");
		for (size_t i = 0; i < document->annotations->n; i++)
			json_out_member(&j, document->annotations->items[i].key, document->annotations->items[i].value);
		json_out_close(&j, '}');
	}
	json_out_close(&j, '}');
	return document_end(&j);
}

/* ---- default config -------------------------------------------------- */

enum who { BOTH, ROOT_ONLY, ROOTLESS_ONLY };

struct default_mount {
	enum who who;
	const char *destination, *type, *source;
	const char *const *options;
};

#define LIST(...)                                                                                                      \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}

/* A user namespace has no right to mount sysfs of the host's network namespace,
 * and maps no group 5 (tty). */
static const struct default_mount default_mounts[] = {
	{ BOTH, "/proc", "proc", "proc", NULL },
	{ BOTH, "/dev", "tmpfs", "tmpfs", LIST("nosuid", "strictatime", "mode=755", "size=65536k") },
	{ ROOT_ONLY, "/dev/pts", "devpts", "devpts",
	  LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5") },
	{ ROOTLESS_ONLY, "/dev/pts", "devpts", "devpts",
	  LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620") },
	{ BOTH, "/dev/shm", "tmpfs", "shm", LIST("nosuid", "noexec", "nodev", "mode=1777", "size=65536k") },
	{ BOTH, "/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev") },
	{ ROOT_ONLY, "/sys", "sysfs", "sysfs", LIST("nosuid", "noexec", "nodev", "ro") },
	{ ROOTLESS_ONLY, "/sys", "none", "/sys", LIST("rbind", "nosuid", "noexec", "nodev", "ro") },
	{ BOTH, "/sys/fs/cgroup", "cgroup", "cgroup", LIST("nosuid", "noexec", "nodev", "relatime", "ro") },
};

static const char *const default_capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL };
static const char *const masked_paths[] = { "/proc/acpi",
					    "/proc/asound",
					    "/proc/kcore",
					    "/proc/keys",
					    "/proc/latency_stats",
					    "/proc/timer_list",
					    "/proc/timer_stats",
					    "/proc/sched_debug",
					    "/sys/firmware",
					    "/proc/scsi",
					    NULL };
static const char *const readonly_paths[] = { "/proc/bus",	     "/proc/fs", "/proc/irq", "/proc/sys",
					      "/proc/sysrq-trigger", NULL };

static void
put_process(struct json_out *j)
{
	document_open(j, "process");
	document_bool(j, "terminal", true);
	document_open(j, "user");
	document_int(j, "uid", 0);
	document_int(j, "gid", 0);
	json_out_close(j, '}');
	document_list(j, "args", LIST("sh"));
	document_list(j, "env",
		      LIST("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"));
	json_out_member(j, "cwd", "/");
	document_open(j, "capabilities");
	document_list(j, "bounding", default_capabilities);
	document_list(j, "effective", default_capabilities);
	document_list(j, "permitted", default_capabilities);
	json_out_close(j, '}');
	json_out_key(j, "rlimits");
	json_out_open(j, '[');
	json_out_open(j, '{');
	json_out_member(j, "type", "RLIMIT_NOFILE");
	document_int(j, "hard", 1024);
	document_int(j, "soft", 1024);
	json_out_close(j, '}');
	json_out_close(j, ']');
	document_bool(j, "noNewPrivileges", true);
	json_out_close(j, '}');
}

static void
put_mounts(struct json_out *j, bool rootless)
{
	json_out_key(j, "mounts");
	json_out_open(j, '[');
	for (size_t i = 0; i < sizeof(default_mounts) / sizeof(*default_mounts); i++) {
		const struct default_mount *m = &default_mounts[i];

		if (m->who == (rootless ? ROOT_ONLY : ROOTLESS_ONLY))
			continue;
		json_out_open(j, '{');
		json_out_member(j, "destination", m->destination);
		json_out_member(j, "type", m->type);
		json_out_member(j, "source", m->source);
		if (m->options)
			document_list(j, "options", m->options);
		json_out_close(j, '}');
	}
	json_out_close(j, ']');
}

static void
put_mapping(struct json_out *j, const char *key, uint32_t host)
{
	json_out_key(j, key);
	json_out_open(j, '[');
	json_out_open(j, '{');
	document_int(j, "containerID", 0);
	document_int(j, "hostID", host);
	document_int(j, "size", 1);
	json_out_close(j, '}');
	json_out_close(j, ']');
}

/* Every device is denied; the default ones are allowed by the runtime. */
static void
put_resources(struct json_out *j)
{
	document_open(j, "resources");
	json_out_key(j, "devices");
	json_out_open(j, '[');
	json_out_open(j, '{');
	document_bool(j, "allow", false);
	json_out_member(j, "access", "rwm");
	json_out_close(j, '}');
	json_out_close(j, ']');
	json_out_close(j, '}');
}

static void
put_namespaces(struct json_out *j, const char *const *types)
{
	json_out_key(j, "namespaces");
	json_out_open(j, '[');
	for (; *types; types++) {
		json_out_open(j, '{');
		json_out_member(j, "type", *types);
		json_out_close(j, '}');
	}
	json_out_close(j, ']');
}

static void
put_linux(struct json_out *j, bool rootless, uid_t uid, gid_t gid)
{
	document_open(j, "linux");
	if (rootless) {
		put_mapping(j, "uidMappings", uid);
		put_mapping(j, "gidMappings", gid);
		put_namespaces(j, LIST("pid", "ipc", "uts", "mount", "user", "cgroup"));
	} else {
		put_resources(j);
		put_namespaces(j, LIST("pid", "network", "ipc", "uts", "mount", "cgroup"));
	}
	document_list(j, "maskedPaths", masked_paths);
	document_list(j, "readonlyPaths", readonly_paths);
	json_out_close(j, '}');
}

char *
document_default_config(struct arena *a, bool rootless, uid_t uid, gid_t gid)
{
	struct json_out j;

	json_out_init(&j, a, /* pretty= */ true);
	json_out_open(&j, '{');
	json_out_member(&j, "ociVersion", OCI_VERSION);
	put_process(&j);
	document_open(&j, "root");
	json_out_member(&j, "path", "rootfs");
	document_bool(&j, "readonly", true);
	json_out_close(&j, '}');
	json_out_member(&j, "hostname", "knarr");
	put_mounts(&j, rootless);
	put_linux(&j, rootless, uid, gid);
	json_out_close(&j, '}');
	return document_end(&j);
}
