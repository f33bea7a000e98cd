/* Network and pid namespaces are
 * external in CRIU's sense: an image has a key instead of them, and restore gets
 * a descriptor for the key. The keys are those of runc, so that images can be
 * exchanged. Of the other kinds an image has a copy, which restore drops for
 * the namespace to join. */
#include "libcontainer/checkpoint/criu_namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "libcontainer/checkpoint/criu_rpc.h"

enum { INHERIT_KEY = 1, INHERIT_FD = 2 };
enum { JOIN_KIND = 1, JOIN_FILE = 2 };

static const struct kind {
	enum ns_kind type;
	const char *key;       /* of an external one; NULL: joined */
	const char *unable_to; /* why it cannot be restored; NULL: it can */
} kinds[] = {
	{ NS_NETWORK, "extRootNetNS", NULL },
	{ NS_PID, "extRootPidNS", NULL },
	{ NS_IPC, NULL, NULL },
	{ NS_UTS, NULL, NULL },
	{ NS_TIME, NULL, NULL },
	{ NS_USER, NULL, NULL },
	{ NS_MOUNT, NULL, "mount" },
	{ NS_CGROUP, NULL, "cgroup" },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

int
criu_namespaces_dump(const struct spec *spec, pid_t pid, struct err *err, struct protobuf *options)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct kind *k = &kinds[i];
		char path[64];
		struct stat st;

		if (!spec->linux_.namespaces[k->type].path || !k->key)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, ns_kinds[k->type].file);
		if (stat(path, &st) < 0)
			return err_set(err, errno, "look at '%s'", path);
		protobuf_put_string(options, CRIU_OPT_EXTERNAL,
				    arena_printf(options->arena, "%s[%llu]:%s", ns_kinds[k->type].file,
						 (unsigned long long)st.st_ino, k->key));
	}
	return 0;
}

static int
restore_one(const struct kind *kind, const char *path, struct err *err, struct protobuf *options,
	    struct criu_namespaces *open_ones)
{
	struct protobuf m = { .arena = options->arena };
	int fd;

	if (kind->unable_to)
		return err_plain(err, "linux.namespaces: CRIU cannot restore into the %s namespace '%s'",
				 kind->unable_to, path);
	if (!kind->key) {
		protobuf_put_string(&m, JOIN_KIND, ns_kinds[kind->type].file);
		protobuf_put_string(&m, JOIN_FILE, path);
		protobuf_put_message(options, CRIU_OPT_JOIN_NS, &m);
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "linux.namespaces: open '%s'", path);
	open_ones->fds[open_ones->n++] = fd;
	protobuf_put_string(&m, INHERIT_KEY, kind->key);
	protobuf_put_number(&m, INHERIT_FD, (uint64_t)fd);
	protobuf_put_message(options, CRIU_OPT_INHERIT_FD, &m);
	return 0;
}

int
criu_namespaces_restore(const struct spec *spec, struct err *err, struct protobuf *options,
			struct criu_namespaces *ret_open)
{
	struct criu_namespaces opened = { .n = 0 };

	for (size_t i = 0; i < N_KINDS; i++) {
		const char *path = spec->linux_.namespaces[kinds[i].type].path;
		int r = path ? restore_one(&kinds[i], path, err, options, &opened) : 0;

		if (r < 0) {
			criu_namespaces_close(&opened);
			return r;
		}
	}
	*ret_open = opened;
	return 0;
}

void
criu_namespaces_close(struct criu_namespaces *namespaces)
{
	for (size_t i = 0; i < namespaces->n; i++)
		fd_close(namespaces->fds[i]);
	namespaces->n = 0;
}
