/* Theory of operation: a sysctl is written from inside the container, but only
 * those that a namespace keeps apart stop at its border. Every other one would
 * change the host, so it is refused, as is one whose namespace the container
 * shares with the runtime. The host name has a property of its own. */
#include <string.h>

#include "oci-spec/parse.h"

struct sysctl_rule {
	const char *name; /* with slashes; a final '/' means all below */
	enum spec_ns_type ns;
};

static const struct sysctl_rule rules[] = {
	{ "net/", SPEC_NS_NETWORK },	      { "fs/mqueue/", SPEC_NS_IPC },
	{ "kernel/msgmax", SPEC_NS_IPC },     { "kernel/msgmnb", SPEC_NS_IPC },
	{ "kernel/msgmni", SPEC_NS_IPC },     { "kernel/sem", SPEC_NS_IPC },
	{ "kernel/shmall", SPEC_NS_IPC },     { "kernel/shmmax", SPEC_NS_IPC },
	{ "kernel/shmmni", SPEC_NS_IPC },     { "kernel/shm_rmid_forced", SPEC_NS_IPC },
	{ "kernel/domainname", SPEC_NS_UTS },
};

/* No empty component and none that climbs out. */
static bool
is_clean_path(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

char *
spec_sysctl_path(struct arena *a, const char *key)
{
	char *path = arena_strdup(a, key);

	if (key[strcspn(key, "./")] == '.')
		for (char *c = path; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return is_clean_path(path) ? path : NULL;
}

static const struct sysctl_rule *
find_rule(const char *path)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		size_t n = strlen(rules[i].name);

		if (rules[i].name[n - 1] == '/' ? strncmp(path, rules[i].name, n) == 0
						: strcmp(path, rules[i].name) == 0)
			return &rules[i];
	}
	return NULL;
}

static void
check_sysctl(struct parser *p, const struct json_value *v, const struct spec_linux *l)
{
	const char *path = spec_sysctl_path(p->arena, v->key);
	const struct sysctl_rule *rule;

	if (!path) {
		error_key(p, v, "%s is not the name of a kernel parameter", json_quote(p->arena, v->key));
		return;
	}
	if (strcmp(path, "kernel/hostname") == 0) {
		error_key(p, v, "the property \"hostname\" sets it");
		return;
	}
	rule = find_rule(path);
	if (!rule)
		error_key(p, v, "this kernel parameter belongs to no namespace, setting it would change the host");
	else if (!l->namespaces[rule->ns].listed)
		error_key(p, v, "needs a namespace of type \"%s\", or it would change the host",
			  spec_ns_name(rule->ns));
}

void
check_sysctls(struct parser *p, const struct json_value *config, const struct spec_linux *l)
{
	const struct json_value *sysctl = json_get(json_get(config, "linux"), "sysctl");

	if (!sysctl || sysctl->type != JSON_OBJECT)
		return;
	for (const struct json_value *m = sysctl->first; m; m = m->next)
		if (m->key[0])
			check_sysctl(p, m, l);
}
